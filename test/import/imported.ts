/** What must have come of an import: each sound message as it was, in its place; and nothing missing without a finding. */

import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FileDatabase } from "../../api/local/import/file-database.ts";
import { databaseFile } from "../../api/local/import/target.ts";
import { PACK_COLUMNS, type PackRow, unpack } from "../../party/archive/pack.ts";
import type { StoredMessage } from "../../party/log/stored-message.ts";
import { makePreviousFile, type PreviousFileOptions, type SoundMessage } from "./previous-file.ts";

/** The messages of a file that are sound, in a file of their own: they may be millions. */
export class SoundMessages {
  readonly #db: DatabaseSync;
  readonly file: string;

  private constructor(file: string) {
    rmSync(file, { force: true });
    this.file = file;
    this.#db = new DatabaseSync(file);
    this.#db.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF");
    this.#db.exec(
      "CREATE TABLE sound (rowid INTEGER PRIMARY KEY, room TEXT, id TEXT, sender TEXT, content TEXT, at INTEGER)",
    );
  }

  /** Makes a file of the previous server, and notes what of it is sound. */
  static of(file: string, options: PreviousFileOptions): SoundMessages {
    const sound = new SoundMessages(`${file}.sound`);
    const insert = sound.#db.prepare("INSERT INTO sound VALUES (?, ?, ?, ?, ?, ?)");
    sound.#db.exec("BEGIN");
    makePreviousFile(file, options, ({ rowid, room, id, sender, content, at }) =>
      insert.run(rowid, room, id, sender, content, at),
    );
    sound.#db.exec("COMMIT; CREATE INDEX by_time ON sound (room, at, rowid)");
    return sound;
  }

  rooms(): string[] {
    return this.#db
      .prepare("SELECT DISTINCT room FROM sound")
      .all()
      .map(({ room }) => String(room));
  }

  /** In the order that the room must have. */
  in(room: string): Iterable<SoundMessage> {
    const query = "SELECT * FROM sound WHERE room = ? ORDER BY at, rowid";
    return this.#db.prepare(query).iterate(room) as Iterable<unknown> as Iterable<SoundMessage>;
  }

  get count(): number {
    return Number(this.#db.prepare("SELECT COUNT(*) AS count FROM sound").get()?.count);
  }
}

/** The messages of a room in D1, in their order. */
export async function* importedIn(db: FileDatabase, room: string): AsyncGenerator<StoredMessage> {
  const query = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first > ? ORDER BY first LIMIT 1`;
  for (let last = 0; ; ) {
    const pack = await db.prepare(query).bind(room, last).first<PackRow>();
    if (!pack) return;
    yield* await unpack(pack);
    last = pack.first;
  }
}

/** From which row to which one nothing could be read, as a report's findings say. */
export interface Unreadable {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares what D1 has under `stateDir` with what was sound in the file. Gives what is wrong, at most some of it, and how
 * many sound messages are missing because they were on a broken page.
 */
export async function compare(stateDir: string, sound: SoundMessages, unreadable: readonly Unreadable[]) {
  const db = new FileDatabase(databaseFile(stateDir) as string, { readOnly: true });
  const wrong: string[] = [];
  let lost = 0;
  const isUnreadable = (row: number) => unreadable.some(({ from, to }) => row >= from && row <= to);
  for (const room of sound.rooms()) {
    const expected = sound.in(room)[Symbol.iterator]();
    const next = () => {
      let item = expected.next();
      while (!item.done && isUnreadable(item.value.rowid)) {
        lost++;
        item = expected.next();
      }
      return item.done ? undefined : item.value;
    };
    let awaited = next();
    let [seq, at] = [0, 0];
    for await (const message of importedIn(db, room)) {
      if (message.seq !== ++seq) wrong.push(`${room}: ${seq} is ${message.seq}`);
      if (message.at < at) wrong.push(`${room}: ${seq} goes back in time`);
      at = message.at;
      // A damaged one may stand between them.
      if (message.id !== awaited?.id) continue;
      const { id, sender, content } = awaited;
      if (message.sender !== sender || message.content !== content || message.at !== awaited.at) {
        wrong.push(`${room}: ${seq} should be ${JSON.stringify({ id, sender, at: awaited.at })}`);
      }
      awaited = next();
    }
    if (awaited) wrong.push(`${room}: ${awaited.id} (row ${awaited.rowid}) is not in its place, or missing`);
  }
  db.close();
  return { wrong: wrong.slice(0, 20), lost };
}

/** What of a report's findings could not be read of `messages`. */
export function unreadableRows(findings: readonly { kind: string; table?: string; is?: string }[]): Unreadable[] {
  return findings
    .filter(({ kind, table }) => kind === "unreadable-rows" && table === "messages")
    .map(({ is = "" }) => {
      const [from = 0, to = Number.POSITIVE_INFINITY] = [...is.matchAll(/-?\d+/g)].map(Number);
      return { from, to };
    });
}
