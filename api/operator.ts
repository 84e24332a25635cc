/** What only the deployment's operator may ask for: the whole directory, of which a backup is made. */

import { Hono } from "hono";
import { KeyTable } from "../party/identity/key-table.ts";
import { repeatable } from "../party/object-call.ts";
import { fault } from "../party/protocol.ts";
import type { LogEnd } from "../party/room-rpc.ts";
import { roomsAfter, secretsOf } from "./directory.ts";
import { Refused } from "./errors.ts";
import type { DirectoryRecord, RoomRow } from "./format/records.ts";
import { isOperator, queryOf } from "./request.ts";
import { DirectoryQuery } from "./schemas/operator.ts";

export const operator = new Hono<{ Bindings: Env }>();

/** Records of one page. Each room is asked where its log ends, which is a call to its object. */
const KEYS_AT_ONCE = 500;
const ROOMS_AT_ONCE = 50;

const NEEDS_OPERATOR = fault("unauthorized", "The operator's secret is needed: Authorization: Operator …");

/** A page of the directory: secrets, then keys, then rooms. */
interface DirectoryPage {
  readonly records: readonly DirectoryRecord[];
  /** Where it goes on; `null` on the last page. */
  readonly next: string | null;
}

operator.get("/directory", async (c) => {
  if (!isOperator(c)) throw new Refused(NEEDS_OPERATOR);
  const { cursor } = queryOf(c, DirectoryQuery);
  if (cursor === undefined) return c.json({ records: await secretsOf(c.env.DB), next: "key:" } satisfies DirectoryPage);
  return c.json(cursor.kind === "key" ? await keysAfter(c.env, cursor.after) : await roomPage(c.env, cursor.after));
});

async function keysAfter(env: Env, after: string): Promise<DirectoryPage> {
  const rows = await new KeyTable(env.DB).rowsAfter(after, KEYS_AT_ONCE);
  const last = rows.length < KEYS_AT_ONCE ? undefined : rows.at(-1);
  return { records: rows.map((row) => ({ type: "key", ...row })), next: last ? `key:${last.id}` : "room:" };
}

async function roomPage(env: Env, after: string): Promise<DirectoryPage> {
  const rows = await roomsAfter(env.DB, after, ROOMS_AT_ONCE);
  const last = rows.length < ROOMS_AT_ONCE ? undefined : rows.at(-1);
  const records = await Promise.all(rows.map((row) => withLogEnd(env, row)));
  return { records, next: last ? `room:${last.id}` : null };
}

/** What the room itself knows better than its row, which is as far as the archive is. */
async function withLogEnd(env: Env, row: RoomRow): Promise<RoomRow> {
  const room = env.CHAT_ROOM.getByName(row.id);
  const end = (await repeatable(async () => await room.logEnd())) as LogEnd | undefined;
  if (end?.createdAt !== row.createdAt) return row;
  return { ...row, epoch: end.epoch, lastSeq: end.head, first: Math.max(end.first, row.first ?? 1) };
}
