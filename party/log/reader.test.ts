import { beforeEach, describe, expect, it } from "vitest";
import { RoomStorage, seqs, TestD1, text } from "../../test/unit/sqlite.ts";
import { LIMITS } from "../protocol.ts";
import { Archive } from "./archive.ts";
import { Journal, KEPT } from "./journal.ts";
import { Reader } from "./reader.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

let db: TestD1;
let journal: Journal;
let burden: number;
let reader: Reader;

beforeEach(() => {
  db = new TestD1();
  journal = new Journal(new RoomStorage());
  journal.start([]);
  burden = 0;
  reader = new Reader({ room: "lobby", journal, db, burden: () => burden });
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
    room: "lobby",
    journal,
    db,
    keepAlive: () => undefined,
    wakeIn: () => undefined,
    delay: 0,
    gone: async () => undefined,
  });
  await archive.run();
  if (parked !== undefined) db.rows("DELETE FROM messages WHERE seq = ?", [parked]);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a newcomer", () => {
  it(`gets the last ${LIMITS.welcome}`, () => {
    say(3);
    expect(seqs(reader.latest())).toEqual([1, 2, 3]);
    say(100);
    expect(seqs(reader.latest())).toEqual(range(54, 103));
  });
});

describe("a cursor (promise 4)", () => {
  it("gives exactly what came after it", () => {
    say(5);
    for (let after = 0; after <= 5; after++) {
      expect(seqs(reader.resume({ after, epoch: journal.epoch }) ?? [])).toEqual(range(after + 1, 5));
    }
    expect(seqs(reader.resume({ after: 2 }) ?? [])).toEqual([3, 4, 5]);
  });

  it("is refused when it is of another history, ahead of this one, or of what is not here any more", async () => {
    say(KEPT + 4_000);
    await archive();
    expect(journal.oldest).toBe(4_001);
    expect(reader.resume({ after: journal.head, epoch: "another" })).toBeUndefined();
    expect(reader.resume({ after: journal.head + 1 })).toBeUndefined();
    expect(reader.resume({ after: 3_999 })).toBeUndefined();
  });

  it("is refused when a rebuilt room has taken up less than that", () => {
    say(5);
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start(journal.after(2, 5));
    const { epoch } = rebuilt;
    const other = new Reader({ room: "lobby", journal: rebuilt, db, burden: () => 0 });
    expect(other.resume({ after: 1, epoch })).toBeUndefined();
    expect(seqs(other.resume({ after: 2, epoch }) ?? [])).toEqual([3, 4, 5]);
  });

  it(`is refused when more than ${LIMITS.resume} messages or ${LIMITS.resumeBytes} bytes came after it`, () => {
    say(LIMITS.resume + 1);
    expect(reader.resume({ after: 0 })).toBeUndefined();
    expect(reader.resume({ after: 1 })).toHaveLength(LIMITS.resume);
    const before = journal.head;
    say(LIMITS.resumeBytes / LIMITS.contentBytes, "ä".repeat(LIMITS.contentBytes / 2));
    expect(reader.resume({ after: before })).toHaveLength(LIMITS.resumeBytes / LIMITS.contentBytes);
    expect(reader.resume({ after: before - 1 })).toBeUndefined();
  });

  it("is refused when what others have not read yet fills the room's memory, unless it asks for little (promise 9)", () => {
    say(100, "x".repeat(LIMITS.contentBytes));
    burden = 47 * 1024 * 1024;
    expect(reader.resume({ after: 0 })).toBeUndefined();
    expect(reader.resume({ after: 80 })).toHaveLength(20);
    burden = 0;
    expect(reader.resume({ after: 0 })).toHaveLength(100);
  });
});

describe("pages", () => {
  const seqsOf = async (at: { after: number } | { before: number } | undefined, limit: number) => {
    return (await reader.page(at, limit)).messages.map(({ seq }) => seq);
  };

  it("are the same wherever the messages are: here, in D1, or on both sides", async () => {
    say(KEPT + 5_000);
    const { head } = journal;
    await archive();
    expect(journal.oldest).toBe(5_001);
    expect(await seqsOf({ after: 4_998 }, 5)).toEqual(range(4_999, 5_003));
    expect(await seqsOf({ after: 10 }, 5)).toEqual(range(11, 15));
    expect(await seqsOf({ before: 5_003 }, 5)).toEqual(range(4_998, 5_002));
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
    say(KEPT + 4_000);
    await archive();
    db.trouble = "away";
    expect(await seqsOf({ after: 4_000 }, 2)).toEqual([4_001, 4_002]);
    expect(await seqsOf({ before: 4_003 }, 2)).toEqual([4_001, 4_002]);
    await expect(reader.page({ before: 4_003 }, 3)).rejects.toThrow("lost");
    await expect(reader.page({ after: 3_999 }, 3)).rejects.toThrow("lost");
  });
});
