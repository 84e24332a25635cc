import { describe, expect, it } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { AddressBook, MOST_SENDERS, MOST_TAGS, REMEMBERED_FOR } from "./address-book.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const HOUR = 3_600_000;

function desk() {
  const storage = new TestStorage();
  const clock = { now: NOON };
  const open = () => new AddressBook({ storage: new RoomStorage(storage), now: () => clock.now });
  const tables = () =>
    storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM sqlite_master").toArray()[0]?.count;
  const count = () => storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM senders").toArray()[0]?.count;
  return { storage, clock, open, tables, count, book: open() };
}

describe("from where somebody wrote", () => {
  it("is known after they have left, also when the room has slept", () => {
    const { book, open } = desk();
    book.note({ sender: "~one-troll-000000", behind: "t1" });
    expect(open().tagsOf("~one-troll-000000")).toEqual(["t1"]);
    expect(open().tagsOf("~other-one-000000")).toEqual([]);
  });

  it("has the addresses of a person's agents, and an agent's alone where it is named", () => {
    const { book } = desk();
    book.note({ sender: "swift-otter", behind: "t1" });
    book.note({ sender: "swift-otter/claude", behind: "t2" });
    book.note({ sender: "swift-otters", behind: "t3" });
    expect(book.tagsOf("swift-otter").sort()).toEqual(["t1", "t2"]);
    expect(book.tagsOf("swift-otter/claude")).toEqual(["t2"]);
  });

  it("is the last few addresses, the newest first", () => {
    const { book, clock } = desk();
    for (const behind of ["t1", "t2", "t3", "t4"]) {
      book.note({ sender: "a-b", behind });
      clock.now += HOUR;
    }
    expect(book.tagsOf("a-b")).toEqual(["t4", "t3", "t2"]);
    expect(book.tagsOf("a-b")).toHaveLength(MOST_TAGS);
  });

  it("is forgotten after a week", () => {
    const { book, clock, count } = desk();
    book.note({ sender: "a-b", behind: "t1" });
    clock.now += REMEMBERED_FOR;
    expect(book.tagsOf("a-b")).toEqual([]);
    expect([book.sweep(), count()]).toEqual([undefined, 0]);
  });

  it("says when there is more to forget, and reads no row until then", () => {
    const { book, clock, storage, count } = desk();
    book.note({ sender: "a-b", behind: "t1" });
    clock.now += HOUR;
    book.note({ sender: "c-d", behind: "t2" });
    expect(book.sweep()).toBe(REMEMBERED_FOR - HOUR);
    storage.sql.exec("UPDATE senders SET at = 0");
    clock.now += HOUR;
    expect([book.sweep(), count()]).toEqual([REMEMBERED_FOR - 2 * HOUR, 2]);
    clock.now += REMEMBERED_FOR - 2 * HOUR;
    expect([book.sweep(), count()]).toEqual([undefined, 0]);
  });

  it("is written once a day, however much they write, and where nothing is known not at all", () => {
    const { book, clock, storage, tables } = desk();
    book.note({ sender: "a-b" });
    expect(tables()).toBe(0);
    book.note({ sender: "a-b", behind: "t1" });
    const noted = () => {
      book.note({ sender: "a-b", behind: "t1" });
      return storage.sql.exec<{ at: number }>("SELECT at FROM senders").toArray()[0]?.at;
    };
    clock.now += 23 * HOUR;
    expect(noted()).toBe(NOON);
    clock.now += HOUR;
    expect(noted()).toBe(clock.now);
  });

  it("is bounded: the oldest make place", () => {
    const { book, clock, count } = desk();
    for (let n = 0; n <= MOST_SENDERS; n++) {
      book.note({ sender: `a-${n}`, behind: "t" });
      clock.now++;
    }
    expect(count()).toBeLessThanOrEqual(MOST_SENDERS);
    expect(book.tagsOf("a-0")).toEqual([]);
    expect(book.tagsOf(`a-${MOST_SENDERS}`)).toEqual(["t"]);
  });

  it("goes with who is erased", () => {
    const { book } = desk();
    book.note({ sender: "a-b", behind: "t1" });
    book.note({ sender: "a-b/x", behind: "t1" });
    book.forget("a-b");
    expect(book.tagsOf("a-b")).toEqual([]);
  });
});
