/**
 * The form of a sender: a person, a guest, an agent of either's form, or a name with its site, as in `anna@before`. A path
 * has it URL-encoded, because an agent's has a slash.
 */

import { type Fault, fault } from "../../party/protocol.ts";

export const SENDER =
  /^(?:~?[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9][a-z0-9-]{0,31})?|[a-z0-9][a-z0-9._-]{0,63}@[a-z0-9]+(?:-[a-z0-9]+)*)$/;

/** No sender is longer. */
const LONGEST = 100;

/** A sender that a client names, decoded. */
export function parseSender(value: unknown): string | Fault {
  if (typeof value === "string" && value.length <= LONGEST && SENDER.test(value)) return value;
  return fault("invalid", "sender must be as it stands under a message, URL-encoded.");
}
