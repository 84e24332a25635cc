/** Whether a reader has come to the message that was the room's newest when it began. */

import type { Cursor } from "../stay/cursor.ts";
import type { Stay } from "../stay/stay.ts";

/** Looks which message is the newest now. What it returns says of a cursor whether that one lies before it. */
export async function newestNow(stay: Stay): Promise<(cursor: Cursor | undefined) => boolean> {
  const { head, epoch, messages } = await stay.history({ limit: 1 });
  const newest = messages.at(-1);
  return (cursor) => {
    if (!cursor || !newest) return true;
    if (cursor.epoch === epoch) return cursor.after >= head;
    // Of another history: what was read is known by its time.
    return cursor.at !== undefined && newest.createdAt <= cursor.at;
  };
}
