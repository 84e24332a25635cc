/** What only the deployment's operator may ask for: the whole directory, of which a backup is made, and how full D1 is. */

import { Hono } from "hono";
import type * as z from "zod/mini";
import { configurationOf } from "../party/configuration.ts";
import { KeyTable } from "../party/identity/key-table.ts";
import { repeatable } from "../party/object-call.ts";
import type { LogEnd } from "../party/room-rpc.ts";
import { SiteTable } from "../party/sites/site-table.ts";
import { FREE_PLAN } from "../party/usage/daily-limits.ts";
import { shareOf } from "../party/usage/fullness.ts";
import { gauge } from "../party/usage/metered-database.ts";
import { usageByDay } from "../party/usage/usage-table.ts";
import { deedsAfter } from "./admin/audit-log.ts";
import { readNotice } from "./admin/notice.ts";
import { roomsAfter, secretsOf } from "./directory.ts";
import { statesAfter } from "./directory-states.ts";
import { erasureOrdersAfter } from "./erasure-orders.ts";
import type { DirectoryRecord, RoomRow } from "./format/records.ts";
import type * as answers from "./openapi/answers/usage.ts";
import { queryOf, requireOperator } from "./request.ts";
import { type DirectoryCursor, DirectoryQuery } from "./schemas/operator.ts";

export const operator = new Hono<{ Bindings: Env }>();

/** Records of one page. Each room is asked where its log ends, which is a call to its object. */
const KEYS_AT_ONCE = 500;
const SITES_AT_ONCE = 500;
const ROOMS_AT_ONCE = 50;
const STATES_AT_ONCE = 200;
const ORDERS_AT_ONCE = 500;
const DEEDS_AT_ONCE = 500;

/** Days of which the usage is told. */
const DAYS_SHOWN = 7;

/**
 * A page of the directory: secrets, then keys, then sites, then rooms, then what these know of their members, invites and
 * moderation, then whom the operator has erased, and what they have done and say.
 */
interface DirectoryPage {
  readonly records: readonly DirectoryRecord[];
  /** Where it goes on; `null` on the last page. */
  readonly next: string | null;
}

operator.get("/directory", async (c) => {
  requireOperator(c);
  const { cursor } = queryOf(c, DirectoryQuery);
  if (cursor === undefined) return c.json({ records: await secretsOf(c.env.DB), next: "key:" } satisfies DirectoryPage);
  return c.json(await PAGES[cursor.kind](c.env, cursor.after));
});

const PAGES: Readonly<Record<DirectoryCursor["kind"], (env: Env, after: string) => Promise<DirectoryPage>>> = {
  key: keysAfter,
  site: sitesAfter,
  room: roomPage,
  state: statePage,
  erasure: erasurePage,
  operator: operatorPage,
};

operator.get("/usage", async (c) => {
  requireOperator(c);
  const estimatedByDay = await usageByDay(c.env.DB, DAYS_SHOWN);
  // D1's own word, by the answer that has just come.
  const { bytes } = gauge;
  const { databaseBytes: limit, dailyLimits } = configurationOf(c.env);
  const database = { bytes, limit: limit ?? null, share: shareOf({ bytes, limit }) ?? null };
  return c.json({ database, estimatedByDay, dailyLimits: dailyLimits ? FREE_PLAN : null } satisfies z.output<
    typeof answers.DeploymentUsage
  >);
});

async function keysAfter(env: Env, after: string): Promise<DirectoryPage> {
  const rows = await new KeyTable(env.DB).rowsAfter(after, KEYS_AT_ONCE);
  const last = rows.length < KEYS_AT_ONCE ? undefined : rows.at(-1);
  return { records: rows.map((row) => ({ type: "key", ...row })), next: last ? `key:${last.id}` : "site:" };
}

async function sitesAfter(env: Env, after: string): Promise<DirectoryPage> {
  const rows = await new SiteTable(env.DB).rowsAfter(after, SITES_AT_ONCE);
  const last = rows.length < SITES_AT_ONCE ? undefined : rows.at(-1);
  return { records: rows.map((row) => ({ type: "site", ...row })), next: last ? `site:${last.name}` : "room:" };
}

async function roomPage(env: Env, after: string): Promise<DirectoryPage> {
  const rows = await roomsAfter(env.DB, after, ROOMS_AT_ONCE);
  const last = rows.length < ROOMS_AT_ONCE ? undefined : rows.at(-1);
  const records = await Promise.all(rows.map((row) => withLogEnd(env, row)));
  return { records, next: last ? `room:${last.id}` : "state:" };
}

async function statePage({ DB }: Env, after: string): Promise<DirectoryPage> {
  const [room = "", part = ""] = after.split("/");
  const records = await statesAfter(DB, { room, part }, STATES_AT_ONCE);
  // A page is bounded by its length, too.
  const last = records.at(-1);
  return { records, next: last ? `state:${last.room}/${last.part}` : "erasure:" };
}

async function erasurePage({ DB }: Env, after: string): Promise<DirectoryPage> {
  const records = await erasureOrdersAfter(DB, after, ORDERS_AT_ONCE);
  const last = records.length < ORDERS_AT_ONCE ? undefined : records.at(-1);
  return { records, next: last ? `erasure:${last.senderHash}` : "operator:" };
}

/** What the operator has done, and on the last page what they say. */
async function operatorPage({ DB }: Env, after: string): Promise<DirectoryPage> {
  const records = await deedsAfter(DB, after, DEEDS_AT_ONCE);
  const last = records.length < DEEDS_AT_ONCE ? undefined : records.at(-1);
  if (last) return { records, next: `operator:${last.id}` };
  const notice = await readNotice(DB);
  return { records: [...records, ...(notice ? [{ type: "notice" as const, ...notice }] : [])], next: null };
}

/** What the room itself knows better than its row, which is as far as the archive is. */
async function withLogEnd(env: Env, row: RoomRow): Promise<RoomRow> {
  const room = env.CHAT_ROOM.getByName(row.id);
  const end = (await repeatable(async () => await room.logEnd())) as LogEnd | undefined;
  if (end?.createdAt !== row.createdAt) return row;
  return { ...row, epoch: end.epoch, lastSeq: end.head, first: Math.max(end.first, row.first ?? 1) };
}
