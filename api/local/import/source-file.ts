/**
 * The previous server's SQLite file, read row by row, as far as it can be read. A broken page costs the rows on it: what
 * comes after it is looked for, and read on.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Failure } from "../failure.ts";
import type { Encoding, SourceValue } from "./source-value.ts";

/** The tables of the previous server, and their columns. */
export const SOURCE_TABLES = {
  api_keys: ["id", "key_hash", "handle", "created_at", "last_used"],
  rooms: ["id", "name", "created_at"],
  messages: ["id", "room_id", "sender", "content", "created_at"],
} as const;

export type SourceTable = keyof typeof SOURCE_TABLES;

export interface SourceRow<Column extends string = string> {
  readonly rowid: bigint;
  readonly values: Readonly<Record<Column, SourceValue>>;
  /**
   * Where reading goes on after this row: its rowid, or an earlier one when the row's own is garbled. Only a row with
   * `isPlaced` is a place to stop at.
   */
  readonly resume: bigint;
  readonly isPlaced: boolean;
}

/** Rows that can't be read: those with a rowid above `after` and below `next`; to the end where there is no `next`. */
export interface SourceGap {
  readonly after: bigint;
  readonly next: bigint | undefined;
}

/** How a finding tells of a gap. */
export function gapFinding(table: SourceTable, { after, next }: SourceGap) {
  const from = after === SMALLEST_ROWID ? "the beginning" : `row ${after + 1n}`;
  const to = next === undefined ? "the end" : `row ${next - 1n}`;
  return { kind: "unreadable-rows", table, is: `${from} to ${to}` } as const;
}

export const isGap = (item: SourceRow | SourceGap): item is SourceGap => "after" in item;

/** SQLite's codes for a broken page, and for a file that ends too early. */
const DAMAGE = new Set([10, 11, 26]);
const LARGEST_ROWID = 2n ** 63n - 1n;
const SMALLEST_ROWID = -(2n ** 63n);

export class SourceFile {
  readonly #db: DatabaseSync;
  readonly #name: string;
  readonly encoding: Encoding;

  /** Opens the copy `file`. `name` is what errors call it. Throws `Failure` when it is not the previous server's. */
  constructor(file: string, name: string) {
    this.#name = name;
    this.#db = new DatabaseSync(file, { defensive: false });
    try {
      // So a schema with a broken entry is read as far as it goes, and a file that ends too early up to there.
      this.#db.exec("PRAGMA writable_schema = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000");
      const [row] = this.#db.prepare("PRAGMA encoding").all();
      this.encoding = encodingOf(String(row?.encoding));
      this.#db.prepare("SELECT name FROM sqlite_master").all();
    } catch (error) {
      this.#db.close();
      throw new Failure(`${name} can't be opened (${(error as Error).message}).`);
    }
    this.#checkTables();
  }

  close(): void {
    this.#db.close();
  }

  /** Tables that the import does not know, and columns of those that it knows. */
  unknown(): { tables: string[]; columns: { table: SourceTable; column: string }[] } {
    const known = Object.keys(SOURCE_TABLES);
    const tables = this.#tables().filter((name) => !known.includes(name) && !name.startsWith("sqlite_"));
    const columns = (Object.keys(SOURCE_TABLES) as SourceTable[]).flatMap((table) => {
      const names: readonly string[] = SOURCE_TABLES[table];
      return this.#columns(table)
        .filter((column) => !names.includes(column))
        .map((column) => ({ table, column }));
    });
    return { tables, columns };
  }

  /** About how many rows `table` has: its largest rowid, for a progress bar. */
  size(table: SourceTable): number {
    try {
      const [row] = this.#db.prepare(`SELECT MAX(rowid) AS size FROM ${table} NOT INDEXED`).all();
      return Number(row?.size ?? 0);
    } catch {
      return 0;
    }
  }

  /**
   * The rows of `table` behind the rowid `after`, in the table's order, and the gaps between them. Of a text as many bytes
   * come as `longest` says of its column.
   */
  *read<Table extends SourceTable>(
    table: Table,
    after: bigint = SMALLEST_ROWID,
    longest: Readonly<Record<string, number>> = {},
  ): Generator<SourceRow<(typeof SOURCE_TABLES)[Table][number]> | SourceGap> {
    type Row = SourceRow<(typeof SOURCE_TABLES)[Table][number]>;
    const columns = SOURCE_TABLES[table]
      .map((column) => boundedColumn(column, longest[column] ?? LONGEST_VALUE))
      .join(", ");
    const query = `SELECT rowid AS "rowid", ${columns} FROM ${table} NOT INDEXED WHERE rowid >= ? ORDER BY rowid`;
    const probe: Probe = (from) => {
      const [row] = this.#prepare(`${query} LIMIT 1`).iterate(from);
      return row?.rowid as bigint | undefined;
    };
    let resume = after;
    while (resume < LARGEST_ROWID) {
      try {
        // Not "above the last row": that would be looked for on its page, which may be the broken one.
        // A new statement each time: one that has failed would tell of it once more.
        for (const { rowid, isPlaced, values } of placed(this.#prepare(query).iterate(resume + 1n), resume)) {
          if (isPlaced) resume = rowid;
          yield { rowid, isPlaced, resume, values } as Row;
        }
        return;
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
      const next = nextReadable(probe, resume);
      yield { after: resume, next };
      if (next === undefined) return;
      resume = next - 1n;
    }
  }

  #prepare(query: string): StatementSync {
    const statement = this.#db.prepare(query);
    statement.setReadBigInts(true);
    return statement;
  }

  #tables(): string[] {
    const rows = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return rows.map(({ name }) => String(name));
  }

  #columns(table: string): string[] {
    return this.#db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name));
  }

  #checkTables(): void {
    const tables = this.#tables();
    const missing = (Object.keys(SOURCE_TABLES) as SourceTable[]).flatMap((table) => {
      if (!tables.includes(table)) return [`the table ${table}`];
      const columns = this.#columns(table);
      return SOURCE_TABLES[table]
        .filter((name) => !columns.includes(name))
        .map((name) => `the column ${table}.${name}`);
    });
    if (missing.length > 0) {
      throw new Failure(`${this.#name} is not a file of the previous server: it lacks ${missing.join(", ")}.`);
    }
    for (const table of Object.keys(SOURCE_TABLES)) {
      try {
        this.#db.prepare(`SELECT rowid FROM ${table} LIMIT 0`);
      } catch {
        throw new Failure(`${this.#name} is not a file of the previous server: ${table} has no rowids.`);
      }
    }
  }
}

/** Bytes of a value that are read unless it is said otherwise: more than any of ours has. */
const LONGEST_VALUE = 4_096;

function boundedColumn(column: string, longest: number): string {
  return `CASE WHEN typeof(${column}) IN ('text', 'blob') THEN substr(CAST(${column} AS BLOB), 1, ${longest})
    ELSE ${column} END AS ${column}`;
}

/**
 * A garbled rowid stands out between its neighbours, since a table is in the order of its rowids. Reading must not go on
 * behind it: it may be the largest of all.
 */
function* placed(rows: Iterable<Record<string, unknown>>, after: bigint) {
  let last = after;
  let waiting: Record<string, unknown> | undefined;
  const judge = (row: Record<string, unknown>, next: bigint | undefined) => {
    const rowid = row.rowid as bigint;
    const isPlaced = rowid > last && (next === undefined || next > rowid || next <= last);
    if (isPlaced) last = rowid;
    return { rowid, isPlaced, values: row };
  };
  let damage: unknown;
  try {
    for (const row of rows) {
      if (waiting) yield judge(waiting, row.rowid as bigint);
      waiting = row;
    }
  } catch (error) {
    damage = error;
  }
  // Also before a broken page: this row was read.
  if (waiting) yield judge(waiting, undefined);
  if (damage) throw damage;
}

/** The rowid of the first row from this one on; `undefined` when there is none. Throws where a page is broken. */
type Probe = (from: bigint) => bigint | undefined;

/** Rowids behind a broken page that are tried one by one: a page has fewer, and what is behind it may be one row alone. */
const TRIED_EACH = 5_000n;

/**
 * The first rowid above `after` from which on something can be read again; `undefined` when nothing can. Far behind it is
 * looked for in longer and longer steps: rowids may be far apart, and a page that leads to others may be broken.
 */
function nextReadable(probe: Probe, after: bigint): bigint | undefined {
  let failed = after;
  for (let step = 1n; failed < LARGEST_ROWID; step = failed - after < TRIED_EACH ? 1n : step * 2n) {
    const from = failed + step > LARGEST_ROWID ? LARGEST_ROWID : failed + step;
    if (tryFrom(probe, from) !== "damaged") return firstBetween(probe, failed, from);
    failed = from;
  }
  return undefined;
}

/** The first row behind the rowid `failed`, which can't be read, where one from `found` on can. */
function firstBetween(probe: Probe, failed: bigint, found: bigint): bigint | undefined {
  while (found - failed > 1n) {
    const middle: bigint = (found + failed) / 2n;
    if (tryFrom(probe, middle) === "damaged") failed = middle;
    else found = middle;
  }
  const row = tryFrom(probe, found);
  return row === "damaged" ? undefined : row;
}

function tryFrom(probe: Probe, rowid: bigint): bigint | undefined | "damaged" {
  try {
    return probe(rowid);
  } catch (error) {
    if (isDamage(error)) return "damaged";
    throw error;
  }
}

const isDamage = (error: unknown): boolean => DAMAGE.has(Number((error as { errcode?: unknown }).errcode) & 0xff);

function encodingOf(name: string): Encoding {
  if (name === "UTF-16le") return "utf-16le";
  return name === "UTF-16be" ? "utf-16be" : "utf-8";
}
