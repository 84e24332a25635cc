import { beforeEach, expect, it, vi } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { RecordStore } from "../record-store.ts";
import type { RoomRecord } from "../room-record.ts";
import { Closure } from "./closure.ts";

let db: TestD1;
let records: RecordStore;
let changed: number;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  db = new TestD1();
  records = new RecordStore(new TestKeyValues());
  changed = 0;
});

/** What a room of the lobby's has when it wakes. */
const wake = () =>
  new Closure({
    room: { id: "lobby", createdAt: db.createdAt },
    ...{ records, db, now: () => Date.now(), changed: () => void changed++ },
  });

const row = (revision: number, access: "open" | "members" = "open") => ({ revision, access }) as RoomRecord;
const inD1 = () => db.rows("SELECT access, revision FROM rooms WHERE id = 'lobby'");

it("holds over a sleep and over any row that is open, until D1 has followed", async () => {
  const [before] = inD1() as [{ revision: number }];
  wake().begin(before.revision);
  db.trouble = "read-only";
  const woke = wake();
  await woke.run();
  expect(changed).toBe(1);
  expect(woke.due).toBeGreaterThan(Date.now());
  expect([before.revision, before.revision + 5].map((revision) => woke.over(row(revision)).access)).toEqual([
    "members",
    "members",
  ]);
  db.trouble = "mute";
  await woke.run();
  db.trouble = undefined;
  await woke.run();
  expect(inD1()).toEqual([{ access: "members", revision: before.revision + 1 }]);
  // A row that was read before that says nothing; what comes after it is right.
  expect(wake().over(row(before.revision)).access).toBe("members");
  expect(wake().over(row(before.revision + 2)).access).toBe("open");
  expect(records.closing).toBeUndefined();
});

it("ends with a row that is its members', and by its owner's later word alone", async () => {
  const closure = wake();
  closure.begin(3);
  closure.endBy(3);
  expect(closure.over(row(4)).access).toBe("members");
  closure.endBy(4);
  expect([closure.over(row(4)).access, records.closing]).toEqual(["open", undefined]);
  closure.begin(4);
  closure.over(row(5, "members"));
  expect(records.closing).toBeUndefined();
  await closure.run();
  expect(inD1()).toMatchObject([{ access: "open" }]);
});
