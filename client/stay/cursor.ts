/** How far a reader has come in a room, and where that outlives the reader. */

import type { Seq } from "../../party/protocol.ts";
import { randomId } from "./random-id.ts";
import type { KeyValueStorage } from "./storage.ts";

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

/** What a cursor may hold: a store gives back what somebody may have edited. */
function isCursor(value: unknown): value is Cursor {
  const { after, epoch, at } = (value ?? {}) as Partial<Record<keyof Cursor, unknown>>;
  const isSeq = typeof after === "number" && Number.isSafeInteger(after) && after >= 0;
  return isSeq && typeof epoch === "string" && (at === undefined || typeof at === "string");
}

function parseCursor(text: string, where: string): Cursor {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (isCursor(value)) return value;
  throw new Error(`${where} does not hold a cursor. Remove it to begin at the room's newest message.`);
}

/** What a cursor needs of Node's file system. */
interface FileSystem {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

/** Asked for when it is needed, by a name that a bundler for browsers does not follow. */
const FILE_SYSTEM = "node:fs/promises";
const fileSystem = (): Promise<FileSystem> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ FILE_SYSTEM);

/**
 * Keeps a cursor in a file, for Node, Deno and Bun. A crash while it is written leaves the cursor before.
 *
 * @throws Error at `load`, when the file holds something else, or can't be read.
 */
export function fileCursor(path: string): CursorStore {
  // Of its own: another program that keeps its cursor in the same file would move this one's away.
  const unfinished = `${path}.${randomId(8)}.new`;
  return {
    async load() {
      const { readFile } = await fileSystem();
      try {
        return parseCursor(await readFile(path, "utf8"), path);
      } catch (error) {
        if ((error as { code?: unknown }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(cursor) {
      const { rename, writeFile } = await fileSystem();
      await writeFile(unfinished, JSON.stringify(cursor));
      await rename(unfinished, path);
    },
  };
}

/** Keeps a cursor in a browser's storage or in memory, under `name`. */
export function storageCursor(storage: KeyValueStorage, name: string): CursorStore {
  return {
    async load() {
      const text = storage.get(name);
      return text === undefined ? undefined : parseCursor(text, name);
    },
    async save(cursor) {
      storage.set(name, JSON.stringify(cursor));
    },
  };
}
