/**
 * The form of a sender: a person, a guest, an agent of either's form, or a name with its site, as in `anna@before`. A path
 * has it URL-encoded, because an agent's has a slash.
 */

export const SENDER =
  /^(?:~?[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9][a-z0-9-]{0,31})?|[a-z0-9][a-z0-9._-]{0,63}@[a-z0-9]+(?:-[a-z0-9]+)*)$/;
