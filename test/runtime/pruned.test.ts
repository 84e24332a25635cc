/** A room that has let its oldest messages go, because D1 has them: what of them is still everybody's. */

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { KEPT_AT_MOST } from "../../party/log/journal.ts";
import { SEGMENT } from "../../party/log/segments.ts";
import { archive, archived, longRoom, segmentsOf, stubOf, Visitor } from "./visitor.ts";

it("a message that only D1 has is read, deleted once for every reader and store, and answered", async () => {
  const { owner, room } = await longRoom(KEPT_AT_MOST, "secret words");
  const line = await owner.enter(room);
  line.say("new");
  await line.messages(1);
  await archive(room);
  const segments = await runInDurableObject(stubOf(room), (_, { storage }) => segmentsOf(storage));
  expect(segments).toEqual([`messages_${SEGMENT + 1}`, `messages_${2 * SEGMENT + 1}`]);

  const page = (query: string) => {
    return new Visitor().json<{ messages: { seq: number; content: string }[] }>(`/api/rooms/${room}/messages${query}`);
  };
  const contents = async (query: string) => (await page(query)).messages.map(({ seq, content }) => [seq, content]);
  expect(await contents("?after=5&limit=2")).toEqual([6, 7].map((seq) => [seq, "secret words"]));

  line.send({ type: "delete", seq: 7 });
  expect(await line.messages(1)).toMatchObject([{ kind: "deletion", target: 7, seq: KEPT_AT_MOST + 2 }]);
  expect((await owner.fetch(`/api/rooms/${room}/messages/7`, { method: "DELETE" })).status).toBe(204);
  expect((await archived(room))[6]).toMatchObject({ seq: 7, content: "" });
  const told = [6, 7, 8].map((seq) => [seq, seq === 7 ? "" : "secret words"]);
  expect(await contents("?after=5&limit=3")).toEqual(told);
  expect(await contents("?before=9&limit=3")).toEqual(told);

  line.send({ type: "delete", seq: 7 });
  expect(await line.next("ack")).toMatchObject({ id: "delete:7", seq: KEPT_AT_MOST + 2 });
  expect((await page("?limit=1")).messages).toMatchObject([{ seq: KEPT_AT_MOST + 2 }]);
});
