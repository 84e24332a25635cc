/** The line above what is new, over visits, hidden pages and a log that was rebuilt. */

import { describe, expect, test } from "vitest";
import { message, run } from "../stay/fake-socket.ts";
import { memoryStorage } from "../stay/storage.ts";
import { EMPTY_ROOM, type RoomState } from "./room-state.ts";
import { Unread } from "./unread.ts";

const at = (head: number, epoch = "e1", following = true): RoomState => ({ ...EMPTY_ROOM, head, epoch, following });

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
    unread.begin({ epoch: "e1", messages: run(1, 3) });
    unread.remember(at(3));
    const next = setUp(storage).unread;
    next.begin({ epoch: "e1", messages: run(1, 5) });
    expect(next.unreadFrom).toBe(4);
  });

  test("is not drawn by what was read in another history of the room", () => {
    const { unread, storage } = setUp();
    unread.begin({ epoch: "e1", messages: run(1, 3) });
    unread.remember(at(3));
    const next = setUp(storage).unread;
    next.begin({ epoch: "e2", messages: run(1, 5) });
    expect(next.unreadFrom).toBeUndefined();
    next.remember(at(5, "e2"));
    const third = setUp(storage).unread;
    third.begin({ epoch: "e2", messages: run(1, 6) });
    expect(third.unreadFrom).toBe(6);
  });

  test("goes when the log is rebuilt while it is shown, and stays when the same log begins anew", () => {
    const { unread, view } = setUp();
    unread.begin({ epoch: "e1", messages: run(1, 3) });
    view.isVisible = false;
    unread.add(message(4), true);
    unread.begin({ epoch: "e1", messages: run(2, 4) });
    expect(unread.unreadFrom).toBe(4);
    unread.begin({ epoch: "e2", messages: run(1, 9) });
    expect(unread.unreadFrom).toBeUndefined();
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
