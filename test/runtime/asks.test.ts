/** Asks: who may answer what, which answer is the first one, and how it is told on every path. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Ask, type AskRequest, CLOSE, type ErrorCode, type Message } from "../../party/protocol.ts";
import {
  admit,
  alarmOf,
  archive,
  archived,
  copiedState,
  evict,
  expectStatus,
  longRoom,
  loseStorage,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stubOf,
  Visitor,
  withLog,
  without,
} from "./visitor.ts";

const DAY = 86_400_000;
const YES_NO: AskRequest = { options: ["yes", "no"] };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const messagesOf = (room: string): string => `/api/rooms/${room}/messages`;

/** Asks as an agent of `asker`. */
async function ask(asker: Visitor, room: string, ask: AskRequest = YES_NO, more: object = {}): Promise<Message> {
  const response = await asker.send("POST", messagesOf(room), { content: "Deploy?", as: "bot", ask, ...more });
  await expectStatus(response, 201);
  return response.json<Message>();
}

const answer = (who: Visitor, room: string, target: number, option = "yes", more: object = {}): Promise<Response> =>
  who.send("POST", messagesOf(room), { answer: { target, option }, ...more });

async function page(room: string, query = "", who = new Visitor()): Promise<Message[]> {
  return (await who.json<{ messages: Message[] }>(`${messagesOf(room)}${query}`)).messages;
}

const askIn = async (room: string, seq: number, query = ""): Promise<Ask | undefined> =>
  (await page(room, query)).find((message) => message.seq === seq)?.ask;

const standing = (room: string, seq: number, who = new Visitor(), query = ""): Promise<Response> =>
  who.fetch(`${messagesOf(room)}/${seq}/answer${query}`);

/** An owner with a room and somebody else with a key. */
async function roomOfTwo(settings: Record<string, unknown> = {}) {
  const { owner, room } = await ownerWithRoom(settings);
  return { owner, room, other: await Visitor.withKey() };
}

/** The code of the refusal, and the seq that it names. */
async function conflictOf(response: Response): Promise<[code: ErrorCode, seq: number | undefined]> {
  const { error, seq } = await response.json<{ error: { code: ErrorCode }; seq?: number }>();
  return [error.code, seq];
}

/** The time of an ask is over while the room is asleep, and its alarm rings. */
async function endTime(room: string, seq: number): Promise<void> {
  await runInDurableObject(stubOf(room), (_, { storage }) => {
    storage.sql.exec("UPDATE open_asks SET until = 1 WHERE seq = ?", seq);
  });
  await evict(stubOf(room));
  await runDurableObjectAlarm(stubOf(room));
}

/** Lets the room's clock be `ms` later. */
function later(ms: number): void {
  const now = Date.now() + ms;
  vi.useFakeTimers({ now, toFake: ["Date"] });
}

describe("an ask", () => {
  it("is a text with a field more, and its answer another, so that an older client shows question and reply", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room, { options: [{ id: "yes", label: "Yes, go on" }, "no"] }, { id: "a" });
    expect(asked).toMatchObject({
      kind: "text",
      content: "Deploy?",
      sender: `${owner.handle}/bot`,
      ask: {
        options: [
          { id: "yes", label: "Yes, go on" },
          { id: "no", label: "no" },
        ],
        from: "people",
      },
    });
    const response = await answer(other, room, asked.seq);
    await expectStatus(response, 201);
    expect(await response.json()).toMatchObject({
      kind: "text",
      content: "Yes, go on",
      sender: other.handle,
      replyTo: asked.seq,
      answer: { target: asked.seq, option: "yes" },
    });
    expect(await askIn(room, asked.seq)).toMatchObject({ closed: { option: "yes", by: other.handle, seq: 2 } });
  });

  it("is open for seven days where who asks sets no time", async () => {
    const { owner, room } = await roomOfTwo();
    const { createdAt, ask: asked } = await ask(owner, room);
    expect(Date.parse(asked?.until ?? "") - Date.parse(createdAt)).toBe(7 * DAY);
  });

  it("comes over a socket as over HTTP, and everybody hears of the answer in one update", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asker = await owner.enter(room, "bot");
    const person = await other.enter(room);
    asker.send({ type: "send", id: "a", content: "Deploy?", ask: YES_NO });
    const [asked] = await person.messages(1);
    expect(asked?.ask?.options).toHaveLength(2);
    await asker.messages(1);
    person.send({ type: "send", id: "b", answer: { target: asked?.seq as number, option: "no" } });
    expect(await asker.messages(1)).toMatchObject([{ content: "no", answer: { target: 1, option: "no" } }]);
    const watcher = await (await new Visitor().connect(room)).welcome();
    expect(watcher.messages[0]?.ask?.closed).toEqual({ option: "no", by: other.handle, seq: 2 });
    const resumed = await (await new Visitor().connect(room, { query: `?after=0&epoch=${watcher.epoch}` })).welcome();
    expect(resumed.messages).toEqual(watcher.messages);
  });

  it("is closed also for somebody who comes back to a frame that others were sent before", async () => {
    const { owner, room, other } = await roomOfTwo();
    const sayMuch = async () => {
      for (let count = 0; count < 3; count++) {
        await owner.send("POST", messagesOf(room), { content: "x".repeat(15_000) });
      }
    };
    await sayMuch();
    const asked = await ask(owner, room);
    // A frame that is full is kept also when the log goes on.
    await sayMuch();
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    // What does not fit into the welcome comes in a frame that is kept for the next who needs it.
    const resume = async () => {
      const line = await new Visitor().connect(room, { query: `?after=0&epoch=${epoch}` });
      const { messages } = await line.welcome();
      while (messages.length < asked.seq) messages.push(...(await line.messages(1)));
      return messages[asked.seq - 1]?.ask;
    };
    expect(await resume()).not.toHaveProperty("closed");
    await answer(other, room, asked.seq);
    expect(await resume()).toMatchObject({ closed: { option: "yes" } });
  });

  it("keeps the messages' seqs in an event stream: that of what has closed it is none", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    await answer(other, room, asked.seq);
    const { text } = await runInDurableObject(stubOf(room), async () => ({ text: JSON.stringify(await page(room)) }));
    expect(text.match(/\{"seq":/g)).toHaveLength(2);
  });

  it("is refused as a whole where something about it is not as it must be", async () => {
    const { owner, room } = await roomOfTwo();
    const refused = async (ask: unknown): Promise<unknown> =>
      refusalOf(await owner.send("POST", messagesOf(room), { content: "Deploy?", ask }));
    const soon = (ms: number) => new Date(Date.now() + ms).toISOString();
    const label = (text: string) => ({ options: [{ id: "a", label: text }, "b"] });
    for (const bad of [
      {},
      { options: ["yes"] },
      { options: ["a", "b", "c", "d", "e", "f", "g"] },
      { options: ["yes", "yes"] },
      { options: ["Yes", "no"] },
      { options: ["a".repeat(33), "no"] },
      label("  "),
      label("\u2800"),
      label("x".repeat(81)),
      label("two\nlines"),
      label("\u202eegnahc"),
      label("\u2066".repeat(40)),
      label("\u200f".repeat(40)),
      label("\u{e0041}\u{e0042}hidden"),
      { ...YES_NO, until: soon(-1_000) },
      { ...YES_NO, until: soon(31 * DAY) },
      { ...YES_NO, until: "tomorrow" },
      { ...YES_NO, until: "2036-01-01T00:00:00Z" },
      { ...YES_NO, from: [] },
      { ...YES_NO, from: ["calm-heron/bot"] },
      { ...YES_NO, from: ["not a sender"] },
      { ...YES_NO, from: "everybody" },
      { ...YES_NO, from: [owner.handle] },
      { ...YES_NO, from: ["calm-heron"], guests: true },
      { ...YES_NO, from: Array.from({ length: 21 }, (_, index) => `calm-heron-${index}`) },
      "yes",
      [],
    ]) {
      expect({ bad, refusal: await refused(bad) }).toEqual({ bad, refusal: [400, "invalid"] });
    }
    expect(await page(room)).toEqual([]);
  });

  it("takes emoji and scripts that need joiners in its labels", async () => {
    const { owner, room } = await roomOfTwo();
    const labels = ["👩‍🚀 Start", "می‌خواهم"];
    const options = labels.map((label, index) => ({ id: `${index}`, label }));
    expect((await ask(owner, room, { options })).ask?.options.map(({ label }) => label)).toEqual(labels);
  });

  it("is no longer than any message, its options included", async () => {
    const { owner, room } = await roomOfTwo();
    const options = [{ id: "a", label: "x".repeat(80) }, "b"];
    const content = "q".repeat(16_384 - 80);
    const response = await owner.send("POST", messagesOf(room), { content, ask: { options } });
    expect(await refusalOf(response)).toEqual([413, "too_large"]);
  });

  it("is recognised when it is sent again, also once it is closed, and another under its id is a conflict", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room, YES_NO, { id: "a" });
    await answer(other, room, asked.seq);
    const again = await owner.send("POST", messagesOf(room), { content: "Deploy?", as: "bot", id: "a", ask: YES_NO });
    await expectStatus(again, 200);
    expect(await again.json()).toMatchObject({ seq: asked.seq, ask: { closed: { option: "yes", seq: 2 } } });
    const changed = { content: "Deploy?", as: "bot", id: "a", ask: { options: ["yes", "later"] } };
    expect(await conflictOf(await owner.send("POST", messagesOf(room), changed))).toEqual(["conflict", asked.seq]);
    const text = { content: "Deploy?", as: "bot", id: "a" };
    expect(await conflictOf(await owner.send("POST", messagesOf(room), text))).toEqual(["conflict", asked.seq]);
  });

  it("is the same until whatever time it is asked again, also when that time is over", async () => {
    const { owner, room } = await roomOfTwo();
    const until = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const body = (time: string | undefined) => ({
      id: "deploy",
      content: "Deploy?",
      ask: { ...YES_NO, ...(time !== undefined && { until: time }) },
    });
    const seqs: number[] = [];
    for (const time of [until(60), until(120), undefined, until(-60)]) {
      const response = await owner.send("POST", messagesOf(room), body(time));
      seqs.push(((await response.json()) as { seq: number }).seq);
    }
    expect(seqs).toEqual([1, 1, 1, 1]);
    const other = { ...body(until(60)), ask: { options: ["yes", "later"] } };
    expect(await conflictOf(await owner.send("POST", messagesOf(room), other))).toEqual(["conflict", 1]);
  });

  it("is one of twenty that a person may have open with all their agents, and of two hundred in a room", async () => {
    const { owner, room, other } = await roomOfTwo();
    const first = await ask(owner, room);
    for (let count = 1; count < 20; count++) await ask(owner, room);
    for (const as of ["bot", "another", undefined]) {
      const more = { content: "Deploy?", as, ask: YES_NO };
      expect(await refusalOf(await owner.send("POST", messagesOf(room), more))).toEqual([429, "rate_limited"]);
    }
    await ask(other, room);
    await answer(other, room, first.seq);
    await ask(owner, room);
  });

  it("may be asked of members only in a members' room", async () => {
    const { owner, other } = await roomOfTwo();
    const room = await makeRoom(owner, { access: "members" });
    const stranger = { content: "Deploy?", ask: { ...YES_NO, from: [other.handle] } };
    expect(await refusalOf(await owner.send("POST", messagesOf(room), stranger))).toEqual([400, "invalid"]);
    await admit(owner, room, other);
    await expectStatus(await owner.send("POST", messagesOf(room), stranger), 201);
    await expectStatus(await answer(other, room, 1), 201);
  });
});

describe("an answer", () => {
  it("is forbidden to agents, to who has asked, to guests, and to those who are not named", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room, YES_NO, { as: undefined });
    expect(await refusalOf(await answer(other, room, asked.seq, "yes", { as: "bot" }))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await answer(owner, room, asked.seq))).toEqual([403, "forbidden"]);
    const guest = await new Visitor().enter(room);
    guest.send({ type: "send", id: "g", answer: { target: asked.seq, option: "yes" } });
    expect(await guest.next("error")).toMatchObject({ code: "forbidden", about: "send", id: "g" });
    const named = await ask(owner, room, { ...YES_NO, from: ["calm-heron"] });
    expect(await refusalOf(await answer(other, room, named.seq))).toEqual([403, "forbidden"]);
    expect(await askIn(room, asked.seq)).not.toHaveProperty("closed");
  });

  it("may be given by the person whose agent asks, by a named guest, and by any guest where that is said", async () => {
    const { owner, room } = await roomOfTwo();
    const guest = new Visitor();
    const line = await guest.connect(room);
    line.send({ type: "hello", guest: guest.guest });
    const { sender } = await line.next("you");
    const byPerson = await ask(owner, room);
    await expectStatus(await answer(owner, room, byPerson.seq), 201);
    for (const terms of [
      { ...YES_NO, guests: true as const },
      { ...YES_NO, from: [sender] },
    ]) {
      const asked = await ask(owner, room, terms);
      line.send({ type: "send", id: `g${asked.seq}`, answer: { target: asked.seq, option: "no" } });
      await line.next(
        "update",
        ({ messages }) => messages?.some((message) => message.answer?.target === asked.seq) === true,
      );
      expect(await askIn(room, asked.seq)).toMatchObject({ closed: { option: "no", by: sender } });
    }
  });

  it("is the first one or none: the others are told which stands", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    const people = [other, owner, await Visitor.withKey(), await Visitor.withKey()];
    const responses = await Promise.all(people.map((person) => answer(person, room, asked.seq, "no")));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 409, 409, 409]);
    for (const response of responses) {
      if (response.status === 409) expect(await conflictOf(response)).toEqual(["conflict", 2]);
    }
    expect(await page(room)).toHaveLength(2);
    expect(await conflictOf(await answer(other, room, asked.seq, "yes"))).toEqual(["conflict", 2]);
  });

  it("is recognised when it is sent again, and another one under its id is a conflict", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    const responses = [];
    for (const option of ["yes", "yes", "no"])
      responses.push(await answer(other, room, asked.seq, option, { id: "x" }));
    expect(responses.map(({ status }) => status)).toEqual([201, 200, 409]);
    expect(await responses[1]?.json()).toMatchObject({ seq: 2, content: "yes" });
    expect(await conflictOf(responses[2] as Response)).toEqual(["conflict", 2]);
    const line = await other.enter(room);
    line.send({ type: "send", id: "x", answer: { target: asked.seq, option: "yes" } });
    expect(await line.next("ack")).toMatchObject({ id: "x", seq: 2 });
    line.send({ type: "send", id: "y", answer: { target: asked.seq, option: "no" } });
    expect(await line.next("error")).toMatchObject({ code: "conflict", id: "y", seq: 2 });
  });

  it("names an ask and one of its options", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    await owner.send("POST", messagesOf(room), { content: "No question." });
    expect(await refusalOf(await answer(other, room, asked.seq, "later"))).toEqual([400, "invalid"]);
    expect(await refusalOf(await answer(other, room, 2))).toEqual([400, "invalid"]);
    expect(await refusalOf(await answer(other, room, 99))).toEqual([404, "not_found"]);
    for (const bad of [{}, { target: 1 }, { target: 0, option: "yes" }, { target: 1, option: "Yes!" }, "yes", []]) {
      expect(await refusalOf(await other.send("POST", messagesOf(room), { answer: bad }))).toEqual([400, "invalid"]);
    }
    const both = { content: "x", ask: YES_NO, answer: { target: 1, option: "yes" } };
    expect(await refusalOf(await other.send("POST", messagesOf(room), both))).toEqual([400, "invalid"]);
    expect(await refusalOf(await other.send("POST", messagesOf(room), {}))).toEqual([400, "invalid"]);
  });

  it("obeys mutes, costs a place in the quota, and is neither slowed nor held nor looked through for words", async () => {
    const { owner, room, other } = await roomOfTwo({
      slow: 60,
      hold: "newcomers",
      links: "members",
      blocked: ["meet"],
    });
    const options = [{ id: "yes", label: "See https://meet.example/a" }, "no"];
    const asked = await ask(owner, room, { options }, { as: undefined });
    const before = await ask(owner, room, YES_NO, { as: undefined });
    const first = await answer(other, room, asked.seq);
    await expectStatus(first, 201);
    expect(first.headers.get("ratelimit")).toContain("r=59");
    await expectStatus(await answer(other, room, before.seq), 201);
    const muted = await ask(owner, room, YES_NO, { as: undefined });
    await expectStatus(await owner.send("PUT", `/api/rooms/${room}/mutes/${other.handle}`, {}), 200);
    expect(await refusalOf(await answer(other, room, muted.seq))).toEqual([403, "muted"]);
  });

  it("to a closed ask costs nobody else anything, however often it comes", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    await answer(owner, room, asked.seq);
    const troll = await other.enter(room);
    const neighbour = await owner.enter(room);
    const rows = () => runInDurableObject(stubOf(room), (_, { storage }) => storage.sql.databaseSize);
    const before = await rows();
    for (let press = 0; press < 2_000; press++) {
      troll.send({ type: "send", id: `p${press}`, answer: { target: asked.seq, option: "no" } });
    }
    neighbour.say("n");
    expect(await neighbour.messages(1)).toMatchObject([{ content: "says n" }]);
    expect(await troll.closeCode()).toBe(CLOSE.badFrames);
    expect(troll.unread.filter((frame) => frame.type === "error" && frame.code === "conflict").length).toBeGreaterThan(
      0,
    );
    expect(await page(room)).toHaveLength(3);
    expect(await rows()).toBe(before);
    // None of it was asked of their Limiter: all places in their quota are free.
    const second = await ask(owner, room);
    expect((await answer(other, room, second.seq)).headers.get("ratelimit")).toContain("r=59");
  });

  it("is a person speaking for the loop guard, and an ask is an agent's message", async () => {
    const { owner, room, other } = await roomOfTwo({ loopGuard: 2 });
    const asked = await ask(owner, room);
    await ask(owner, room);
    const third = { content: "Deploy?", as: "bot", ask: YES_NO };
    expect(await refusalOf(await owner.send("POST", messagesOf(room), third))).toEqual([409, "loop_guard"]);
    await answer(other, room, asked.seq);
    await ask(owner, room);
  });

  it("stands, whatever becomes of its words: deleted by a moderator, or erased with its author", async () => {
    const { owner, room, other } = await roomOfTwo();
    const [first, second] = [await ask(owner, room), await ask(owner, room)];
    await answer(other, room, first.seq);
    await answer(other, room, second.seq, "no");
    await expectStatus(await owner.fetch(`${messagesOf(room)}/3`, { method: "DELETE" }), 204);
    expect(await askIn(room, first.seq)).toMatchObject({ closed: { option: "yes", by: other.handle, seq: 3 } });
    const erase = `/api/rooms/${room}/messages?sender=${other.handle}`;
    await expectStatus(await owner.fetch(erase, { method: "DELETE" }), 200);
    for (const query of ["", "?before=99", "?after=0"]) {
      const messages = await page(room, query);
      expect(messages[0]?.ask?.closed).toEqual({ option: "yes", by: "", seq: 3 });
      expect(messages[1]?.ask?.closed).toEqual({ option: "no", by: "", seq: 4 });
      expect(messages[3]).toMatchObject({
        sender: "",
        content: "",
        deleted: true,
        answer: { target: 2, option: "no" },
      });
    }
    const inD1 = (await archived(room)).filter(({ kind }) => kind !== "erasure");
    expect(JSON.stringify(inD1)).not.toContain(other.handle);
    expect(await conflictOf(await answer(await Visitor.withKey(), room, second.seq))).toEqual(["conflict", 4]);
  });
});

describe("who asks", () => {
  it("cancels by deleting the ask, which nobody can answer then", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    await expectStatus(await owner.fetch(`${messagesOf(room)}/${asked.seq}?as=bot`, { method: "DELETE" }), 204);
    const [message] = await page(room);
    expect(message).toMatchObject({ content: "", deleted: true });
    expect(message).not.toHaveProperty("ask");
    expect(await conflictOf(await answer(other, room, asked.seq))).toEqual(["conflict", 2]);
    expect(await (await standing(room, asked.seq)).json()).toEqual({ deleted: true });
  });

  it("takes the ask along when they are erased", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asker = await Visitor.withKey();
    const asked = await ask(asker, room);
    await archive(room);
    await owner.fetch(`/api/rooms/${room}/messages?sender=${asker.handle}`, { method: "DELETE" });
    expect((await page(room))[0]).not.toHaveProperty("ask");
    expect((await conflictOf(await answer(other, room, asked.seq)))[0]).toBe("conflict");
    await archive(room);
    expect(await copiedState(room, "asks")).toEqual([]);
  });
});

describe("the end of its time", () => {
  it("is written down by a room that is asleep, once, and told live", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    const line = await other.enter(room);
    await endTime(room, asked.seq);
    const [expiry] = await line.messages(1);
    expect(expiry).toMatchObject({ kind: "expiry", replyTo: asked.seq, sender: `${owner.handle}/bot`, content: "" });
    // A client that knows no expiry takes what has a target for a deletion, and would show the ask as deleted.
    expect(expiry).not.toHaveProperty("target");
    await runDurableObjectAlarm(stubOf(room));
    expect(await page(room)).toHaveLength(2);
    expect(await askIn(room, asked.seq)).toMatchObject({ closed: { expired: true, seq: 2 } });
    expect(await conflictOf(await answer(other, room, asked.seq))).toEqual(["conflict", 2]);
  });

  it("has an alarm of its own, set when it is asked, over sleep and whatever else rings", async () => {
    const { owner, room } = await roomOfTwo();
    const until = Date.now() + 2 * DAY;
    await ask(owner, room, { ...YES_NO, until: new Date(until).toISOString() });
    for (let rung = 0; rung < 3; rung++) {
      await archive(room);
      await evict(stubOf(room));
    }
    await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(until + 1_000);
  });

  it("has its alarm in time also where the archive would wake the room later", async () => {
    const { owner, room } = await roomOfTwo();
    // The clock stands still, so that the alarm is not there yet.
    later(DAY);
    const until = Date.now() + 2_000;
    await ask(owner, room, { ...YES_NO, until: new Date(until).toISOString() });
    await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(until);
  });

  it("is written down by an answer that comes later than that and before the alarm", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    later(8 * DAY);
    const late = await Promise.all([answer(other, room, asked.seq), answer(owner, room, asked.seq, "no")]);
    expect(await Promise.all(late.map(conflictOf))).toEqual([
      ["conflict", 2],
      ["conflict", 2],
    ]);
    expect((await page(room)).map(({ kind }) => kind)).toEqual(["text", "expiry"]);
  });

  it("does not come with an alarm that rings before that: the room looks at its clock, and waits on", async () => {
    const { owner, room } = await roomOfTwo();
    const asked = await ask(owner, room);
    await runDurableObjectAlarm(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    expect(await askIn(room, asked.seq)).not.toHaveProperty("closed");
    expect(await page(room)).toHaveLength(1);
  });
});

describe("waiting for an answer over HTTP", () => {
  it("tells the answer, that there is none yet, or why there will be none", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room, { options: [{ id: "yes", label: "Yes!" }, "no"] });
    await expectStatus(await standing(room, asked.seq), 204);
    await answer(other, room, asked.seq);
    const told = { option: "yes", label: "Yes!", by: other.handle, seq: 2 };
    expect(await (await standing(room, asked.seq)).json()).toEqual(told);
    expect(await (await standing(room, asked.seq, owner, "?wait=50")).json()).toEqual(told);
    expect(await refusalOf(await standing(room, 2))).toEqual([400, "invalid"]);
    expect(await refusalOf(await standing(room, 99))).toEqual([404, "not_found"]);
    expect(await refusalOf(await standing(room, asked.seq, owner, "?wait=51"))).toEqual([400, "invalid"]);
    const second = await ask(owner, room);
    later(8 * DAY);
    expect(await (await standing(room, second.seq)).json()).toEqual({ expired: true, seq: 4 });
  });

  it("answers as soon as somebody has answered, whatever else is said meanwhile", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room);
    const waiting = standing(room, asked.seq, new Visitor(), "?wait=50");
    await expect
      .poll(() => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length))
      .toBeGreaterThan(0);
    await owner.send("POST", messagesOf(room), { content: "Something else" });
    await answer(other, room, asked.seq, "no");
    expect(await (await waiting).json()).toMatchObject({ option: "no", by: other.handle });
  });

  it("ends when the ask is deleted meanwhile", async () => {
    const { owner, room } = await roomOfTwo();
    const asked = await ask(owner, room);
    const waiting = standing(room, asked.seq, new Visitor(), "?wait=50");
    await owner.fetch(`${messagesOf(room)}/${asked.seq}?as=bot`, { method: "DELETE" });
    expect(await (await waiting).json()).toEqual({ deleted: true });
  });

  it("ends when its time is over meanwhile", async () => {
    const { owner, room } = await roomOfTwo();
    const asked = await ask(owner, room);
    const waiting = standing(room, asked.seq, new Visitor(), "?wait=50");
    await expect
      .poll(() => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length))
      .toBeGreaterThan(0);
    await endTime(room, asked.seq);
    expect(await (await waiting).json()).toEqual({ expired: true, seq: 2 });
  });

  it("tells nothing of a members' room to others", async () => {
    const { owner, other } = await roomOfTwo();
    const room = await makeRoom(owner, { access: "members" });
    await ask(owner, room);
    expect(await refusalOf(await standing(room, 1))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await standing(room, 1, other))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await answer(other, room, 1))).toEqual([403, "forbidden"]);
    await expectStatus(await standing(room, 1, owner), 204);
  });
});

describe("an ask that is far back", () => {
  it("shows what has closed it on every page, also where D1 alone has it", async () => {
    const { owner, room, other } = await roomOfTwo();
    const asked = await ask(owner, room, YES_NO, { id: "far" });
    const open = await ask(owner, room, YES_NO, { as: "second" });
    await answer(other, room, asked.seq);
    await archive(room);
    await loseStorage(room);
    for (const query of ["?before=3", "?after=0", "", "?before=99"]) {
      expect(await askIn(room, asked.seq, query)).toMatchObject({
        closed: { option: "yes", by: other.handle, seq: 3 },
      });
      expect(await askIn(room, open.seq, query)).not.toHaveProperty("closed");
    }
    expect(await conflictOf(await answer(owner, room, asked.seq))).toEqual(["conflict", 3]);
    await expectStatus(await answer(owner, room, open.seq, "no"), 201);
    await archive(room);
    await loseStorage(room);
    expect(await askIn(room, open.seq)).toMatchObject({ closed: { option: "no", by: owner.handle, seq: 4 } });
    later(8 * DAY);
    await runDurableObjectAlarm(stubOf(room));
    expect(await page(room)).toHaveLength(4);
  });

  it("shows what has closed it where D1 alone has it", async () => {
    const { owner, room, other } = await roomOfTwo();
    const [asked, expired, open] = [
      await ask(owner, room, YES_NO, { id: "far" }),
      await ask(owner, room),
      await ask(owner, room),
    ];
    await answer(other, room, asked.seq);
    await endTime(room, expired.seq);
    await sayMany(room, 700);
    await archive(room);
    await loseStorage(room);
    const closed = { option: "yes", by: other.handle, seq: 4 };
    for (const query of ["?before=9", "?after=0&limit=9", "?before=5&limit=4"]) {
      const [first, second, third] = await page(room, query);
      expect(first?.ask?.closed).toEqual(closed);
      expect(second?.ask?.closed).toEqual({ expired: true, seq: 5 });
      expect(third?.ask).not.toHaveProperty("closed");
    }
    expect(await conflictOf(await answer(owner, room, asked.seq))).toEqual(["conflict", 4]);
    expect(await conflictOf(await answer(owner, room, expired.seq))).toEqual(["conflict", 5]);
    expect(await refusalOf(await answer(owner, room, 100))).toEqual([400, "invalid"]);
    expect(await (await standing(room, asked.seq)).json()).toMatchObject({ option: "yes", by: other.handle, seq: 4 });
    const again = await owner.send("POST", messagesOf(room), { content: "Deploy?", as: "bot", id: "far", ask: YES_NO });
    expect(await again.json()).toMatchObject({ seq: asked.seq, ask: { closed } });
    // It is open, although only D1 has its text.
    await without("packs", async () => expectStatus(await answer(owner, room, open.seq), 201));
  });

  it("ends in time in a room that has lost its own storage", async () => {
    const { owner, room } = await roomOfTwo();
    const asked = await ask(owner, room);
    await archive(room);
    await loseStorage(room);
    later(8 * DAY);
    await page(room);
    expect(await (await standing(room, asked.seq)).json()).toEqual({ expired: true, seq: 2 });
  });

  it("can be answered although thousands of messages have come since and D1 is away", async () => {
    const { owner, room } = await longRoom(100);
    const asked = await ask(owner, room);
    await archive(room);
    await without("packs", async () => {
      await expectStatus(await answer(owner, room, asked.seq), 201);
    });
    expect(await conflictOf(await answer(owner, room, asked.seq))).toEqual(["conflict", asked.seq + 1]);
  });
});

/** Says so many lines, without the time that it takes to say them. */
function sayMany(room: string, count: number): Promise<unknown> {
  const lines = Array.from({ length: count }, (_, index) => {
    return { id: `l${index}`, kind: "text" as const, sender: "swift-otter", content: "line", ref: null };
  });
  return withLog(room, (log) => log.append(lines, Date.now()));
}

describe("an ask that is held", () => {
  it("is shown to moderators with its options, and its time begins with the approval", async () => {
    const { owner, room, other } = await roomOfTwo({ hold: "newcomers" });
    const response = await other.send("POST", messagesOf(room), { content: "May I?", id: "h", ask: YES_NO });
    await expectStatus(response, 202);
    const [held] = (await owner.json<{ held: { id: string }[] }>(`/api/rooms/${room}/held`)).held;
    expect(held).toMatchObject({ content: "May I?", ask: { from: "people", options: [{ id: "yes" }, { id: "no" }] } });
    later(3 * DAY);
    const approved = await owner.fetch(`/api/rooms/${room}/held/${held?.id}/approve`, { method: "POST" });
    await expectStatus(approved, 200);
    const message = await approved.json<Message>();
    expect(Date.parse(message.ask?.until ?? "") - Date.parse(message.createdAt)).toBe(7 * DAY);
    await expectStatus(await answer(owner, room, message.seq), 201);
  });

  it("is looked through with its labels, for blocked words and for links", async () => {
    const { owner, room, other } = await roomOfTwo({ blocked: ["casino"], links: "members" });
    const asking = (label: string) =>
      other.send("POST", messagesOf(room), { content: "May I?", ask: { options: [{ id: "a", label }, "no"] } });
    expect(await refusalOf(await asking("To the casino"))).toEqual([403, "forbidden"]);
    await expectStatus(await asking("See https://meet.example/a"), 202);
    await expectStatus(await asking("Yes"), 201);
    expect((await owner.json<{ held: unknown[] }>(`/api/rooms/${room}/held`)).held).toHaveLength(1);
  });

  it("is not approved once its time is over", async () => {
    const { owner, room, other } = await roomOfTwo({ hold: "newcomers" });
    const until = new Date(Date.now() + DAY).toISOString();
    await other.send("POST", messagesOf(room), { content: "May I?", id: "h", ask: { ...YES_NO, until } });
    const [held] = (await owner.json<{ held: { id: string }[] }>(`/api/rooms/${room}/held`)).held;
    later(2 * DAY);
    const approved = await owner.fetch(`/api/rooms/${room}/held/${held?.id}/approve`, { method: "POST" });
    expect(await refusalOf(approved)).toEqual([409, "conflict"]);
    expect(await page(room)).toEqual([]);
  });
});

describe("D1", () => {
  it("is brought which asks are open", async () => {
    const { owner, room, other } = await roomOfTwo();
    const [first, second] = [await ask(owner, room), await ask(owner, room)];
    await answer(other, room, first.seq);
    await archive(room);
    const open = async () => (await copiedState(room, "asks")).map(({ seq }) => seq);
    expect(await open()).toEqual([second.seq]);
    await answer(other, room, second.seq);
    await archive(room);
    expect(await open()).toEqual([]);
    expect((await archived(room)).map(({ kind }) => kind)).toEqual(["ask", "ask", "answer:yes", "answer:yes"]);
  });
});
