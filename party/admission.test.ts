import { describe, expect, it, vi } from "vitest";
import { deletion, RoomStorage, seqs, text } from "../test/unit/sqlite.ts";
import { type Admission, AdmissionDesk, type Entry, type Outcome } from "./admission.ts";
import { Journal, type StoredMessage, type Unplaced } from "./journal.ts";
import { type Fault, fault, isFault } from "./protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "./room.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const ROOM: RoomRecord = {
  id: "lobby",
  name: "Lobby",
  topic: "",
  listed: true,
  createdBy: null,
  createdAt: new Date(NOON).toISOString(),
  settings: DEFAULT_SETTINGS,
  revision: 1,
  lastSeq: 0,
  epoch: null,
  lastMessageAt: null,
  guestPepper: "pepper",
};

const granted = (count: number, remaining = 9): Admission => {
  return { granted: count, retryAfter: 30, quota: { limit: 10, remaining, window: 60 } };
};

/** A desk with a log of its own, whose Limiters answer what and when `admit` says. */
function desk({
  admit = async (_: string, count: number): Promise<Admission | Fault> => granted(count),
  settings = DEFAULT_SETTINGS,
} = {}) {
  const storage = new RoomStorage();
  const journal = new Journal(storage);
  journal.start([]);
  const published: StoredMessage[][] = [];
  const asked: string[] = [];
  const deps = {
    now: () => NOON,
    room: () => ({ ...ROOM, settings }),
    journal,
    admit: (principal: string, count: number) => {
      asked.push(`${principal} ${count}`);
      return admit(principal, count);
    },
    publish: (messages: readonly StoredMessage[]) => {
      // What everybody is told is in the log, or the promise is broken already.
      expect(messages.map(({ seq }) => journal.get(seq))).toEqual(messages);
      published.push([...messages]);
    },
  };
  return { desk: new AdmissionDesk(deps), storage, journal, published, asked };
}

/** An entry by its message's sender, and what became of it. */
function entry(message: Unplaced): Entry & { outcomes: Outcome[] } {
  const outcomes: Outcome[] = [];
  const [person] = message.sender.split("/");
  const participant = { sender: message.sender, principal: `key:${person}` };
  return { participant, origin: undefined, message, outcomes, settle: (outcome) => outcomes.push(outcome) };
}

/** An outcome in a word: the seq, `again` before it when it was there before; or the code. */
function inAWord({ outcomes }: { outcomes: Outcome[] }): string {
  expect(outcomes).toHaveLength(1);
  const [outcome] = outcomes as [Outcome];
  if (isFault(outcome)) return outcome.fault;
  return `${outcome.repeated ? "again " : ""}${outcome.message.seq}`;
}

describe("one order (promise 2)", () => {
  it("places a batch in the order in which it was gathered, whichever Limiter answers first", async () => {
    const slow = Promise.withResolvers<void>();
    const admit = async (principal: string, count: number) => {
      if (principal === "key:ann") await slow.promise;
      return granted(count);
    };
    const { desk: subject, journal, published } = desk({ admit });
    const entries = [text("ann", "1"), text("bob", "1"), text("ann", "2"), text("bob", "2")].map(entry);
    const handled = subject.handle(entries);
    // Bob's Limiter has long answered.
    slow.resolve();
    await handled;
    expect(entries.map(inAWord)).toEqual(["1", "2", "3", "4"]);
    expect(journal.after(0, 9).map(({ sender, id }) => sender + id)).toEqual(["ann1", "bob1", "ann2", "bob2"]);
    expect(published.map(seqs)).toEqual([[1, 2, 3, 4]]);
  });

  it("gives out a seq only when the Limiters have answered, so that batches that overlap don't collide", async () => {
    const slow = Promise.withResolvers<void>();
    const admit = async (principal: string, count: number) => {
      if (principal === "key:ann") await slow.promise;
      return granted(count);
    };
    const { desk: subject, published } = desk({ admit });
    const [first, second] = [entry(text("ann", "1")), entry(text("bob", "1"))];
    const slowly = subject.handle([first]);
    await subject.handle([second]);
    slow.resolve();
    await slowly;
    expect([inAWord(second), inAWord(first)]).toEqual(["1", "2"]);
    expect(published.map(seqs)).toEqual([[1], [2]]);
  });
});

describe("acknowledged means kept (promise 1)", () => {
  it("tells nobody of a batch that the storage refuses, and each of its authors why", async () => {
    vi.spyOn(console, "error").mockReturnValueOnce();
    const { desk: subject, storage, journal, published } = desk();
    storage.refuse("too much");
    const entries = [text("ann", "1"), text("bob", "1", "too much"), text("cleo", "1")].map(entry);
    await subject.handle(entries);
    expect(entries.map(inAWord)).toEqual(["unavailable", "unavailable", "unavailable"]);
    expect(published).toEqual([]);
    expect(journal.head).toBe(0);
    const again = entry(text("ann", "1"));
    await subject.handle([again]);
    expect(inAWord(again)).toBe("1");
  });
});

describe("a retry is free (promise 3)", () => {
  it("recognises a message in the same batch and in a later one, and asks for it once", async () => {
    const { desk: subject, published, asked } = desk();
    const [first, again, later] = [text("ann", "1"), text("ann", "1"), text("ann", "1")].map(entry) as [
      ReturnType<typeof entry>,
      ReturnType<typeof entry>,
      ReturnType<typeof entry>,
    ];
    await subject.handle([first, again]);
    await subject.handle([later]);
    expect([first, again, later].map(inAWord)).toEqual(["1", "again 1", "again 1"]);
    expect(published.map(seqs)).toEqual([[1]]);
    expect(asked).toEqual(["key:ann 1"]);
  });

  it("refuses the same id with other content, in the same batch and in a later one", async () => {
    const { desk: subject } = desk();
    const [first, other, later] = [text("ann", "1"), text("ann", "1", "other"), text("ann", "1", "other")].map(entry);
    await subject.handle([first!, other!]);
    await subject.handle([later!]);
    expect([first!, other!, later!].map(inAWord)).toEqual(["1", "conflict", "conflict"]);
  });

  it("knows messages by sender and id: two people may choose the same", async () => {
    const { desk: subject } = desk();
    const entries = [text("ann", "1"), text("bob", "1"), text("ann/bot", "1")].map(entry);
    await subject.handle(entries.slice(0, 2));
    await subject.handle(entries.slice(2));
    expect(entries.map(inAWord)).toEqual(["1", "2", "3"]);
  });

  it("recognises what has been deleted since, whatever it said", async () => {
    const { desk: subject } = desk();
    await subject.handle([entry(text("ann", "1"))]);
    await subject.handle([entry(deletion("ann", 1))]);
    const again = entry(text("ann", "1", "something else"));
    await subject.handle([again]);
    expect(inAWord(again)).toBe("again 1");
  });
});

describe("quotas", () => {
  it("are asked once for each author and batch, and let the first ones in", async () => {
    const admit = async (_: string, count: number) => granted(Math.min(count, 1), 0);
    const { desk: subject, asked } = desk({ admit });
    const entries = [text("ann", "1"), text("ann/bot", "2"), text("bob", "1"), text("ann", "3")].map(entry);
    await subject.handle(entries);
    expect(entries.map(inAWord)).toEqual(["1", "rate_limited", "2", "rate_limited"]);
    expect(entries[3]!.outcomes[0]).toMatchObject({ retryAfter: 30 });
    expect(asked).toEqual(["key:ann 3", "key:bob 1"]);
  });

  it("are not asked for deletions", async () => {
    const { desk: subject, asked } = desk();
    await subject.handle([entry(text("ann", "1"))]);
    await subject.handle([entry(deletion("ann", 1))]);
    expect(asked).toEqual(["key:ann 1"]);
  });

  it("that can't be asked refuse only those whose they are", async () => {
    vi.spyOn(console, "error").mockReturnValueOnce();
    const admit = async (principal: string, count: number) => {
      if (principal === "key:ann") throw new Error("gone");
      return principal === "key:eve" ? fault("unauthorized", "This key is not valid.") : granted(count);
    };
    const { desk: subject } = desk({ admit });
    const entries = [text("ann", "1"), text("bob", "1"), text("eve", "1")].map(entry);
    await subject.handle(entries);
    expect(entries.map(inAWord)).toEqual(["unavailable", "1", "unauthorized"]);
  });
});

describe("the loop guard", () => {
  const settings = { ...DEFAULT_SETTINGS, loopGuard: 2 };

  it("holds agents back after so many messages in a row, until a person speaks", async () => {
    const { desk: subject } = desk({ settings });
    const entries = [
      text("ann/bot", "1"),
      text("bob/bot", "1"),
      text("ann/bot", "2"),
      text("ann", "3"),
      text("ann/bot", "4"),
    ].map(entry);
    await subject.handle(entries);
    expect(entries.map(inAWord)).toEqual(["1", "2", "loop_guard", "3", "4"]);
    expect(subject.agentsPaused).toBe(false);
  });

  it("does not count what was not stored", async () => {
    vi.spyOn(console, "error").mockReturnValueOnce();
    const { desk: subject, storage } = desk({ settings });
    storage.refuse("too much");
    await subject.handle([text("ann/bot", "1"), text("ann/bot", "2", "too much")].map(entry));
    expect(subject.agentsPaused).toBe(false);
  });
});
