/** How far a reader has come, where a browser keeps it. */

import type { CursorStore } from "../stay/cursor.ts";
import { parseCursor } from "../stay/kept-cursor.ts";
import type { KeyValueStorage } from "../stay/storage.ts";

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
