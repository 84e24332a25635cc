/** Resuming (promise 4): `after` and `epoch` give precisely what was missed, or a visible new start. */

import { describe, expect, it } from "vitest";
import { LIMITS, type Message, READING } from "../../party/protocol.ts";
import { archive, type Line, longRoom, makeRoom, ownerWithRoom, stubOf, Visitor } from "./visitor.ts";

/** Everything that a line is given up to `head`: the welcome's messages and those that follow it. */
async function backlog(line: Line): Promise<{ messages: Message[]; reset: boolean; epoch: string; head: number }> {
  const { messages, head, epoch, reset = false } = await line.welcome();
  while ((messages.at(-1)?.seq ?? head) < head) messages.push(...(await line.messages(1)));
  return { messages, reset, epoch, head };
}

const seqs = (messages: Message[]): number[] => messages.map(({ seq }) => seq);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function smallRoom(count: number) {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  for (let index = 1; index <= count; index++) line.say(`m${index}`);
  await line.messages(count);
  const resume = async (query: string) => backlog(await new Visitor().connect(room, { query }));
  const { epoch } = await resume("");
  return { owner, room, line, epoch, resume };
}

describe("a cursor", () => {
  it("gives everything after it, for each one that there is", async () => {
    const { epoch, resume } = await smallRoom(4);
    for (let after = 0; after <= 4; after++) {
      const { messages, reset } = await resume(`?after=${after}&epoch=${epoch}`);
      expect([seqs(messages), reset]).toEqual([range(after + 1, 4), false]);
    }
  });

  it("is followed by what is live, with nothing twice or missing in between", async () => {
    const { room, line, epoch } = await smallRoom(2);
    const connecting = new Visitor().connect(room, { query: `?after=1&epoch=${epoch}` });
    for (const id of ["a", "b", "c"]) line.say(id);
    const resumed = await connecting;
    const { messages } = await backlog(resumed);
    while (messages.length < 4) messages.push(...(await resumed.messages(1)));
    expect(seqs(messages)).toEqual([2, 3, 4, 5]);
  });

  it("alone, without an epoch, is taken at its word", async () => {
    const { resume } = await smallRoom(3);
    expect(await resume("?after=1")).toMatchObject({ reset: false, messages: [{ seq: 2 }, { seq: 3 }] });
  });

  it("of another history, or ahead of this one, is a reset to the newest", async () => {
    const { epoch, resume } = await smallRoom(3);
    for (const query of ["?after=1&epoch=another", `?after=4&epoch=${epoch}`]) {
      const { messages, reset } = await resume(query);
      expect([seqs(messages), reset]).toEqual([[1, 2, 3], true]);
    }
  });

  it("of a room that was deleted and made again is a reset", async () => {
    const owner = await Visitor.withKey();
    const id = `again-${owner.handle}`;
    await owner.send("POST", "/api/rooms", { name: "First", id });
    for (const content of ["a", "b"]) await owner.send("POST", `/api/rooms/${id}/messages`, { content });
    const before = await (await new Visitor().connect(id)).welcome();
    await owner.fetch(`/api/rooms/${id}`, { method: "DELETE" });
    await owner.send("POST", "/api/rooms", { name: "Second", id });
    await owner.send("POST", `/api/rooms/${id}/messages`, { content: "c" });
    const after = await (await new Visitor().connect(id, { query: `?after=1&epoch=${before.epoch}` })).welcome();
    expect(after).toMatchObject({ reset: true, messages: [{ seq: 1, content: "c" }] });
    expect(after.epoch).not.toBe(before.epoch);
  });

  it("shows a message that was deleted since as deleted, and that it was", async () => {
    const { owner, room, epoch, resume } = await smallRoom(2);
    await owner.fetch(`/api/rooms/${room}/messages/2`, { method: "DELETE" });
    const { messages } = await resume(`?after=1&epoch=${epoch}`);
    expect(messages).toMatchObject([
      { seq: 2, deleted: true, content: "" },
      { seq: 3, kind: "deletion", target: 2 },
    ]);
  });
});

describe("a long gap", () => {
  it(`of ${READING.resume} is resumed, over as many frames as it takes, and one more is a reset`, async () => {
    const { room, owner } = await longRoom(READING.resume);
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    const all = await backlog(await new Visitor().connect(room, { query: `?after=0&epoch=${epoch}` }));
    expect([all.reset, all.messages.length]).toEqual([false, READING.resume]);
    expect(seqs(all.messages)).toEqual(range(1, READING.resume));
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "one more" });
    const reset = await backlog(await new Visitor().connect(room, { query: `?after=0&epoch=${epoch}` }));
    expect([reset.reset, seqs(reset.messages)]).toEqual([
      true,
      range(READING.resume + 2 - READING.welcome, READING.resume + 1),
    ]);
    const rest = await backlog(await new Visitor().connect(room, { query: `?after=1&epoch=${epoch}` }));
    expect([rest.reset, rest.messages.length]).toEqual([false, READING.resume]);
  });

  it("of many bytes is resumed whole, and a welcome without a cursor holds fewer of its messages", async () => {
    const count = 600;
    const { room } = await longRoom(count, "x".repeat(LIMITS.contentBytes));
    const { epoch, messages } = await (await new Visitor().connect(room)).welcome();
    expect(seqs(messages)).toEqual([count]);
    const all = await backlog(await new Visitor().connect(room, { query: `?after=0&epoch=${epoch}` }));
    expect([all.reset, seqs(all.messages)]).toEqual([false, range(1, count)]);
  });

  it("without a cursor gives the last fifty", async () => {
    const { room } = await longRoom(120);
    const { messages, head, reset } = await (await new Visitor().connect(room)).welcome();
    expect([seqs(messages), head, reset]).toEqual([range(71, 120), 120, undefined]);
  });

  it("older than what the room keeps is read page by page, from D1 and the room as if they were one", async () => {
    const { room, owner } = await longRoom(READING.resume + 300);
    for (const content of ["a", "b"]) await owner.send("POST", `/api/rooms/${room}/messages`, { content });
    const head = READING.resume + 302;
    const read = (query: string) => {
      return new Visitor().json<{ messages: Message[]; more: boolean }>(`/api/rooms/${room}/messages${query}`);
    };
    const boundary = await read("?after=290&limit=30");
    expect(seqs(boundary.messages)).toEqual(range(291, 320));
    const back = await read("?before=311&limit=30");
    expect(seqs(back.messages)).toEqual(range(281, 310));
    const newest = await read("?limit=5");
    expect(seqs(newest.messages)).toEqual(range(head - 4, head));
  });
});

describe("a retry after a resume is exact", () => {
  it("a client that saw its message come does not need to send it again, and one that did not is answered (promise 3)", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    line.close();
    await archive(room);
    const again = await owner.enter(room);
    again.say("a");
    again.say("b");
    expect(await again.next("ack")).toMatchObject({ id: "a", seq: 1 });
    expect(await again.messages(1)).toMatchObject([{ id: "b", seq: 2 }]);
  });
});

describe("rooms", () => {
  it("know nothing of each other", async () => {
    const { owner, room } = await ownerWithRoom();
    const another = await makeRoom(owner);
    await owner.send("POST", `/api/rooms/${room}/messages`, { id: "a", content: "here" });
    const there = await owner.send("POST", `/api/rooms/${another}/messages`, { id: "a", content: "there" });
    expect([there.status, await there.json()]).toMatchObject([201, { seq: 1, content: "there" }]);
    expect((await stubOf(room).look(undefined)) as unknown).toMatchObject({ state: { head: 1 } });
  });
});
