import { beforeEach, describe, expect, it } from "vitest";
import { keepsAll } from "../../test/unit/keeps-all.ts";
import { deletion, RoomStorage, seqs, TestD1, text } from "../../test/unit/sqlite.ts";
import { Archive } from "../archive/archive.ts";
import { Closed } from "./closed.ts";
import { Journal, KEPT } from "./journal.ts";
import { Reader } from "./reader.ts";
import { SEGMENT } from "./segments.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

let db: TestD1;
let journal: Journal;
let reader: Reader;

beforeEach(() => {
  db = new TestD1();
  journal = new Journal(new RoomStorage());
  journal.start({ messages: [] });
  reader = new Reader({ room: "lobby", journal, db, retention: keepsAll });
});

function say(count: number, content = "line"): void {
  const from = journal.head + 1;
  journal.append(
    Array.from({ length: count }, (_, index) => text("a-b", `m${from + index}`, content)),
    NOON,
  );
}

/** Copies everything to D1, after which the room prunes. `parked` is what D1 refuses. */
async function archive(parked?: number): Promise<void> {
  if (parked !== undefined) journal.park(parked, "too big");
  const archive = new Archive({
    setBack: () => undefined,
    room: "lobby",
    createdAt: db.createdAt,
    journal,
    db,
    now: () => 0,
    holds: { load: () => undefined, save: () => undefined },
    stored: () => ({ bytes: 0, limit: undefined }),
    keepAlive: () => undefined,
    wakeIn: () => undefined,
    delay: 0,
    gone: async () => undefined,
    retention: keepsAll,
    ordered: () => undefined,
  });
  await archive.run();
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("pages", () => {
  const seqsOf = async (at: { after: number } | { before: number } | undefined, limit: number) => {
    return (await reader.page(at, limit)).messages.map(({ seq }) => seq);
  };

  it("are the same wherever the messages are: here, in D1, or on both sides", async () => {
    say(KEPT + SEGMENT);
    const { head } = journal;
    await archive();
    expect(journal.oldest).toBe(SEGMENT + 1);
    expect(await seqsOf({ after: SEGMENT - 2 }, 5)).toEqual(range(SEGMENT - 1, SEGMENT + 3));
    expect(await seqsOf({ after: 10 }, 5)).toEqual(range(11, 15));
    expect(await seqsOf({ before: SEGMENT + 3 }, 5)).toEqual(range(SEGMENT - 2, SEGMENT + 2));
    expect(await seqsOf({ before: 12 }, 5)).toEqual(range(7, 11));
    expect(await seqsOf({ before: 3 }, 5)).toEqual([1, 2]);
    expect(await seqsOf(undefined, 3)).toEqual(range(head - 2, head));
  });

  it("can be followed from the first message to the last, and back, with nothing twice or missing", async () => {
    say(KEPT + 4_500);
    await archive(17);
    say(300);
    const forward: number[] = [];
    for (let after = 0, more = true; more; after = forward.at(-1) as number) {
      const page = await reader.page({ after, epoch: journal.epoch }, 199);
      forward.push(...page.messages.map(({ seq }) => seq));
      more = page.more;
    }
    expect(forward).toEqual(range(1, journal.head));
    const back: number[] = [];
    for (let before = journal.head + 1, more = true; more; before = back[0] as number) {
      const page = await reader.page({ before }, 199);
      back.unshift(...page.messages.map(({ seq }) => seq));
      more = page.more;
    }
    expect(back).toEqual(forward);
  });

  it("say whether there is more in the direction that was asked for", async () => {
    say(5);
    const more = async (at: { after: number } | { before: number }) => (await reader.page(at, 2)).more;
    expect([await more({ after: 2 }), await more({ after: 3 }), await more({ after: 5 })]).toEqual([
      true,
      false,
      false,
    ]);
    expect([await more({ before: 4 }), await more({ before: 3 }), await more({ before: 1 })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("say when they are of another history, and are the newest then", async () => {
    say(5);
    for (const at of [{ after: 2, epoch: "another" }, { after: 6 }]) {
      expect(await reader.page(at, 2)).toMatchObject({ reset: true, head: 5, messages: [{ seq: 4 }, { seq: 5 }] });
    }
    expect(await reader.page({ after: 3 }, 5)).not.toHaveProperty("reset");
  });

  it("need D1 only for what is not here", async () => {
    say(KEPT + SEGMENT);
    await archive();
    db.trouble = "away";
    const here = [SEGMENT + 1, SEGMENT + 2];
    expect(await seqsOf({ after: SEGMENT }, 2)).toEqual(here);
    expect(await seqsOf({ before: SEGMENT + 3 }, 2)).toEqual(here);
    await expect(reader.page({ before: SEGMENT + 3 }, 3)).rejects.toThrow("lost");
    await expect(reader.page({ after: SEGMENT - 1 }, 3)).rejects.toThrow("lost");
  });

  it("hold no message twice when the room prunes while D1 is asked", async () => {
    say(KEPT + SEGMENT);
    await archive();
    // What D1 answers comes after the room has let go of the next segment, too.
    say(SEGMENT);
    const asked = reader.page({ before: SEGMENT + 4 }, 6);
    const askedAfter = reader.page({ after: SEGMENT - 3 }, 6);
    journal.markArchived(journal.head);
    expect(journal.prune()).toBe(SEGMENT);
    expect(seqs((await asked).messages)).toEqual(range(SEGMENT - 2, SEGMENT + 3));
    expect(seqs((await askedAfter).messages)).toEqual(range(SEGMENT - 2, SEGMENT + 3));
  });

  it("show nothing of a message that was deleted, also when D1 does not know it yet", async () => {
    say(KEPT + SEGMENT, "secret");
    await archive();
    journal.append([deletion("a-b", 7)], NOON);
    db.trouble = "read-only";
    for (const at of [{ before: 9 }, { after: 5 }]) {
      const { messages } = await reader.page(at, 3);
      expect(messages.map(({ seq, content, deleted }) => [seq, content, deleted])).toEqual(
        [6, 7, 8].map((seq) => (seq === 7 ? [7, "", true] : [seq, "secret", undefined])),
      );
    }
  });
});

describe("a message", () => {
  it("is found wherever it is, and D1 is asked only for what is not here", async () => {
    say(KEPT + SEGMENT);
    await archive();
    expect((await reader.message(3))?.id).toBe("m3");
    db.trouble = "away";
    expect((await reader.message(SEGMENT + 1))?.id).toBe(`m${SEGMENT + 1}`);
    expect(await reader.message(journal.head + 1)).toBeUndefined();
    await expect(reader.message(3)).rejects.toThrow("lost");
  });

  it("that only D1 has is recognised when it is sent again (promise 3)", async () => {
    say(10);
    await archive();
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start({ messages: journal.after(8, 2), pairs: journal.after(0, 10) });
    const other = new Reader({ room: "lobby", journal: rebuilt, db, retention: keepsAll });
    expect(rebuilt.find("a-b", "m3")).toBeUndefined();
    expect(await other.findInD1("a-b", "m3")).toEqual(journal.get(3));
    expect(other.findInD1("a-b", "m9")).toBeUndefined();
    expect(other.findInD1("c-d", "m3")).toBeUndefined();
    db.trouble = "away";
    await expect(other.findInD1("a-b", "m3")).rejects.toThrow("lost");
  });
});

it("of a closed journal tells nothing", async () => {
  say(KEPT + SEGMENT);
  await archive();
  const asked = reader.page({ before: 5 }, 2);
  journal.close();
  await expect(asked).rejects.toThrow(Closed);
  await expect(reader.page(undefined, 2)).rejects.toThrow(Closed);
  await expect(reader.message(1)).rejects.toThrow(Closed);
  expect(() => reader.findInD1("a-b", "m1")).toThrow(Closed);
});
