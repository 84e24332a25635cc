/** Answers on their way into the log, when several of them come at the same moment. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { ASKED, openLog } from "../../test/unit/entries.ts";
import { TestStorage, text } from "../../test/unit/sqlite.ts";
import type { Participant } from "../identity/sender.ts";
import { Leases } from "../limits/leases.ts";
import type { Admission } from "../limits/limiter.ts";
import { Pages } from "../log/pages.ts";
import { ASK_OPEN, type Fault } from "../protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../room-record.ts";
import type { Outcome } from "../writes/entry.ts";
import { Submissions } from "../writes/submissions.ts";
import { Asks } from "./asks.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const ROOM = { id: "den", access: "open", createdBy: null, settings: DEFAULT_SETTINGS } as unknown as RoomRecord;

/**
 * A room's log with one open ask, its writing and its asks, with Limiters that answer by hand. So many earlier messages are
 * still to be brought back from D1.
 */
function deskWithAsk(inD1 = 0) {
  const storage = new TestStorage();
  const log = openLog(storage);
  log.start({ messages: [], head: inD1, oldest: inD1 + 1 });
  const pages = new Pages({ log, hide: () => undefined, siteUsers: { of: () => undefined } });
  log.append([{ id: "a", kind: "ask", sender: "anna/bot", content: ASKED, ref: null }], NOON);
  const clock = { now: NOON };
  /** Where the log ended when each batch began. */
  const batches: number[] = [];
  const wakes: number[] = [];
  const limiters: (() => void)[] = [];
  const admission: Admission = { granted: 1, retryAfter: 1, quota: { limit: 60, remaining: 1, window: 60 } };
  const submissions: Submissions = new Submissions({
    now: () => clock.now,
    // The batch's window is over with the turn, so what is admitted in one turn is one batch.
    schedule: (delay, run) => {
      if (delay < 1_000) setTimeout(run, 0);
      return () => undefined;
    },
    record: () => ROOM,
    reader: (participant) => participant,
    log,
    audience: () => 0,
    leases: new Leases("den", () => "question"),
    ask: () => new Promise<Admission>((resolve) => limiters.push(() => resolve(admission))),
    begin: () => batches.push(log.head),
    wrote: () => undefined,
    screen: {
      earlier: () => undefined,
      refuse: () => undefined,
      hold: () => undefined,
      passed: () => undefined,
    },
    asks: { turn: () => asks.turn() },
    publish: () => undefined,
  });
  const asks: Asks = new Asks({
    now: () => clock.now,
    record: () => ROOM,
    named: (sender) => ({ sender, role: undefined }),
    log,
    submit: (entry) => submissions.submit(entry),
    place: (entry) => submissions.place(entry),
    refuseMissing: (seq) => pages.refuseMissing(seq),
    wakeIn: (delay) => wakes.push(delay),
  });
  const answer = (sender: string, option = "yes", id = "x", target = 1): Promise<Outcome> => {
    const participant: Participant = { sender, principal: `person:${sender}` };
    return new Promise((settle) => asks.answer(participant, undefined, { id, answer: { target, option } }, settle));
  };
  const say = (sender: string): Promise<Outcome> => {
    const participant: Participant = { sender, principal: `person:${sender}` };
    return new Promise((settle) =>
      submissions.submit({ participant, origin: undefined, message: text(sender, "t"), settle }),
    );
  };
  return { storage, log, clock, say, batches, wakes, limiters, asks, answer };
}

const told = (outcome: Outcome): [code: Fault["fault"] | "placed", seq: number | undefined] =>
  "fault" in outcome ? [outcome.fault, outcome.seq] : ["placed", outcome.message.seq];

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

describe("an answer", () => {
  it("is the first of those that come in one batch, and the others are told its seq", async () => {
    const { log, limiters, batches, say, answer } = deskWithAsk();
    expect(told(await answer("cleo", "maybe"))).toEqual(["invalid", undefined]);
    // Two who speak one after the other: the room takes them for a crowd, and gathers from now on.
    const before = [say("eve"), say("finn")];
    for (const admit of limiters.splice(0)) admit();
    expect((await Promise.all(before)).map(told)).toEqual([
      ["placed", 2],
      ["placed", 3],
    ]);
    const answers = [answer("bob", "no"), answer("cleo"), answer("dora"), answer("bob", "no")];
    const begun = batches.length;
    for (const admit of limiters.splice(0)) admit();
    expect((await Promise.all(answers)).map(told)).toEqual([
      ["placed", 4],
      ["conflict", 4],
      ["conflict", 4],
      // Sent twice while it was under way.
      ["placed", 4],
    ]);
    expect(batches.length - begun, "batches").toBe(1);
    expect(log.after(3, 9).map(({ kind, sender }) => [kind, sender])).toEqual([["answer:no", "bob"]]);
  });

  it("that comes too late ends the ask first, once however many come, and is told by what", async () => {
    const { log, clock, answer } = deskWithAsk();
    clock.now += ASK_OPEN.usual;
    const late = await Promise.all(Array.from({ length: 100 }, (_, index) => answer(`bob-${index}`)));
    expect(new Set(late.map((outcome) => told(outcome).join()))).toEqual(new Set(["conflict,2"]));
    expect(log.after(1, 9)).toMatchObject([{ kind: "expiry", sender: "anna/bot", ref: 1 }]);
  });

  it("whose time is over while it waits for its Limiter is too late", async () => {
    const { log, clock, limiters, answer } = deskWithAsk();
    const waiting = answer("bob");
    await expect.poll(() => limiters).toHaveLength(1);
    clock.now += ASK_OPEN.usual;
    limiters[0]?.();
    expect(told(await waiting)).toEqual(["conflict", 2]);
    expect(log.after(1, 9).map(({ kind }) => kind)).toEqual(["expiry"]);
  });

  it("is told to come again when it can't be read what the ask was closed by", async () => {
    const { log, clock, answer } = deskWithAsk();
    clock.now += ASK_OPEN.usual;
    vi.spyOn(log, "get").mockImplementation(() => {
      throw new Error("disk I/O error");
    });
    expect(told(await answer("bob"))).toEqual(["unavailable", undefined]);
  });

  it("is told that the ask was deleted, and by which message", async () => {
    const { log, answer } = deskWithAsk();
    log.append([{ id: "delete:1", kind: "deletion", sender: "anna", content: "", ref: 1 }], NOON);
    expect(told(await answer("bob"))).toEqual(["conflict", 2]);
  });
});

describe("the end of an ask", () => {
  it("comes at its time and not before, whichever way the clock goes, and is looked for again until then", () => {
    const { log, clock, wakes, asks } = deskWithAsk();
    asks.expire();
    expect([log.head, wakes]).toEqual([1, [ASK_OPEN.usual]]);
    clock.now -= 3_600_000;
    asks.expire();
    expect([log.head, wakes.at(-1)]).toEqual([1, ASK_OPEN.usual + 3_600_000]);
    clock.now = NOON + ASK_OPEN.usual - 1;
    asks.expire();
    expect([log.head, wakes.at(-1)]).toEqual([1, 1]);
    clock.now += 1;
    asks.expire();
    asks.expire();
    expect(log.after(1, 9).map(({ kind }) => kind)).toEqual(["expiry"]);
  });

  it("is tried again when the room's storage does not take it", async () => {
    const { storage, log, clock, wakes, asks } = deskWithAsk();
    clock.now += ASK_OPEN.usual;
    storage.refuse("");
    asks.expire();
    await expect.poll(() => wakes).not.toEqual([]);
    expect([log.head, wakes]).toEqual([1, [60_000]]);
    storage.sql.exec("DROP TRIGGER refuse");
    asks.expire();
    expect(log.head).toBe(2);
  });

  it("is none of a room that is gone", () => {
    const { log, clock, asks } = deskWithAsk();
    clock.now += ASK_OPEN.usual;
    asks.close();
    asks.expire();
    expect(log.head).toBe(1);
  });
});

describe("an answer to what is still to be brought back", () => {
  it("is told to come again, and nothing is kept of it", async () => {
    const { log, answer } = deskWithAsk(5);
    expect(await answer("bob", "yes", "x", 3)).toMatchObject({ fault: "unavailable", retryAfter: 2 });
    expect(await answer("bob", "yes", "y", 9)).toMatchObject({ fault: "not_found" });
    expect(log.head).toBe(6);
  });
});
