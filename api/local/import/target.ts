/** Where an import goes: a D1 database, and what rooms have of themselves beside it. */

import { createHash, createHmac } from "node:crypto";
import { existsSync, globSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../../party/log/sql.ts";
import { hasMessages, withFile } from "../restore/empty-state.ts";
import { FileDatabase } from "./file-database.ts";
import type { KnownKey } from "./stage-keys.ts";

/** What a room's object has stored: nothing, a log without messages, or messages, which D1 may not have yet. */
export type ObjectState = "none" | "empty" | "talked";

export interface Target {
  readonly db: Database;
  /** `undefined` where it can't be found out. */
  objectOf(room: string): ObjectState | undefined;
  /** Removes what an object without messages has stored, so that it begins behind D1. */
  removeObject(room: string): void;
}

/** The folder of state of this machine. The server that keeps it must be stopped, but to read. */
export class LocalTarget implements Target {
  readonly #stateDir: string;
  readonly db: FileDatabase;

  /** `file` is the folder's D1 database. */
  constructor(stateDir: string, file: string, options: { readOnly?: boolean } = {}) {
    this.#stateDir = stateDir;
    this.db = new FileDatabase(file, options);
  }

  objectOf(room: string): ObjectState {
    const file = this.#fileOf(room);
    if (!existsSync(file)) return "none";
    return withFile(file, hasMessages) ? "talked" : "empty";
  }

  removeObject(room: string): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#fileOf(room) + suffix, { force: true });
  }

  #fileOf(room: string): string {
    return join(this.#stateDir, "do", ROOM_OBJECTS, `${objectId(ROOM_OBJECTS, room)}.sqlite`);
  }
}

/** The file of the D1 database under `stateDir`; `undefined` before the first start. */
export function databaseFile(stateDir: string): string | undefined {
  const files = globSync("d1/*/*.sqlite", { cwd: stateDir }).map((file) => join(stateDir, file));
  return files.find((file) => withFile(file, (db) => db.prepare(HAS_KEYS).get() !== undefined));
}

const HAS_KEYS = "SELECT 1 FROM sqlite_master WHERE name = 'api_keys'";

/** The folder of the rooms' objects: the Worker's name and the class's. */
const ROOM_OBJECTS = "meet-ai-ChatRoom";

/** The id that the runtime makes of an object's name, which is what its file is called. */
function objectId(namespace: string, name: string): string {
  const key = createHash("sha256").update(namespace).digest();
  const mac = (data: string | Buffer) => createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const first = mac(name);
  return Buffer.concat([first, mac(first)]).toString("hex");
}

/** Keys read at once. */
const KEYS_AT_ONCE = 1_000;

/** All keys that `db` has. */
export async function knownKeys(db: Database): Promise<KnownKey[]> {
  const known: KnownKey[] = [];
  for (let last = ""; ; last = known.at(-1)?.id ?? "") {
    const query = "SELECT id, key_hash AS hash, handle FROM api_keys WHERE id > ? ORDER BY id LIMIT ?";
    const { results } = (await db.prepare(query).bind(last, KEYS_AT_ONCE).all()) as { results: KnownKey[] };
    known.push(...results);
    if (results.length < KEYS_AT_ONCE) return known;
  }
}
