/** How far a reader has come in a room, and where that outlives the reader. */

import type { Seq } from "../../party/protocol.ts";

/** The last message that was handled. */
export interface Cursor {
  readonly after: Seq;
  /** The history that `after` is of. */
  readonly epoch: string;
  /** When that message was created, ISO 8601: what a new history of the room is compared with. */
  readonly at?: string | undefined;
}

/** Keeps a cursor. What it throws ends the loop over the messages. */
export interface CursorStore {
  /** The cursor that was saved last; `undefined` the first time. */
  load(): Promise<Cursor | undefined>;
  save(cursor: Cursor): Promise<void>;
}

/**
 * Keeps a cursor in a file, for Node, Deno and Bun. A crash while it is written leaves the cursor before.
 *
 * @throws Error at `load`, when the file holds something else, or can't be read.
 */
export function fileCursor(path: string): CursorStore {
  // Loaded when it is used: a browser has no files.
  const opened = async () => (await import("./cursor-file.ts")).open(path);
  let file: Promise<CursorStore> | undefined;
  const store = () => (file ??= opened());
  return {
    load: async () => (await store()).load(),
    save: async (cursor) => (await store()).save(cursor),
  };
}
