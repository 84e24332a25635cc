/** What a client may say of keys: the hash of the one that it has made itself. */

import * as z from "zod/mini";
import { parseKeyHash } from "../../party/protocol.ts";
import { field } from "./schema.ts";

const keyHash = field(parseKeyHash, {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
  description:
    "The SHA-256 of a key that you have made yourself: `mai_` and 8 to 64 characters of A-Z, a-z, 0-9, _ and -. Make it at random, of 24 characters or more.",
});

/** The body of `POST /api/keys/me/rotate`. */
export const KeyRotation = z.strictObject({ keyHash: z.optional(keyHash) });
