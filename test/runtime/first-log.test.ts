/** Rooms that the first version of the server has stored, in the real storage: what a deferred deploy hands to new code. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { RECENT } from "../../party/log/recent-ids.ts";
import { FIRST_EPOCH, FIRST_NOON, type FirstLog, firstDump, writeFirstLog } from "../fixtures/first-log.ts";
import { archive, archived, evict, ownerWithRoom, stubOf, Visitor, without } from "./visitor.ts";

const HEAD = 5_000;

/** A room that knows which one it is, with such a log. */
async function roomWith(log: FirstLog) {
  const { owner, room } = await ownerWithRoom();
  // So that the object knows it; what it has begun gives way to the old log.
  await owner.json(`/api/rooms/${room}`);
  await runInDurableObject(stubOf(room), (_, { storage }) => {
    storage.transactionSync(() => {
      const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'";
      for (const { name } of storage.sql.exec<{ name: string }>(query).toArray())
        storage.sql.exec(`DROP TABLE ${name}`);
      writeFirstLog(storage.sql, log);
    });
  });
  await evict(stubOf(room));
  return { owner, room };
}

/** Nothing is in D1 yet, and one message is deleted. */
const UNCOPIED: FirstLog = {
  head: HEAD,
  oldest: 1,
  archived: 0,
  parked: [],
  deletions: { 4000: 3_999 },
  dump: firstDump(301, HEAD - RECENT + 1, RECENT),
};

it("a room goes on where it was, tells retries from news, and D1's copy catches up", async () => {
  const { owner, room } = await roomWith(UNCOPIED);
  const welcome = await (await new Visitor().connect(room, { query: `?after=4998&epoch=${FIRST_EPOCH}` })).welcome();
  expect(welcome).toMatchObject({ epoch: FIRST_EPOCH, head: HEAD, messages: [{ id: "m4999" }, { id: "m5000" }] });
  expect(welcome).not.toHaveProperty("reset");

  const line = await owner.enter(room);
  line.say("new");
  expect(await line.messages(1)).toMatchObject([{ seq: HEAD + 1, id: "new" }]);
  line.say("new");
  expect(await line.next("ack")).toMatchObject({ id: "new", seq: HEAD + 1 });

  // The start has asked for the alarm: the old one may have been lost.
  await archive(room);
  const copied = await archived(room);
  expect([copied.length, copied[3_998]]).toMatchObject([HEAD + 1, { seq: 3_999, id: "m3999", content: "" }]);
  const row = await env.DB.prepare("SELECT last_seq, epoch FROM rooms WHERE id = ?").bind(room).first();
  expect(row).toEqual({ last_seq: HEAD + 1, epoch: FIRST_EPOCH });
});

it("a room that had let its oldest messages go has them back from D1's rows, once, and D1 has packs in their place", async () => {
  const oldest = 2_001;
  const { owner, room } = await roomWith({ ...UNCOPIED, oldest, archived: HEAD, deletions: { 4000: 17 } });
  const insert = `INSERT INTO messages (room_id, seq, id, kind, sender, content, created_at)
    SELECT ?1, value, 'm' || value, 'text', 'swift-otter', 'line ' || value, ?2 FROM json_each(?3)`;
  const seqs = Array.from({ length: HEAD }, (_, index) => index + 1);
  await env.DB.prepare(insert).bind(room, new Date(FIRST_NOON).toISOString(), JSON.stringify(seqs)).run();
  await env.DB.prepare("UPDATE rooms SET last_seq = ? WHERE id = ?").bind(HEAD, room).run();
  const rowsLeft = async () => {
    await archive(room);
    const query = env.DB.prepare("SELECT COUNT(*) AS n FROM messages WHERE room_id = ?").bind(room);
    return query.first<number>("n");
  };
  await owner.json(`/api/rooms/${room}`);
  await expect.poll(rowsLeft).toBe(0);
  expect((await archived(room)).map(({ seq }) => seq)).toEqual(seqs);
  // Once: a later one that D1 alone has is not looked for.
  await env.DB.prepare("DELETE FROM packs WHERE room_id = ?").bind(room).run();
  await evict(stubOf(room));
  await archive(room);
  await without("packs", async () => {
    for (const after of [0, 1_950]) {
      const path = `/api/rooms/${room}/messages?after=${after}&limit=100`;
      const { messages } = await new Visitor().json<{ messages: { seq: number; content: string }[] }>(path);
      expect(messages.map(({ seq }) => seq)).toEqual(seqs.slice(after, after + 100));
      if (after === 0) expect([messages[15]?.content, messages[16]?.content]).toEqual(["line 16", ""]);
    }
  });
});
