/** Which asks are open, and what has closed others: in the room's own storage over restarts, and in D1 whatever becomes of a copy. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { answer, ask, erasure, expiry, openLog, startedLog } from "../../test/unit/entries.ts";
import { Lobby } from "../../test/unit/lobby.ts";
import { deletion, TestStorage } from "../../test/unit/sqlite.ts";
import { ASK_OPEN, type Message } from "../protocol.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { RoomLog } from "./room-log.ts";
import { toMessage, type Unplaced } from "./stored-message.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const closedIn = (json: readonly string[]) => json.map((text) => (JSON.parse(text) as Message).ask?.closed ?? null);

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

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
    }
  });

  it("tells again what it has told of an ask, with what has closed it", () => {
    const { log } = logWith(ask("a"));
    expect(closedIn(log.jsonAfter(0, 9))).toEqual([null]);
    log.append([answer(1)], NOON);
    expect(closedIn(log.jsonAfter(0, 9))).toEqual([{ option: "yes", by: "bob", seq: 2 }, null]);
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
    const disk = new TestStorage();
    startedLog(disk).append([deletion("anna", 1)], NOON);
    let isFull = false;
    const transaction = <T>(work: () => T): T =>
      disk.transaction(() => {
        const result = work();
        if (isFull) throw new Error("full");
        return result;
      });
    const log = new RoomLog(new RoomStorage({ sql: disk.sql, transaction }));
    isFull = true;
    expect(() => log.append([ask("a")], NOON)).toThrow("full");
    isFull = false;
    log.hideBelow(2);
    log.removeGone();
    expect([...log.asks.opened.keys()]).toEqual([]);
    log.append([ask("b")], NOON);
    expect([...log.asks.opened.keys()]).toEqual([2]);
  });

  it("has no table for asks before its first one", () => {
    const { storage, log } = logWith(deletion("anna", 1), erasure("bob", 1));
    const tables = () => storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'open_asks'").toArray().length;
    expect(tables()).toBe(0);
    log.append([ask("a")], NOON);
    expect(tables()).toBe(1);
    expect([...openLog(storage).asks.opened.keys()]).toEqual([3]);
  });

  it("has an ask open no more when it is deleted or erased, and no name of an erased person beside one that they answered", () => {
    const { storage, log } = logWith(ask("a"), ask("b", "cleo"), ask("c"), answer(3), deletion("anna", 1));
    log.append([erasure("cleo", 5)], NOON);
    log.append([erasure("bob", 6)], NOON);
    const check = (one: RoomLog) => {
      expect([...one.asks.opened.keys()]).toEqual([]);
      const [first, second, third, fourth] = one.after(0, 9).map(toMessage);
      expect([first?.ask, second?.ask]).toEqual([undefined, undefined]);
      expect(third?.ask?.closed).toEqual({ option: "yes", by: "", seq: 4 });
      expect(fourth).toMatchObject({ sender: "", content: "", answer: { target: 3, option: "yes" } });
    };
    for (const one of [log, openLog(storage)]) check(one);
    while (log.eraseStep());
    for (const one of [log, openLog(storage)]) check(one);
    expect(storage.sql.exec("SELECT seq FROM messages WHERE sender IN ('bob', 'cleo')").toArray()).toEqual([]);
  });

  it("lets go of asks that are gone because of their age", () => {
    const { log } = logWith(ask("a"), ask("b"), answer(1), ask("c"));
    log.hideBelow(4);
    log.removeGone();
    expect([...log.asks.opened.keys()]).toEqual([4]);
  });
});

describe("D1", () => {
  let lobby: Lobby;

  beforeEach(() => {
    lobby = new Lobby();
    lobby.append(ask("a"), ask("b"), ask("c"));
  });

  const open = () => (lobby.db.state("asks") as { seq: number }[]).map(({ seq }) => seq);

  it("has what a room begins with that has lost its own storage", async () => {
    lobby.append(answer(1), deletion("anna", 3));
    await lobby.copy();
    const before = [...lobby.log.asks.opened];
    await lobby.lose();
    expect([...lobby.log.asks.opened]).toEqual(before);
    expect([...lobby.log.asks.opened.keys()]).toEqual([2]);
    expect(closedIn(lobby.log.jsonAfter(0, 9))[0]).toEqual({ option: "yes", by: "bob", seq: 4 });
  });

  it("opens no ask again by a copy that has been on its way for long", async () => {
    const early = await lobby.batchesOf(() => lobby.copy());
    lobby.append(answer(1), expiry(2));
    await lobby.copy();
    for (const late of early) await late();
    expect(open()).toEqual([3]);
  });

  it("takes a copy once whose answer was lost", async () => {
    lobby.db.trouble = "mute";
    await lobby.copy();
    lobby.append(answer(1));
    lobby.db.trouble = undefined;
    await lobby.copy();
    expect(open()).toEqual([2, 3]);
  });

  it("is brought everything again when it was set back", async () => {
    await lobby.copy();
    const setBack = lobby.db.remember();
    lobby.append(answer(1), ask("d"));
    await lobby.copy();
    setBack();
    lobby.append(answer(2));
    await lobby.copy();
    expect(open()).toEqual([3, 5]);
  });

  it("keeps neither an erased person's asks nor their name beside others that they answered", async () => {
    lobby.append(ask("e", "cleo"), answer(1, "cleo"));
    await lobby.copy();
    lobby.append(erasure("cleo", 5));
    lobby.erase();
    await lobby.copy();
    expect(open()).toEqual([2, 3]);
    expect(JSON.stringify(lobby.db.rows("SELECT body FROM room_state"))).not.toContain("cleo");
    expect(lobby.db.messages.filter(({ sender }) => sender === "cleo")).toEqual([]);
  });
});
