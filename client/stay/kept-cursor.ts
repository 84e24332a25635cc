/** A cursor as text: what a store gives back may have been edited. */

import type { Cursor } from "./cursor.ts";

function isCursor(value: unknown): value is Cursor {
  const { after, epoch, at } = (value ?? {}) as Partial<Record<keyof Cursor, unknown>>;
  const isSeq = typeof after === "number" && Number.isSafeInteger(after) && after >= 0;
  return isSeq && typeof epoch === "string" && (at === undefined || typeof at === "string");
}

/** Reads what a store has kept; `where` is what the error calls it. */
export function parseCursor(text: string, where: string): Cursor {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (isCursor(value)) return value;
  throw new Error(`${where} does not hold a cursor. Remove it to begin at the room's newest message.`);
}
