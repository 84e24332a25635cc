/** Clients that read slowly or not at all (promise 9). */

import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FLOW, LIMITS, type Message } from "../../party/protocol.ts";
import { evict, type Line, longRoom, ownerWithRoom, ring, stubOf, Visitor } from "./visitor.ts";

const LONG = "x".repeat(LIMITS.contentBytes);

afterEach(() => {
  vi.useRealTimers();
});

/** A room with a reader that answers no check by itself, one that does, and so much said that the first is paused. */
async function roomWithSlowReader() {
  const { owner, room } = await ownerWithRoom();
  const slow = await new Visitor().connect(room);
  slow.isSlow = true;
  const good = await owner.enter(room);
  for (let count = 0; count < 8; count++) good.say(`m${count}`, LONG);
  await good.messages(8);
  const attached = () => {
    return runInDurableObject(stubOf(room), (_, state) => {
      return state.getWebSockets().map((socket) => JSON.stringify(socket.deserializeAttachment()));
    });
  };
  // A room that may sleep has attached to its sockets which of them are paused.
  await expect.poll(attached).toContainEqual(expect.stringContaining('"paused":{'));
  const { epoch } = await slow.welcome();
  return { owner, room, slow, good, epoch };
}

/** Answers each check until `line` has the message `last`; gives the messages that came. */
async function readUpTo(line: Line, last: number): Promise<Message[]> {
  line.isSlow = false;
  for (const n of line.checks) line.send({ type: "read", n });
  const messages: Message[] = [];
  while (messages.at(-1)?.seq !== last) messages.push(...(await line.messages(1)));
  return messages;
}

describe("while much is said", () => {
  it("a reader that does not answer is sent its first window and no more, and the rest when it answers", async () => {
    const { room, slow, good } = await roomWithSlowReader();
    const { seq } = (await slow.messages(1))[0] as Message;
    good.say("last", "the end");
    await good.messages(1);
    // An answer to a frame of its own comes all the same.
    slow.say("a");
    expect(await slow.next("error")).toMatchObject({ code: "unauthorized", id: "a" });
    expect([seq, slow.unread.filter((frame) => frame.type === "update" && frame.messages)]).toEqual([1, []]);
    const check = slow.checks.at(-1) as number;
    slow.isSlow = false;
    slow.send({ type: "read", n: check });
    expect((await slow.messages(8)).map((message) => message.seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await new Visitor().json<{ presence: unknown }>(`/api/rooms/${room}`)).presence).toMatchObject({
      spectators: 1,
    });
  });

  it("a reader that answers stays; one that does not is closed with 4413 by the alarm, and resumes", async () => {
    const { room, slow, good, epoch } = await roomWithSlowReader();
    await evict(stubOf(room));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FLOW.answerWithin });
    await ring(room);
    expect(await slow.closeCode()).toBe(4413);
    good.send("ping");
    expect(await good.nextText()).toBe("pong");
    const again = await new Visitor().connect(room, { query: `?after=1&epoch=${epoch}` });
    const { messages, reset } = await again.welcome();
    while (messages.length < 7) messages.push(...(await again.messages(1)));
    expect([reset, messages.map(({ seq }) => seq)]).toEqual([undefined, [2, 3, 4, 5, 6, 7, 8]]);
  });

  it("a paused reader goes on after the room's sleep where it was, with the number from before it", async () => {
    const { room, slow, good } = await roomWithSlowReader();
    const { n } = await slow.next("check");
    await evict(stubOf(room));
    good.say("last", "the end");
    await good.messages(1);
    slow.isSlow = false;
    slow.send({ type: "read", n });
    expect((await slow.messages(8)).map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    // Who is here may have changed while the room slept: it is told anew.
    expect(await slow.next("update", ({ snapshot }) => snapshot !== undefined)).toMatchObject({
      snapshot: { presence: { spectators: 1 }, drafts: [] },
    });
  });
});

describe("a long backlog", () => {
  it("is no reason to call its reader slow: it comes a window at a time, whole", async () => {
    const count = 1_200;
    const { owner, room } = await longRoom(count, "x".repeat(6_000));
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    const line = await owner.connect(room, { query: `?after=0&epoch=${epoch}` });
    line.isSlow = true;
    // Before it could have answered anything, it says who it is and repeats what it was not sure of.
    line.send({ type: "hello", key: owner.key as string });
    const { messages, reset } = await line.welcome();
    expect(JSON.stringify(messages).length).toBeLessThan(FLOW.firstWindow);
    messages.push(...(await readUpTo(line, count)));
    expect([reset, messages.map(({ seq }) => seq)]).toEqual([
      undefined,
      Array.from({ length: count }, (_, index) => index + 1),
    ]);
    line.say("a");
    expect(await line.messages(1)).toMatchObject([{ seq: count + 1, id: "a" }]);
  });
});
