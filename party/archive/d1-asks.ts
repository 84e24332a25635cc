/**
 * What D1 has of rooms' asks: all SQL for the tables `open_asks` and `closed_asks`, but for what deletes a room as a whole.
 * A copy of the archive writes it in its own transaction, from the messages that it brings.
 */

import { type OpenAsk, readTerms, termsText } from "../asks/ask.ts";
import { type ClosedRow, closedRow, closingsOf, type KnownAsks } from "../asks/ask-table.ts";
import { type AskChanges, isLiveAsk, withClosing } from "../asks/room-asks.ts";
import { type Erasure, isTaken, takenNames } from "../log/erasure.ts";
import type { Database, Statement } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";
import { type ArchivedRoom, THE_ROOM } from "./d1-messages.ts";

/**
 * The room, where D1 has it up to the parameter 3 and not yet up to the parameter 4: a copy that has been on its way for
 * long must not open again what a later one has closed.
 */
const ON_ITS_WAY = `SELECT id FROM rooms WHERE ${THE_ROOM} AND last_seq >= ?3 AND last_seq < ?4`;

const OPEN = `INSERT INTO open_asks (room_id, seq, sender, until, terms)
  SELECT (${ON_ITS_WAY}), value ->> 'seq', value ->> 'sender', value ->> 'until', value ->> 'terms' FROM json_each(?5)
  WHERE EXISTS (${ON_ITS_WAY}) ON CONFLICT (room_id, seq) DO NOTHING`;

const CLOSE = `INSERT INTO closed_asks (room_id, seq, closed, option, sender)
  SELECT (${ON_ITS_WAY}), value ->> 'seq', value ->> 'closed', value ->> 'option', value ->> 'sender' FROM json_each(?5)
  WHERE EXISTS (${ON_ITS_WAY}) ON CONFLICT (room_id, seq) DO NOTHING`;

const END = `DELETE FROM open_asks WHERE room_id = (${ON_ITS_WAY}) AND seq IN (SELECT value FROM json_each(?5))`;

const END_ERASED = `DELETE FROM open_asks WHERE room_id = (${ON_ITS_WAY}) AND seq <= ?5 AND ${isTaken(6)}`;

const FORGET = `UPDATE closed_asks SET sender = '' WHERE room_id = (${ON_ITS_WAY}) AND closed <= ?5 AND ${isTaken(6)}`;

/** What a copy says of asks: what its messages do to them, and the erasures among these. */
interface Noted {
  readonly asks: AskChanges | undefined;
  readonly erasures: readonly Erasure[];
}

/** The statements that note it, in a copy that brings D1 from `from` to `to`. */
export function noteAsks(
  db: Database,
  room: ArchivedRoom,
  { asks, erasures }: Noted,
  { from, to }: { readonly from: Seq; readonly to: Seq },
): Statement[] {
  const bind = (query: string, ...values: unknown[]) =>
    db.prepare(query).bind(room.id, room.createdAt ?? null, from, to, ...values);
  const { opened = new Map<Seq, OpenAsk>(), closings = [], ended = new Set<Seq>() } = asks ?? {};
  const open = [...opened.values()].map(({ seq, sender, until, ...terms }) => {
    return { seq, sender, until, terms: termsText(terms) };
  });
  return [
    ...(open.length > 0 ? [bind(OPEN, JSON.stringify(open))] : []),
    ...(closings.length > 0 ? [bind(CLOSE, JSON.stringify(closings.map(closedRow)))] : []),
    ...(ended.size > 0 ? [bind(END, JSON.stringify([...ended]))] : []),
    ...erasures.flatMap(({ upTo, sender }) => [
      bind(END_ERASED, upTo, ...takenNames(sender)),
      bind(FORGET, upTo, ...takenNames(sender)),
    ]),
  ];
}

/** `messages` of the archive with what has closed those that are asks. Asks D1 only where there are any. */
export async function withArchivedClosings(
  db: Database,
  room: string,
  messages: readonly StoredMessage[],
): Promise<readonly StoredMessage[]> {
  const seqs = messages.filter(isLiveAsk).map(({ seq }) => seq);
  if (seqs.length === 0) return messages;
  const query = `SELECT seq, closed, option, sender FROM closed_asks
    WHERE room_id = ? AND seq IN (SELECT value FROM json_each(?))`;
  const { results } = await db.prepare(query).bind(room, JSON.stringify(seqs)).all<ClosedRow>();
  const closings = closingsOf(results);
  return messages.map((message) => withClosing(message, closings));
}

type OpenRow = { seq: number; sender: string; until: number; terms: string };

/** What a room that has lost its own storage begins with: all open asks, and what has closed those from `first` on. */
export async function archivedAsks(db: Database, room: string, first: Seq): Promise<KnownAsks> {
  const open = "SELECT seq, sender, until, terms FROM open_asks WHERE room_id = ? ORDER BY seq";
  const closed = "SELECT seq, closed, option, sender FROM closed_asks WHERE room_id = ? AND seq >= ?";
  const [opened, closings] = await db.batch<unknown>([
    db.prepare(open).bind(room),
    db.prepare(closed).bind(room, first),
  ]);
  return {
    open: ((opened?.results ?? []) as OpenRow[]).map(({ terms, ...row }) => ({ ...row, ...readTerms(terms) })),
    closed: [...closingsOf((closings?.results ?? []) as ClosedRow[])].map(([ask, by]) => ({ ask, by })),
  };
}

/** The statements that remove what is about asks below `first`, which are gone. */
export function removeGoneAsks(db: Database, room: ArchivedRoom, first: Seq): Statement[] {
  return ["open_asks", "closed_asks"].map((table) => {
    const query = `DELETE FROM ${table} WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND seq < ?3`;
    return db.prepare(query).bind(room.id, room.createdAt ?? null, first);
  });
}
