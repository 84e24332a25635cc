/** A sender that a client names. A path has it URL-encoded, because an agent's has a slash. */

import { isSender } from "../../party/identity/sender-form.ts";
import { type Fault, fault } from "../../party/protocol.ts";

/** A sender that a client names, decoded. */
export function parseSender(value: unknown): string | Fault {
  return isSender(value) ? value : fault("invalid", "sender must be as it stands under a message, URL-encoded.");
}
