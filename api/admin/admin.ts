/** What only the deployment's operator may see and do, beside what an owner may in any room. */

import { Hono } from "hono";
import { KeyTable } from "../../party/identity/key-table.ts";
import { personName } from "../../party/identity/principal.ts";
import { operator } from "../../party/identity/sender.ts";
import { fault } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";
import { changeRoom, ownRoom } from "../own-room.ts";
import { bodyOf, queryOf, requireOperator } from "../request.ts";
import { AuditQuery, NewNotice, RoomHold } from "../schemas/admin.ts";
import { deedsBefore } from "./audit-log.ts";
import { detailDeed } from "./audited.ts";
import { readMetrics } from "./metrics.ts";
import { writeNotice } from "./notice.ts";
import { OPEN_METRICS } from "./open-metrics.ts";
import { readOverview, roomsChanged } from "./overview.ts";

export const admin = new Hono<{ Bindings: Env }>();

admin.use(async function operatorOnly(c, next) {
  requireOperator(c);
  await next();
});

admin.get("/overview", async (c) => c.json(await readOverview(c.env)));

admin.get("/metrics", async (c) => c.body(await readMetrics(c.env), 200, { "content-type": OPEN_METRICS }));

admin.get("/audit", async (c) => {
  const { limit, cursor } = queryOf(c, AuditQuery);
  const found = await deedsBefore(c.env.DB, cursor, limit + 1);
  const entries = found.slice(0, limit);
  return c.json({ entries, next: found.length > limit ? (entries.at(-1)?.id ?? null) : null });
});

admin.patch("/rooms/:id", async (c) => {
  const { closed, hidden } = await bodyOf(c, RoomHold);
  const room = await ownRoom(c);
  const settings = { ...(closed !== undefined && { closed }), ...(hidden !== undefined && { hidden }) };
  const fields = Object.entries(settings);
  detailDeed(c, fields.map(([name, value]) => `${name}: ${value}`).join(", "));
  const change = () => ({ ...(hidden && { listed: false }), settings });
  const deed = { by: operator.sender, deed: "settings", detail: { settings: Object.keys(settings) } } as const;
  const changed = await changeRoom(c, room, change, deed);
  roomsChanged();
  const { id, listed } = changed;
  return c.json({ id, listed, closed: changed.settings.closed, hidden: changed.settings.hidden });
});

const NO_SUCH_KEY = fault("not_found", "Nobody of this handle has a valid key.");

admin.delete("/keys/:handle", async (c) => {
  const table = new KeyTable(c.env.DB);
  const id = await table.findHandle(c.req.param("handle"));
  const keys = id === undefined ? undefined : await table.keysOf(id);
  if (id === undefined || !keys) throw new Refused(NO_SUCH_KEY);
  const refusal = await c.env.PERSON.getByName(personName(id)).revoke(keys.current);
  // Its holder has put another in its place just now.
  if (refusal?.fault === "unauthorized")
    throw new Refused(fault("unavailable", "The key has just changed; try again.", 1));
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

admin.put("/notice", async (c) => {
  const { text } = await bodyOf(c, NewNotice);
  return c.json(await writeNotice(c.env.DB, text, Date.now()));
});

admin.delete("/notice", async (c) => {
  await writeNotice(c.env.DB, undefined, Date.now());
  return c.body(null, 204);
});
