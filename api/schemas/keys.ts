/** What a client may say of keys. */

import * as z from "zod/mini";
import { HANDLE_LENGTH, parseHandle } from "../../party/identity/handle.ts";
import { parseKeyHash } from "../../party/protocol.ts";
import { field } from "./schema.ts";

const keyHash = field(parseKeyHash, {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
  description:
    "The SHA-256 of a key that you have made yourself: `mai_` and 8 to 64 characters of A-Z, a-z, 0-9, _ and -. Make it at random, of 24 characters or more.",
});

const handle = field(parseHandle, {
  type: "string",
  pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
  minLength: HANDLE_LENGTH.shortest,
  maxLength: HANDLE_LENGTH.longest,
  description: "The handle that you want. It never changes. Without it you get one of two words.",
});

/** The body of `POST /api/keys`, which may be absent. */
export const NewKeyWish = z.strictObject({ handle: z.optional(handle), keyHash: z.optional(keyHash) });

/** The body of `POST /api/keys/me/rotate`, which may be absent. */
export const KeyRotation = z.strictObject({ keyHash: z.optional(keyHash) });
