/** What is read of a room's messages in D1, in whichever form they are there. */

import { beforeEach, describe, expect, it } from "vitest";
import { seqs, TestD1 } from "../../test/unit/sqlite.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import { archivedBefore, readMessage } from "./d1-packs.ts";
import { firstOf, pack } from "./pack.ts";

const HEAD = 4_230;

let db: TestD1;
beforeEach(() => {
  db = new TestD1();
});

const message = (seq: number, content = `words ${seq}`): StoredMessage => {
  return { seq, id: `m${seq}`, kind: "text", sender: "calm-newt", content, ref: seq > 1 ? 1 : null, at: seq * 1_000 };
};

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function addPacks(first: number, last: number, content?: string): Promise<void> {
  for (let from = first; from <= last; from = firstOf(from) + 100) {
    const messages = range(from, Math.min(firstOf(from) + 99, last)).map((seq) => message(seq, content));
    db.rows("INSERT INTO packs VALUES ('lobby', ?, 1, 1, ?)", [firstOf(from), await pack(messages)]);
  }
}

function addRows(first: number, last: number, words?: string): void {
  for (const seq of range(first, last)) {
    const { id, kind, sender, content, ref, at } = message(seq, words);
    const row = [seq, id, kind, sender, content, ref, new Date(at).toISOString()];
    db.rows("INSERT INTO messages VALUES ('lobby', ?, ?, ?, ?, ?, ?, ?)", row);
  }
}

/** All messages below `before`, over as many questions as it takes, and how many these were. */
async function all(before: number): Promise<{ messages: StoredMessage[]; asked: number }> {
  let found: StoredMessage[] = [];
  let asked = 0;
  for (let from = before; from > 1 || asked === 0; ) {
    const older = await archivedBefore(db, "lobby", from);
    expect(older.messages.every(({ seq }) => seq >= older.from && seq < from)).toBe(true);
    found = [...older.messages, ...found];
    from = older.from;
    asked++;
  }
  return { messages: found, asked };
}

describe.each<[string, [number, number, string?][], [number, number][]]>([
  ["in packs", [], [[1, HEAD]]],
  ["in rows of the older form", [[1, HEAD]], []],
  ["half in packs", [[1, 2_150]], [[2_151, HEAD]]],
  ["in both forms, of which the packs are newer", [[1, HEAD, "older words"]], [[1, HEAD]]],
  [
    "in packs here and there",
    [[1, HEAD]],
    [
      [301, 500],
      [2_001, 2_100],
    ],
  ],
])("what D1 has %s", (_, rows, packs) => {
  beforeEach(async () => {
    for (const some of rows) addRows(...some);
    for (const some of packs) await addPacks(...some);
  });

  it("is read below a seq, whole and in order, some thousand at once", async () => {
    for (const before of [1, 2, 100, 101, 102, 1_999, HEAD + 1, HEAD + 500]) {
      const { messages, asked } = await all(before);
      expect(messages).toEqual(range(1, Math.min(before - 1, HEAD)).map((seq) => message(seq)));
      expect(asked).toBeLessThan(6);
    }
  });

  it("is found by its seq", async () => {
    for (const seq of [1, 100, 101, 350, HEAD]) expect(await readMessage(db, "lobby", seq)).toEqual(message(seq));
    expect(await readMessage(db, "lobby", HEAD + 1)).toBeUndefined();
    expect(await readMessage(db, "den", 1)).toBeUndefined();
  });
});

it("says which of them are still rows of the older form", async () => {
  addRows(1, 250);
  await addPacks(201, 300);
  const { rows, from } = await archivedBefore(db, "lobby", 291);
  expect([rows.toReversed(), from]).toEqual([range(201, 250), 201]);
  expect((await archivedBefore(db, "lobby", 201)).rows.toReversed()).toEqual(range(1, 200));
});

it("says that nothing is older where the oldest are gone", async () => {
  await addPacks(451, 620);
  expect(await archivedBefore(db, "lobby", 621)).toMatchObject({ from: 401 });
  expect(await archivedBefore(db, "lobby", 401)).toEqual({ messages: [], from: 1, rows: [] });
  expect(await archivedBefore(db, "den", 100)).toEqual({ messages: [], from: 1, rows: [] });
});

it("brings no more at once than fits into memory, however long the messages are", async () => {
  // What compresses well is bounded by its length, and what does not, by its bytes.
  await addPacks(1, 2_000, "x".repeat(16_000));
  const { messages, from } = await archivedBefore(db, "lobby", 2_001);
  expect([from, messages.length]).toEqual([1_401, 600]);
  db.rows("DELETE FROM packs");
  addRows(1, 1_000, "x".repeat(16_000));
  const rows = await archivedBefore(db, "lobby", 1_001);
  expect(seqs(rows.messages)).toEqual(range(rows.from, 1_000));
  expect(rows.messages.length).toBeLessThan(150);
});

it("reads by the keys of the tables, and sorts no message", async () => {
  await addPacks(1, 300);
  const plans = await db.plansOf(() => archivedBefore(db, "lobby", 200));
  expect(plans.filter((step) => /SCAN (packs|messages)/.test(step))).toEqual([]);
  expect(plans.filter((step) => /SEARCH (packs|messages) USING PRIMARY KEY/.test(step)).length).toBe(4);
});
