/** The line above what is new, over visits, hidden pages and a log that was rebuilt. */

import { describe, expect, test } from "vitest";
import { message, run } from "../stay/fake-socket.ts";
import { memoryStorage } from "../stay/storage.ts";
import { EMPTY_ROOM, type RoomState } from "./room-state.ts";
import { Unread } from "./unread.ts";

const at = (head: number, epoch = "e1", following = true): RoomState => ({ ...EMPTY_ROOM, head, epoch, following });

const log = (epoch: string, from: number, to: number) => ({ epoch, head: to, messages: run(from, to) });

function setUp(storage = memoryStorage()) {
  const view = { isVisible: true };
  const counts: number[] = [];
  const unread = new Unread({
    storage,
    name: "read",
    isVisible: () => view.isVisible,
    changed: (count) => counts.push(count),
  });
  return { unread, view, counts, storage };
}

describe("the line", () => {
  test("stands above what has come since the last visit", () => {
    const { unread, storage } = setUp();
    unread.begin(log("e1", 1, 3));
    unread.remember(at(3));
    const next = setUp(storage).unread;
    next.begin(log("e1", 1, 5));
    expect(next.unreadFrom).toBe(4);
  });

  test("is not drawn by what was read in another history of the room", () => {
    const { unread, storage } = setUp();
    unread.begin(log("e1", 1, 3));
    unread.remember(at(3));
    const next = setUp(storage).unread;
    next.begin(log("e2", 1, 5));
    expect(next.unreadFrom).toBeUndefined();
    next.remember(at(5, "e2"));
    const third = setUp(storage).unread;
    third.begin(log("e2", 1, 6));
    expect(third.unreadFrom).toBe(6);
  });

  test("goes when the log is rebuilt while it is shown, and stays when the same log begins anew", () => {
    const { unread, view } = setUp();
    unread.begin(log("e1", 1, 3));
    view.isVisible = false;
    unread.add(message(4), true);
    unread.begin(log("e1", 2, 4));
    expect(unread.unreadFrom).toBe(4);
    unread.begin(log("e2", 1, 9));
    expect(unread.unreadFrom).toBeUndefined();
  });

  test("stands above what came after the log was rebuilt, also for one who was away before", () => {
    const { unread, view } = setUp();
    unread.begin(log("e1", 1, 3));
    view.isVisible = false;
    unread.add(message(4), true);
    unread.begin(log("e2", 1, 9));
    unread.add(message(10), true);
    unread.add(message(11), true);
    expect([unread.unreadFrom, unread.count]).toEqual([10, 2]);
  });

  test("does not move back over what was read on this visit when the same log begins anew", () => {
    const storage = memoryStorage();
    storage.set("read", "3 e1");
    const { unread } = setUp(storage);
    unread.begin(log("e1", 1, 3));
    for (let seq = 4; seq <= 9; seq++) unread.add(message(seq), true);
    unread.begin(log("e1", 5, 9));
    expect(unread.unreadFrom).toBeUndefined();
    unread.begin(log("e1", 5, 11));
    expect([unread.unreadFrom, unread.count]).toEqual([10, 0]);
  });

  test("does not move back because a tab that has read less is closed later", () => {
    const { unread, storage } = setUp();
    const behind = setUp(storage).unread;
    unread.begin(log("e1", 1, 9));
    behind.begin(log("e1", 1, 3));
    unread.remember(at(9));
    behind.remember(at(3));
    const next = setUp(storage).unread;
    next.begin(log("e1", 1, 9));
    expect(next.unreadFrom).toBeUndefined();
  });

  test("and the count are of what a hidden page was not told one by one, because its log began anew", () => {
    const { unread, view, counts } = setUp();
    unread.begin(log("e1", 1, 3));
    view.isVisible = false;
    unread.looked(at(3));
    unread.begin(log("e1", 4, 8), "nobody");
    expect([unread.unreadFrom, unread.count]).toEqual([4, 5]);
    unread.begin({ ...log("e1", 4, 9), messages: [...run(4, 8), message(9, { sender: "me" })] }, "me");
    unread.add(message(10), true);
    view.isVisible = true;
    unread.looked(at(10));
    expect([unread.unreadFrom, counts]).toEqual([4, [5, 6, 0]]);
  });
});

describe("the count", () => {
  test("is of what came while the page was hidden or the reader elsewhere, until they are at the newest", () => {
    const { unread, view, counts } = setUp();
    unread.add(message(1), true);
    expect(unread.count).toBe(0);
    view.isVisible = false;
    unread.add(message(2), true);
    unread.add(message(3), true);
    view.isVisible = true;
    unread.looked(at(3));
    unread.add(message(4), false);
    unread.looked(at(4, "e1", false));
    expect(unread.count).toBe(1);
    unread.caughtUp();
    expect(counts).toEqual([1, 2, 0, 1, 0]);
  });
});
