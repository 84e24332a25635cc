import { describe, expect, it, vi } from "vitest";
import { deletion, RoomStorage, seqs, text } from "../../test/unit/sqlite.ts";
import type { Participant } from "../identity/sender.ts";
import type { Admission } from "../limits/question.ts";
import { Journal, type StoredMessage, type Unplaced } from "../log/journal.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord, type RoomSettings } from "../room-record.ts";
import { AdmissionDesk, type Outcome } from "./admission.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const person: Participant = { sender: "swift-otter", principal: "key:1", keyId: "k1" };
const claude: Participant = { ...person, sender: "swift-otter/claude" };
const other: Participant = { sender: "calm-heron", principal: "key:2", keyId: "k2" };
const guest: Participant = { sender: "~brisk-lynx-4f2a9c", principal: "address:192.0.2.1" };

const say = (who: Participant, id: string, content?: string) => ({ who, message: text(who.sender, id, content) });

/** A desk over a real journal, with Limiters that grant everything until they are told otherwise. */
function desk(settings: Partial<RoomSettings> = {}) {
  const storage = new RoomStorage();
  const journal = new Journal(storage);
  journal.start([]);
  const room = {
    id: "den",
    createdBy: null,
    settings: { ...DEFAULT_SETTINGS, ...settings },
  } as unknown as RoomRecord & { settings: RoomSettings };
  const published: StoredMessage[][] = [];
  const asked: [principal: string, count: number][] = [];
  const limiter = {
    left: Number.POSITIVE_INFINITY,
    answer: undefined as (() => Promise<Admission | Fault>) | undefined,
  };
  const make = () =>
    new AdmissionDesk({
      now: () => NOON,
      room: () => room,
      journal,
      admit: async ({ principal }, count) => {
        asked.push([principal, count]);
        if (limiter.answer) return limiter.answer();
        const granted = Math.min(count, limiter.left);
        limiter.left -= granted;
        return { granted, retryAfter: 9, quota: { limit: 60, remaining: limiter.left, window: 60 } };
      },
      publish: (messages) => void published.push([...messages]),
    });
  const subject = make();
  /** Hands in a batch; what each of them was told, in the order of the telling. */
  async function handle(...batch: { who: Participant; message: Unplaced; origin?: string }[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    await subject.handle(
      batch.map(({ who, message, origin }, index) => ({
        participant: who,
        origin,
        message,
        settle: (outcome) => {
          expect(outcomes).toHaveLength(index);
          outcomes.push(outcome);
        },
      })),
    );
    expect(outcomes).toHaveLength(batch.length);
    return outcomes;
  }
  return { desk: subject, handle, storage, journal, room, published, asked, limiter, make };
}

/** An outcome in short: `7` for a new message, `=7` for one that was there, or the error's code. */
function brief(outcome: Outcome): number | string {
  if (isFault(outcome)) return outcome.fault;
  return outcome.repeated ? `=${outcome.message.seq}` : outcome.message.seq;
}

describe("a batch", () => {
  it("gets its places in the order of its coming, whoever's Limiter answers first (promise 2)", async () => {
    const { handle, journal, published, limiter } = desk();
    let release: (() => void) | undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    limiter.answer = async () => {
      if (first) {
        first = false;
        await slow;
      } else release?.();
      return { granted: 9, retryAfter: 0, quota: { limit: 60, remaining: 9, window: 60 } };
    };
    const outcomes = await handle(say(person, "a"), say(other, "b"), say(person, "c"));
    expect(outcomes.map(brief)).toEqual([1, 2, 3]);
    expect(journal.after(0, 9).map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(published.map(seqs)).toEqual([[1, 2, 3]]);
  });

  it("is given its seqs after the Limiters have answered, so that two batches never get the same (promise 2)", async () => {
    const { desk: subject, published, limiter } = desk();
    const slow = Promise.withResolvers<void>();
    const quota = { limit: 60, remaining: 9, window: 60 };
    limiter.answer = () => slow.promise.then(() => ({ granted: 1, retryAfter: 0, quota }));
    const settle = () => undefined;
    const entry = (who: Participant, id: string) => ({ participant: who, origin: undefined, settle, ...say(who, id) });
    const first = subject.handle([entry(person, "a")]);
    limiter.answer = async () => ({ granted: 1, retryAfter: 0, quota });
    await subject.handle([entry(other, "b")]);
    slow.resolve();
    await first;
    expect(published.flat().map(({ seq, id }) => `${seq} ${id}`)).toEqual(["1 b", "2 a"]);
  });

  it("asks each author's Limiter once, for the messages that need it", async () => {
    const { handle, asked } = desk();
    await handle(say(person, "a"), say(other, "b"), say(claude, "c"), say(guest, "d"), say(person, "e"));
    expect(asked).toEqual([
      ["key:1", 3],
      ["key:2", 1],
      ["address:192.0.2.1", 1],
    ]);
  });

  it("tells its authors what is left to them", async () => {
    const { handle, limiter } = desk();
    limiter.left = 5;
    const [outcome] = await handle(say(person, "a"));
    expect(outcome).toMatchObject({ quota: { limit: 60, remaining: 4, window: 60 } });
  });

  it("is told to everybody before its authors are answered, and in the same turn as it was written", async () => {
    const { journal, room } = desk();
    const order: string[] = [];
    const append = journal.append.bind(journal);
    journal.append = (...args) => {
      order.push("written");
      queueMicrotask(() => order.push("another turn"));
      return append(...args);
    };
    const subject = new AdmissionDesk({
      now: () => NOON,
      room: () => room,
      journal,
      admit: async () => ({ granted: 1, retryAfter: 0, quota: { limit: 60, remaining: 59, window: 60 } }),
      publish: () => order.push("told"),
    });
    const settle = () => order.push("answered");
    await subject.handle([{ participant: person, origin: undefined, message: text("swift-otter", "a"), settle }]);
    await Promise.resolve();
    expect(order).toEqual(["written", "told", "answered", "another turn"]);
  });
});

describe("a retry is free (promise 3)", () => {
  it("over batches: the first one's seq, nothing stored, no quota asked", async () => {
    const { handle, journal, published, asked } = desk();
    await handle(say(person, "a"));
    expect((await handle(say(person, "a"))).map(brief)).toEqual(["=1"]);
    expect([journal.head, published.length, asked.length]).toEqual([1, 1, 1]);
  });

  it("within a batch", async () => {
    const { handle, journal, asked } = desk();
    expect((await handle(say(person, "a"), say(other, "a"), say(person, "a"))).map(brief)).toEqual([1, 2, "=1"]);
    expect(journal.head).toBe(2);
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:2", 1],
    ]);
  });

  it("over quota, muted, paused or refused storage notwithstanding", async () => {
    const { handle, limiter, room, storage } = desk({ loopGuard: 1 });
    await handle(say(claude, "a"));
    limiter.left = 0;
    room.settings = { ...room.settings, mutes: { "swift-otter": null } };
    storage.refuse("swift-otter/claude says a");
    expect((await handle(say(claude, "a"))).map(brief)).toEqual(["=1"]);
  });

  it("after the message was deleted, with whatever content: nothing comes back", async () => {
    const { handle, journal } = desk();
    await handle(say(person, "a", "secret"));
    await handle({ who: person, message: deletion("swift-otter", 1) });
    expect((await handle(say(person, "a", "secret"))).map(brief)).toEqual(["=1"]);
    expect(journal.get(1)?.content).toBe("");
  });

  it("but another content or another answer under the same id is a conflict, over batches and within", async () => {
    const { handle, journal } = desk();
    await handle(say(person, "a", "one"));
    const answer = { who: person, message: { ...text("swift-otter", "a", "one"), ref: 1 } };
    const outcomes = await handle(say(person, "a", "two"), answer, say(person, "b", "one"), say(person, "b", "two"));
    expect(outcomes.map(brief)).toEqual(["conflict", "conflict", 2, "conflict"]);
    expect(journal.head).toBe(2);
  });

  it("and an id is one sender's: a person and their agent may use the same", async () => {
    const { handle } = desk();
    expect((await handle(say(person, "a"), say(claude, "a"))).map(brief)).toEqual([1, 2]);
  });

  it("of a message that was refused is refused with it, and may be tried again", async () => {
    const { handle, limiter } = desk();
    limiter.left = 0;
    expect((await handle(say(person, "a"), say(person, "a"))).map(brief)).toEqual(["rate_limited", "rate_limited"]);
    limiter.left = 1;
    expect((await handle(say(person, "a"))).map(brief)).toEqual([1]);
  });
});

describe("quotas", () => {
  it("let the first ones in and tell the others when to come again", async () => {
    const { handle, limiter, journal } = desk();
    limiter.left = 2;
    const outcomes = await handle(...["a", "b", "c", "d"].map((id) => say(person, id)));
    expect(outcomes.map(brief)).toEqual([1, 2, "rate_limited", "rate_limited"]);
    expect(outcomes[3]).toMatchObject({ retryAfter: 9 });
    expect(journal.head).toBe(2);
  });

  it("refuse a revoked key from the very next write, and nobody else", async () => {
    const { handle, limiter } = desk();
    limiter.answer = async () => fault("unauthorized", "This key is not valid.");
    expect((await handle(say(person, "a"))).map(brief)).toEqual(["unauthorized"]);
  });

  it("that can't be asked keep nothing, and say so (promise 6)", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, limiter, journal, published } = desk();
    limiter.answer = () => Promise.reject(new Error("internal error"));
    expect((await handle(say(person, "a"), say(other, "b"))).map(brief)).toEqual(["unavailable", "unavailable"]);
    expect([journal.head, published.length]).toEqual([0, 0]);
    limiter.answer = undefined;
    expect((await handle(say(person, "a"))).map(brief)).toEqual([1]);
    log.mockRestore();
  });

  it("are not used up by a deletion; only whether the key is still good is asked", async () => {
    const { handle, asked } = desk();
    await handle(say(person, "a"));
    await handle({ who: person, message: deletion("swift-otter", 1) });
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:1", 0],
    ]);
  });
});

describe("storage that refuses", () => {
  it("acknowledges nothing, tells nobody, and takes the next (promises 1 and 6)", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, storage, journal, published } = desk();
    storage.refuse("too much");
    const outcomes = await handle(say(person, "a"), say(other, "b", "too much"), say(person, "a"));
    expect(outcomes.map(brief)).toEqual(["unavailable", "unavailable", "unavailable"]);
    expect([journal.head, published.length]).toEqual([0, 0]);
    expect((await handle(say(person, "a"))).map(brief)).toEqual([1]);
    log.mockRestore();
  });

  it("does not count for the loop guard", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, storage, desk: subject } = desk({ loopGuard: 1 });
    storage.refuse("too much");
    await handle(say(claude, "a", "too much"));
    expect(subject.agentsPaused).toBe(false);
    log.mockRestore();
  });
});

describe("the loop guard", () => {
  it("holds agents back after so many in a row, over batches and within, until a person speaks", async () => {
    const { handle, desk: subject } = desk({ loopGuard: 3 });
    await handle(say(claude, "1"), say(claude, "2"));
    expect(subject.agentsPaused).toBe(false);
    expect((await handle(say(claude, "3"), say(claude, "4"))).map(brief)).toEqual([3, "loop_guard"]);
    expect(subject.agentsPaused).toBe(true);
    const outcomes = await handle(say(claude, "5"), say(person, "6"), say(claude, "7"));
    expect(outcomes.map(brief)).toEqual(["loop_guard", 4, 5]);
    expect(subject.agentsPaused).toBe(false);
  });

  it("takes a guest for a person, and a deletion for neither", async () => {
    const { handle, desk: subject } = desk({ loopGuard: 2 });
    await handle(say(claude, "1"), say(claude, "2"), { who: person, message: deletion("swift-otter", 1) });
    expect(subject.agentsPaused).toBe(true);
    await handle(say(guest, "3"));
    expect(subject.agentsPaused).toBe(false);
  });

  it("counts on after a restart", async () => {
    const { handle, make } = desk({ loopGuard: 3 });
    await handle(say(person, "0"), say(claude, "1"), say(claude, "2"), say(claude, "3"));
    expect(make().agentsPaused).toBe(true);
    expect(make().refuse(claude, undefined)).toMatchObject({ fault: "loop_guard" });
    expect(make().refuse(person, undefined)).toBeUndefined();
  });

  it("does not count who was over quota", async () => {
    const { handle, limiter, desk: subject } = desk({ loopGuard: 2 });
    limiter.left = 1;
    await handle(say(claude, "1"), say(claude, "2"), say(claude, "3"));
    expect(subject.agentsPaused).toBe(false);
  });

  it("is off at 0, and follows what the owner settles", async () => {
    const { handle, room, desk: subject } = desk({ loopGuard: 0 });
    await handle(...["1", "2", "3"].map((id) => say(claude, id)));
    expect(subject.agentsPaused).toBe(false);
    room.settings = { ...room.settings, loopGuard: 3 };
    subject.rulesChanged();
    expect(subject.agentsPaused).toBe(true);
  });
});

describe("the room's rules", () => {
  it("refuse the muted, guests where they read, and pages of other origins, before any quota is asked", async () => {
    const { handle, asked } = desk({ guests: "read", origins: ["https://a.example"], mutes: { "calm-heron": null } });
    const outcomes = await handle(
      say(guest, "a"),
      say(other, "b"),
      { ...say(person, "c"), origin: "https://b.example" },
      { ...say(person, "d"), origin: "https://a.example" },
    );
    expect(outcomes.map(brief)).toEqual(["read_only", "muted", "forbidden", 1]);
    expect(asked).toEqual([["key:1", 1]]);
  });

  it("let the muted take back what they said", async () => {
    const { handle, room } = desk();
    await handle(say(person, "a"));
    room.settings = { ...room.settings, mutes: { "swift-otter": null } };
    expect((await handle({ who: person, message: deletion("swift-otter", 1) })).map(brief)).toEqual([2]);
  });
});
