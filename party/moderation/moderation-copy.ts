/**
 * Brings D1's copy of the moderation up to what the room has, and tries again for as long as it takes; and begins with that
 * copy in a room that has lost its own storage.
 */

import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { archivedModeration, copyModeration, type ModerationChange } from "./d1-moderation.ts";
import type { ModerationKind, ModerationTables } from "./moderation-tables.ts";

/** Rows of one copy. A held message is long. */
const AT_ONCE = 50;
/** How soon a copy that has failed is tried again, ms. */
const AGAIN_AFTER = 30_000;

/** Which columns a row has in D1, by its table. */
const TABLES = {
  deed: { name: "deeds", key: "n", columns: ["at", "who", "deed", "target", "detail"] },
  held: {
    name: "held",
    key: "id",
    columns: ["sender", "message", "content", "ref", "at", "tag", "why", "state", "seq", "kind"],
  },
} as const satisfies Record<ModerationKind, { name: string; key: string; columns: readonly string[] }>;

export interface ModerationCopyDeps {
  readonly room: { readonly id: string; readonly createdAt: string };
  readonly tables: ModerationTables;
  readonly db: Database;
  /** Asks for `run` in `delay` ms or earlier, over sleep and restart. */
  wakeIn(delay: number): void;
}

export class ModerationCopy {
  readonly #deps: ModerationCopyDeps;
  #isRunning = false;
  #isClosed = false;

  constructor(deps: ModerationCopyDeps) {
    this.#deps = deps;
  }

  /** Copies what D1 does not have. Never rejects. What changes while a copy is under way goes along with the next. */
  async run(): Promise<void> {
    if (this.#isRunning || this.#isClosed || !this.#deps.tables.isThere) return;
    this.#isRunning = true;
    const { room, db, wakeIn } = this.#deps;
    try {
      while (!this.#isClosed) {
        const mayHaveReturned = this.#mayHaveReturned;
        const changes = mayHaveReturned ? [] : this.#changes();
        if (!mayHaveReturned && changes.length === 0) return;
        // Before D1 is asked: a crash in between must not leave it for ever.
        wakeIn(AGAIN_AFTER);
        if (mayHaveReturned) {
          const archived = await archivedModeration(db, room.id);
          if (!this.#isClosed) this.#lookedThrough(archived);
          continue;
        }
        await copyModeration(db, room, changes);
        if (!this.#isClosed) this.#forget(changes);
      }
    } catch (error) {
      logEvent("moderation.not_copied", { room: room.id, error });
    } finally {
      this.#isRunning = false;
    }
  }

  /** Notes that D1 may have lost all of it, and may have again what is gone from here. */
  copyAgain(): void {
    const { tables } = this.#deps;
    if (!tables.isThere) return;
    const note = "INSERT OR IGNORE INTO moderation_changes (kind, id)";
    tables.change(() => {
      for (const [kind, { name, key }] of Object.entries(TABLES)) {
        tables.sql.exec(`${note} SELECT ?, ${key} FROM ${name}`, kind);
      }
      tables.sql.exec(`${note} VALUES ('returned', '')`);
    });
  }

  /** The room is gone, and its tables another room's. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether D1 may have rows again that are gone from here, until `#lookedThrough` has been told which it has. */
  get #mayHaveReturned(): boolean {
    const query = "SELECT 1 FROM moderation_changes WHERE kind = 'returned'";
    return this.#deps.tables.sql.exec(query).toArray().length > 0;
  }

  /** Notes all that D1 has: of what is gone from here it is told so. */
  #lookedThrough(archived: readonly ModerationChange[]): void {
    const { tables } = this.#deps;
    tables.change(() => {
      for (const { kind, id } of archived) tables.note(kind, [id]);
      tables.sql.exec("DELETE FROM moderation_changes WHERE kind = 'returned'");
    });
  }

  #changes(): ModerationChange[] {
    const query = "SELECT kind, id FROM moderation_changes LIMIT ?";
    const noted = this.#deps.tables.sql.exec<{ kind: ModerationKind; id: string }>(query, AT_ONCE).toArray();
    return noted.map(({ kind, id }) => ({ kind, id, body: this.#row(kind, id) }));
  }

  #row(kind: ModerationKind, id: string): ModerationChange["body"] {
    const { name, key, columns } = TABLES[kind];
    const query = `SELECT ${columns} FROM ${name} WHERE ${key} = ?`;
    const [row] = this.#deps.tables.sql.exec<Record<string, string | number | null>>(query, id).toArray();
    return row ? { v: 2, ...row } : null;
  }

  /** Forgets that these had to be told, but for those that have changed since. */
  #forget(changes: readonly ModerationChange[]): void {
    const { tables } = this.#deps;
    tables.change(() => {
      for (const { kind, id, body } of changes) {
        if (JSON.stringify(this.#row(kind, id)) !== JSON.stringify(body)) continue;
        tables.sql.exec("DELETE FROM moderation_changes WHERE kind = ? AND id = ?", kind, id);
      }
    });
  }
}

/** Begins with what D1 has. */
export function beginModeration(tables: ModerationTables, rows: readonly ModerationChange[]): void {
  if (rows.length === 0) return;
  tables.change(() => {
    for (const { kind, id, body } of rows) {
      if (body === null) continue;
      const { name, key, columns } = TABLES[kind];
      const places = ["?", ...columns.map(() => "?")];
      const insert = `INSERT OR REPLACE INTO ${name} (${[key, ...columns]}) VALUES (${places})`;
      // The first form of a held message did not say that it is a text.
      const row: Readonly<Record<string, string | number | null>> = { ...(body.v === 1 && { kind: "text" }), ...body };
      tables.sql.exec(insert, id, ...columns.map((column) => row[column] ?? null));
    }
  });
}
