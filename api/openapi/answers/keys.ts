/** What the API answers with about keys. */

import * as z from "zod/mini";
import { KEY } from "../../../party/protocol.ts";
import { described, named, time, timeOrNull } from "../described.ts";

export const holder = {
  id: described(z.string(), "Of the key's holder. It outlives a rotation."),
  handle: z.string(),
  createdAt: time("ISO 8601 UTC with milliseconds."),
};

const newKey = described(z.optional(z.string().check(z.regex(KEY))), "Absent when you have made the key yourself.");

export const NewKey = named("NewKey", z.strictObject({ key: newKey, ...holder }));

export const RotatedKey = named(
  "RotatedKey",
  z.strictObject({
    key: newKey,
    ...holder,
  }),
);

export const Key = named("Key", z.strictObject({ ...holder, lastUsed: timeOrNull("To within an hour.") }));
