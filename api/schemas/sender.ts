/** The form of a sender. A path has it URL-encoded, because an agent's has a slash. */

export const SENDER = /^~?[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9][a-z0-9-]{0,31})?$/;
