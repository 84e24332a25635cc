/** Which asks are open, and what has closed others: in the room's own storage, over restarts and refusals. */

import { describe, expect, it } from "vitest";
import { answer, ask, erasure, expiry, openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, TestStorage } from "../../test/unit/sqlite.ts";
import { ASK_OPEN, type Message } from "../protocol.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { RoomLog } from "./room-log.ts";
import { toMessage, type Unplaced } from "./stored-message.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const closedIn = (json: readonly string[]) => json.map((text) => (JSON.parse(text) as Message).ask?.closed ?? null);

function logWith(...messages: Unplaced[]) {
  const storage = new TestStorage();
  const log = startedLog(storage);
  for (const message of messages) log.append([message], NOON);
  return { storage, log };
}

describe("a room", () => {
  it("knows its open asks after a restart, and what has closed the others on every way to read them", () => {
    const { storage, log } = logWith(ask("a"), ask("b"), ask("c"), answer(1), expiry(2));
    const closed = [{ option: "yes", by: "bob", seq: 4 }, { expired: true, seq: 5 }, null, null, null];
    for (const one of [log, openLog(storage)]) {
      expect([...one.asks.opened.keys()]).toEqual([3]);
      expect(one.asks.opened.get(3)).toMatchObject({
        sender: "anna/bot",
        until: NOON + ASK_OPEN.usual,
        from: "people",
      });
      expect(closedIn(one.jsonAfter(0, 9))).toEqual(closed);
      for (const read of [one.after(0, 9), one.before(9, 9), [1, 2, 3, 4, 5].map((seq) => one.get(seq)!)]) {
        expect(read.map((message) => toMessage(message).ask?.closed ?? null)).toEqual(closed);
      }
      expect(one.dirty.parts()).toEqual(["asks"]);
    }
  });

  it("tells again what it has told of an ask, with what has closed it", () => {
    const { log } = logWith(ask("a"));
    expect(closedIn(log.jsonAfter(0, 9))).toEqual([null]);
    log.append([answer(1)], NOON);
    expect(closedIn(log.jsonAfter(0, 9))).toEqual([{ option: "yes", by: "bob", seq: 2 }, null]);
  });

  it("has the first closing of an ask stay, and tells none of one that is deleted", () => {
    const { storage, log } = logWith(ask("a"), ask("b"), answer(1), expiry(1), answer(2), deletion("anna", 2));
    for (const one of [log, openLog(storage)]) {
      expect(closedIn(one.jsonAfter(0, 2))).toEqual([{ option: "yes", by: "bob", seq: 3 }, null]);
      expect([one.deletionOf(1), one.deletionOf(2)?.seq, one.get(2)?.content]).toEqual([undefined, 6, ""]);
    }
  });

  it("has opened and closed nothing when its storage refuses the messages", () => {
    const { storage, log } = logWith(ask("a"));
    storage.refuse("no");
    expect(() => log.append([answer(1, "bob", "no"), ask("b")], NOON)).toThrow("full");
    for (const one of [log, openLog(storage)]) {
      expect([...one.asks.opened.keys()]).toEqual([1]);
      expect(closedIn(one.jsonAfter(0, 9))).toEqual([null]);
    }
  });

  it("has no ask that its storage has refused at the last moment, whatever happens next", () => {
    const storage = new TestStorage();
    let isFull = false;
    const { sql } = storage;
    const transaction = <T>(work: () => T): T =>
      storage.transaction(() => {
        const result = work();
        if (isFull) throw new Error("full");
        return result;
      });
    const log = RoomLog.open(new RoomStorage({ sql, transaction }));
    log.start({ messages: [] });
    log.append([deletion("anna", 1)], NOON);
    isFull = true;
    expect(() => log.append([ask("a")], NOON)).toThrow("full");
    isFull = false;
    log.hideBelow(2);
    log.removeGone();
    expect([...log.asks.opened.keys()]).toEqual([]);
    log.append([ask("b")], NOON);
    expect([...log.asks.opened.keys()]).toEqual([2]);
  });

  it("has no table more before its first ask", () => {
    const { storage, log } = logWith(deletion("anna", 1), erasure("bob", 1));
    const tables = () => storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE '%_asks'").toArray().length;
    expect(tables()).toBe(0);
    log.append([ask("a")], NOON);
    expect(tables()).toBe(1);
    expect([...openLog(storage).asks.opened.keys()]).toEqual([3]);
  });

  it("has an ask open no more when it is deleted or erased, and no name of an erased person beside one that they answered", () => {
    const { storage, log } = logWith(ask("a"), ask("b", "cleo"), ask("c"), answer(3), deletion("anna", 1));
    log.append([erasure("cleo", 5)], NOON);
    log.append([erasure("bob", 6)], NOON);
    const isTold = (one: RoomLog) => {
      expect([...one.asks.opened.keys()]).toEqual([]);
      const [first, second, third, fourth] = one.after(0, 9).map(toMessage);
      expect([first?.ask, second?.ask]).toEqual([undefined, undefined]);
      expect(third?.ask?.closed).toEqual({ option: "yes", by: "", seq: 4 });
      expect(fourth).toMatchObject({ sender: "", content: "", answer: { target: 3, option: "yes" } });
    };
    isTold(log);
    isTold(openLog(storage));
    while (log.eraseStep());
    isTold(log);
    isTold(openLog(storage));
  });

  it("lets go of asks that are gone because of their age", () => {
    const { log } = logWith(ask("a"), ask("b"), answer(1), ask("c"));
    log.hideBelow(4);
    log.removeGone();
    expect([...log.asks.opened.keys()]).toEqual([4]);
  });

  it("that has lost its own storage begins with those that D1 has as open", () => {
    const { log } = logWith(ask("a"), ask("b"), ask("c"), answer(1), deletion("anna", 3));
    const rebuilt = openLog(new TestStorage());
    rebuilt.start({ messages: log.after(0, 9), asks: [...log.asks.opened.values()] });
    expect(rebuilt.asks.opened).toEqual(log.asks.opened);
    expect(closedIn(rebuilt.jsonAfter(0, 9))[0]).toEqual({ option: "yes", by: "bob", seq: 4 });
  });
});
