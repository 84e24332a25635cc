/** A room of more messages than an earlier version kept in it: all of them are still everybody's, whatever D1 does. */

import { expect, it } from "vitest";
import { archive, archived, expectStatus, longRoom, Visitor, without } from "./visitor.ts";

const COUNT = 12_500;

interface Told {
  readonly messages: { readonly seq: number; readonly content: string }[];
  readonly more: boolean;
}

it("is read whole from the room while D1 is away, from both ends", async () => {
  const { room } = await longRoom(COUNT);
  const forward: number[] = [];
  const back: number[] = [];
  await without("packs", () =>
    without("rooms", async () => {
      let reader = new Visitor();
      for (let asked = 0, more = true; more; asked++) {
        // One address may not look up so much.
        if (asked % 50 === 0) reader = new Visitor();
        const page = await reader.json<Told>(`/api/rooms/${room}/messages?after=${forward.length}&limit=200`);
        forward.push(...page.messages.map(({ seq }) => seq));
        more = page.more;
      }
      const page = await reader.json<Told>(`/api/rooms/${room}/messages?before=201&limit=200`);
      back.push(...page.messages.map(({ seq }) => seq));
      expect(page.more).toBe(false);
    }),
  );
  expect(forward).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1));
  expect(back).toEqual(forward.slice(0, 200));
});

it("its oldest messages are deleted once for every reader and store, and answered", async () => {
  const { owner, room } = await longRoom(COUNT, "secret words");
  const line = await owner.enter(room);
  const contents = async (query: string) => {
    const { messages } = await new Visitor().json<Told>(`/api/rooms/${room}/messages${query}`);
    return messages.map(({ seq, content }) => [seq, content]);
  };
  expect(await contents("?after=5&limit=2")).toEqual([6, 7].map((seq) => [seq, "secret words"]));

  line.send({ type: "delete", seq: 7 });
  expect(await line.messages(1)).toMatchObject([{ kind: "deletion", target: 7, seq: COUNT + 1 }]);
  await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/7`, { method: "DELETE" }), 204);
  const told = [6, 7, 8].map((seq) => [seq, seq === 7 ? "" : "secret words"]);
  expect(await contents("?after=5&limit=3")).toEqual(told);
  expect(await contents("?before=9&limit=3")).toEqual(told);
  await archive(room);
  expect((await archived(room))[6]).toMatchObject({ seq: 7, content: "" });

  line.send({ type: "delete", seq: 7 });
  expect(await line.next("ack")).toMatchObject({ id: "delete:7", seq: COUNT + 1 });
  line.say("answer", "about the oldest", 1);
  expect(await line.messages(1)).toMatchObject([{ seq: COUNT + 2, replyTo: 1 }]);
});
