/** Rooms that the first version of the server has stored, in the real storage: what a deferred deploy hands to new code. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { RECENT } from "../../party/log/recent-ids.ts";
import { FIRST_EPOCH, firstDump, writeFirstLog } from "../fixtures/first-log.ts";
import { archive, archived, evict, ownerWithRoom, segmentsOf, stubOf, Visitor } from "./visitor.ts";

it("a room goes on where it was, tells retries from news, and its archive catches up", async () => {
  const { owner, room } = await ownerWithRoom();
  const head = 5_000;
  // So that the object knows which room it is; what it has begun gives way to the old log.
  await owner.json(`/api/rooms/${room}`);
  await runInDurableObject(stubOf(room), (_, { storage }) => {
    storage.transactionSync(() => {
      for (const table of ["log", "checkpoint", "parked_messages", "erasures", ...segmentsOf(storage)]) {
        storage.sql.exec(`DROP TABLE ${table}`);
      }
      writeFirstLog(storage.sql, {
        head,
        oldest: 1,
        archived: 0,
        parked: [],
        deletions: { 4000: 3_999 },
        dump: firstDump(301, head - RECENT + 1, RECENT),
      });
    });
  });
  await evict(stubOf(room));
  const welcome = await (await new Visitor().connect(room, { query: `?after=4998&epoch=${FIRST_EPOCH}` })).welcome();
  expect(welcome).toMatchObject({ epoch: FIRST_EPOCH, head, messages: [{ id: "m4999" }, { id: "m5000" }] });
  expect(welcome).not.toHaveProperty("reset");

  const line = await owner.enter(room);
  line.say("new");
  expect(await line.messages(1)).toMatchObject([{ seq: head + 1, id: "new" }]);
  line.say("new");
  expect(await line.next("ack")).toMatchObject({ id: "new", seq: head + 1 });

  // The start has asked for the alarm: the old one may have been lost.
  await archive(room);
  const copied = await archived(room);
  expect([copied.length, copied[3_998]]).toMatchObject([head + 1, { seq: 3_999, id: "m3999", content: "" }]);
  expect(await runInDurableObject(stubOf(room), (_, { storage }) => segmentsOf(storage))).toEqual([
    "messages_1",
    `messages_${head + 1}`,
  ]);
  const row = await env.DB.prepare("SELECT last_seq, epoch FROM rooms WHERE id = ?").bind(room).first();
  expect(row).toEqual({ last_seq: head + 1, epoch: FIRST_EPOCH });
});
