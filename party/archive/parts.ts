/**
 * What a room has beside its log, as D1 keeps it: one row a part, its body JSON. A part is written whole, so each is bounded:
 * ten thousand members, a thousand invites and deeds, some hundred held messages and open asks. One that is too long for a
 * row of D1's is several: `held`, `held.2`, `held.3`.
 */

import { type OpenAsk, readTerms, termsText } from "../asks/ask.ts";
import type { RoomLog } from "../log/room-log.ts";
import { makeRoster } from "../members/roster-tables.ts";
import { makeModeration } from "../moderation/moderation-tables.ts";
import type { Part } from "../storage/dirty.ts";
import type { RoomStorage } from "../storage/room-storage.ts";

/** A row of `room_state`. */
export type StoredPart = { readonly part: string; readonly body: string };

/** Parts that are tables of the room. */
type TablePart = "members" | "invites" | "deeds" | "held";

/** How a table becomes JSON, and JSON the table. */
const TABLES: Record<
  TablePart,
  { readonly made: "roster" | "moderation"; readonly read: string; readonly begin: string }
> = {
  members: {
    made: "roster",
    read: `SELECT json_group_array(json_object('sender', sender, 'role', role, 'since', since, 'invite', invite,
        'uses', json(uses), 'removed', json(iif(removed, 'true', 'false'))) ORDER BY sender) AS body FROM members`,
    begin: `INSERT OR REPLACE INTO members (sender, role, since, invite, uses, removed, change)
      SELECT value ->> 'sender', value ->> 'role', value ->> 'since', value ->> 'invite', value -> 'uses',
        value ->> 'removed', 0 FROM json_each(?)`,
  },
  invites: {
    made: "roster",
    read: `SELECT json_group_array(json_object('id', id, 'secretHash', secret_hash, 'role', role, 'uses', uses, 'used', used,
        'createdBy', created_by, 'createdAt', created_at, 'expiresAt', expires_at,
        'revoked', json(iif(revoked, 'true', 'false'))) ORDER BY id) AS body FROM invites`,
    begin: `INSERT OR REPLACE INTO invites (id, secret_hash, role, uses, used, created_by, created_at, expires_at, revoked,
        change)
      SELECT value ->> 'id', value ->> 'secretHash', value ->> 'role', value ->> 'uses', value ->> 'used',
        value ->> 'createdBy', value ->> 'createdAt', value ->> 'expiresAt', value ->> 'revoked', 0 FROM json_each(?)`,
  },
  deeds: {
    made: "moderation",
    read: `SELECT json_group_array(json_object('n', n, 'at', at, 'who', who, 'deed', deed, 'target', target,
        'detail', json(detail)) ORDER BY n) AS body FROM deeds`,
    begin: `INSERT OR REPLACE INTO deeds (n, at, who, deed, target, detail)
      SELECT value ->> 'n', value ->> 'at', value ->> 'who', value ->> 'deed', value ->> 'target', value -> 'detail'
      FROM json_each(?)`,
  },
  held: {
    made: "moderation",
    read: `SELECT json_group_array(json_object('id', id, 'sender', sender, 'message', message, 'kind', kind,
        'content', content, 'ref', ref, 'at', at, 'tag', tag, 'why', why, 'state', state, 'seq', seq) ORDER BY at, id) AS body
      FROM held`,
    begin: `INSERT OR REPLACE INTO held (id, sender, message, kind, content, ref, at, tag, why, state, seq)
      SELECT value ->> 'id', value ->> 'sender', value ->> 'message', COALESCE(value ->> 'kind', 'text'),
        value ->> 'content', value ->> 'ref', value ->> 'at', value ->> 'tag', value ->> 'why', value ->> 'state',
        value ->> 'seq' FROM json_each(?)`,
  },
};

const COUNT_ROSTER = `UPDATE roster SET members = (SELECT COUNT(*) FROM members WHERE role IS NOT NULL),
  invites = (SELECT COUNT(*) FROM invites WHERE revoked = 0)`;

const isTable = (part: string): part is TablePart => Object.hasOwn(TABLES, part);

/** Characters of one row: D1 takes 2 MB, and a character is at most three bytes. */
const ROW_LENGTH = 500_000;

/** A part as it is now, as rows of D1. */
export function partRows(storage: RoomStorage, log: RoomLog, part: Exclude<Part, "room">): StoredPart[] {
  const body = partBody(storage, log, part);
  if (body.length <= ROW_LENGTH) return [{ part, body }];
  const rows: string[][] = [];
  let length = ROW_LENGTH;
  for (const item of (JSON.parse(body) as unknown[]).map((item) => JSON.stringify(item))) {
    if (length + item.length > ROW_LENGTH) {
      rows.push([]);
      length = 0;
    }
    rows.at(-1)?.push(item);
    length += item.length;
  }
  return rows.map((items, index) => ({ part: index === 0 ? part : `${part}.${index + 1}`, body: `[${items}]` }));
}

/** The part that a row belongs to. */
const partOf = (row: string): string => row.split(".", 1)[0] as string;

/** A part as it is now, as JSON. */
export function partBody(storage: RoomStorage, log: RoomLog, part: Exclude<Part, "room">): string {
  if (part === "asks") {
    const asks = [...log.asks.opened.values()];
    return JSON.stringify(
      asks.map(({ seq, sender, until, ...terms }) => ({ seq, sender, until, terms: JSON.parse(termsText(terms)) })),
    );
  }
  if (part === "pairs") return JSON.stringify(hexOf(log.pairsUpTo(log.head)));
  const { made, read } = TABLES[part];
  if (!storage.has(made)) return "[]";
  return storage.sql.exec<{ body: string }>(read).toArray()[0]?.body ?? "[]";
}

/** Begins with what D1 has of the parts: the tables are written, and what the log begins with is given back. */
export function beginParts(
  storage: RoomStorage,
  parts: readonly StoredPart[],
): { asks: OpenAsk[]; pairs: ArrayBuffer | undefined } {
  const rowsOf = (name: string) => parts.filter(({ part }) => partOf(part) === name);
  const tables = parts.filter(({ part, body }) => body !== "[]" && isTable(partOf(part)));
  if (tables.length > 0) {
    storage.transaction(() => {
      for (const { part, body } of tables) {
        const { made, begin } = TABLES[partOf(part) as TablePart];
        if (made === "roster") makeRoster(storage);
        else makeModeration(storage);
        storage.sql.exec(begin, body);
        if (made === "roster") storage.sql.exec(COUNT_ROSTER);
      }
    });
  }
  type StoredAsk = Pick<OpenAsk, "seq" | "sender" | "until"> & { terms: object };
  const asks = rowsOf("asks").flatMap(({ body }) => JSON.parse(body) as StoredAsk[]);
  const [pairs] = rowsOf("pairs");
  return {
    asks: asks.map(({ terms, ...ask }) => ({ ...ask, ...readTerms(JSON.stringify(terms)) })),
    pairs: pairs && bytesOf(JSON.parse(pairs.body) as string),
  };
}

const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const bytesOf = (hex: string): ArrayBuffer =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16)).buffer;
