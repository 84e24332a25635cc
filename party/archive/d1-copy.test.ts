import { beforeEach, describe, expect, it } from "vitest";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { type Copy, copyStatements, isRoomGone, type Mark, takesWrites } from "./d1-copy.ts";
import { pack } from "./pack.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

let db: TestD1;

beforeEach(() => {
  db = new TestD1();
});

/** A pack of as many messages, with these words. */
const packOf = async (first: number, words: readonly string[]) => ({
  first,
  body: await pack(
    words.map((content, index) => {
      const seq = first + index;
      return { seq, id: `m${seq}`, kind: "text" as const, sender: "anna", content, ref: null, at: NOON };
    }),
  ),
});

const copy = (change: Partial<Copy>): Copy => ({
  ...{ revision: 1, known: 0, epoch: "e", last: 2, first: 1, goneBefore: null, keepDays: undefined, lastAt: NOON },
  ...{ packs: [], parts: [], senders: [] },
  ...change,
});

async function bring(change: Partial<Copy>, createdAt = db.createdAt): Promise<Mark | undefined> {
  const [mark] = await db.batch<Mark>(copyStatements(db, { id: "lobby", createdAt }, copy(change)));
  return mark?.results[0];
}

const words = () => db.messages.map(({ content }) => content);
const row = () => db.rows("SELECT last_seq, first_seq, copied_at, epoch FROM rooms WHERE id = 'lobby'")[0];

describe("a copy", () => {
  it("brings packs, parts and senders, and says what D1 had before", async () => {
    const parts = [{ name: "asks", rows: [{ part: "asks", body: "[7]" }] }];
    expect(await bring({ packs: [await packOf(1, ["a", "b"])], parts, senders: ["anna"] })).toEqual({
      last_seq: 0,
      copied_at: 0,
    });
    expect([words(), db.state("asks"), row()]).toEqual([
      ["a", "b"],
      [7],
      { last_seq: 2, first_seq: 1, copied_at: 1, epoch: "e" },
    ]);
    expect(db.rows("SELECT sender FROM senders")).toEqual([{ sender: "anna" }]);
    expect(await bring({ revision: 2, known: 1 })).toEqual({ last_seq: 2, copied_at: 1 });
  });

  it("that comes late, or twice, brings no word back and takes nothing away", async () => {
    const parts = (body: string) => [{ name: "held", rows: [{ part: "held", body }] }];
    const late = copy({ revision: 5, packs: [await packOf(1, ["erased", "b"])], parts: parts('["erased"]') });
    await bring({ revision: 6, packs: [await packOf(1, ["", "b"])], parts: parts("[]") });
    for (let time = 0; time < 2; time++) await bring(late);
    expect([words(), db.state("held"), row()?.copied_at]).toEqual([["", "b"], [], 6]);
    await bring({ revision: 7, known: 6, packs: [{ first: 1, body: undefined }] });
    expect(words()).toEqual([]);
  });

  it("that comes late brings nothing of what is gone because of its age", async () => {
    const late = copy({ revision: 5, last: 102, packs: [await packOf(1, ["gone"]), await packOf(101, ["x", "y"])] });
    await bring(late);
    await bring({ revision: 6, known: 5, last: 102, first: 102, packs: [await packOf(101, ["", "y"])] });
    await bring(late);
    expect([words(), row()?.first_seq]).toEqual([["", "y"], 102]);
  });

  it("for a room that is gone gets nothing into another with its id", async () => {
    const packs = [await packOf(1, ["of another room"])];
    expect(await bring({ packs, senders: ["anna"] }, "2020-01-01T00:00:00.000Z")).toBeUndefined();
    expect([words(), row()?.copied_at, db.rows("SELECT * FROM senders")]).toEqual([[], 0, []]);
    expect(await isRoomGone(db, { id: "lobby", createdAt: "2020-01-01T00:00:00.000Z" })).toBe(true);
  });
});

it("a D1 that was set back does not claim what it has lost", async () => {
  await bring({ revision: 5, last: 2, packs: [await packOf(1, ["a", "b"])] });
  expect(await bring({ revision: 9, known: 8, last: 300, packs: [await packOf(201, ["z"])] })).toMatchObject({
    copied_at: 5,
  });
  expect(row()).toMatchObject({ last_seq: 2, copied_at: 5 });
});

it("rows of the older form go with the pack that has taken them up", async () => {
  await bring({ packs: [await packOf(1, ["a", "b"]), await packOf(101, ["c"])], last: 101 });
  db.unpack();
  await bring({ revision: 2, known: 1, last: 101, packs: [await packOf(1, ["", "b"])] });
  expect(db.rows("SELECT seq FROM messages")).toEqual([{ seq: 101 }]);
  expect(words()).toEqual(["", "b", "c"]);
});

it("whether D1 takes writes is found out without a trace", async () => {
  const room = { id: "lobby", createdAt: db.createdAt };
  expect(await takesWrites(db, room)).toBe(true);
  db.trouble = "read-only";
  expect([await takesWrites(db, room), await isRoomGone(db, room)]).toEqual([false, false]);
  db.trouble = "away";
  expect(await isRoomGone(db, room)).toBeUndefined();
  expect(db.rows("SELECT * FROM packs")).toEqual([]);
});
