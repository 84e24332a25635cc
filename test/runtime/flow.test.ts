/** Clients that read slowly or not at all (promise 9). */

import { describe, expect, it } from "vitest";
import { FLOW, LIMITS } from "../../party/protocol.ts";
import { longRoom, ownerWithRoom, Visitor } from "./visitor.ts";

const LONG = "x".repeat(LIMITS.contentBytes);
/** So many rounds of `SPEAKERS` messages are enough for a client that reads none of them to be closed. */
const SPEAKERS = 8;
const ROUNDS = Math.ceil((1.3 * FLOW.closeAt) / LONG.length / SPEAKERS);

describe("while much is said", () => {
  it("who reads is asked now and then and stays; who does not is closed with 4413, and resumes", async () => {
    const { room } = await ownerWithRoom();
    const slow = await new Visitor().connect(room);
    slow.isSlow = true;
    const good = await new Visitor().connect(room);
    const { epoch } = await good.welcome();
    const speakers = await Promise.all(Array.from({ length: SPEAKERS }, () => Visitor.withKey()));
    for (let round = 0; round < ROUNDS; round++) {
      for (const speaker of speakers) void speaker.send("POST", `/api/rooms/${room}/messages`, { content: LONG });
      expect(await good.messages(SPEAKERS)).toHaveLength(SPEAKERS);
    }
    expect(await slow.closeCode()).toBe(4413);
    const again = await new Visitor().connect(room, { query: `?after=1&epoch=${epoch}` });
    expect((await again.welcome()).reset).toBeUndefined();
    good.send("ping");
    expect(await good.nextText()).toBe("pong");
  });
});

describe("a long backlog", () => {
  it("is no reason to call its reader slow: it comes whole, and is asked about once", async () => {
    const count = 1_200;
    const { owner, room } = await longRoom(count, "x".repeat(6_000));
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    const line = await owner.connect(room, { query: `?after=0&epoch=${epoch}` });
    line.isSlow = true;
    // Before it could have answered anything, it says who it is and repeats what it was not sure of.
    line.send({ type: "hello", key: owner.key as string });
    const { messages, reset } = await line.welcome();
    while (messages.length < count) messages.push(...(await line.messages(1)));
    expect([reset, messages.length]).toEqual([undefined, count]);
    const { n } = await line.next("check");
    line.send({ type: "read", n });
    line.say("a");
    expect(await line.messages(1)).toMatchObject([{ seq: count + 1, id: "a" }]);
  });
});
