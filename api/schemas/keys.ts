/** What a client may say of keys. */

import * as z from "zod/mini";
import { parseKeyHash } from "../../party/protocol.ts";
import { field } from "./schema.ts";

const keyHash = field(parseKeyHash, {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
  description:
    "The SHA-256 of a key that you have made yourself: `mai_` and 8 to 64 characters of A-Z, a-z, 0-9, _ and -. Make it at random, of 24 characters or more.",
});

/** The body of `POST /api/keys`, which may be absent: there is nothing to say yet. */
export const NewKeyWish = z.strictObject({});

/** The body of `POST /api/keys/me/rotate`, which may be absent. */
export const KeyRotation = z.strictObject({ keyHash: z.optional(keyHash) });
