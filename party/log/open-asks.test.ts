/** Which asks are open, and what has closed others: in the room's own storage over restarts, and in D1 whatever becomes of a copy. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { keepsAll } from "../../test/unit/keeps-all.ts";
import { Lobby } from "../../test/unit/lobby.ts";
import { deletion, RoomStorage } from "../../test/unit/sqlite.ts";
import { archivedAsks } from "../archive/d1-asks.ts";
import { Journal, KEPT, type Unplaced } from "../log/journal.ts";
import { Reader } from "../log/reader.ts";
import { SEGMENT } from "../log/segments.ts";
import { answerKind, toMessage } from "../log/stored-message.ts";
import { ASK_OPEN, type Message } from "../protocol.ts";
import { askContent } from "./ask.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const CONTENT = askContent("Go?", { options: ["yes", "no"].map((id) => ({ id, label: id })), from: "people" });

const ask = (id: string, sender = "anna/bot"): Unplaced => ({ id, kind: "ask", sender, content: CONTENT, ref: null });
const answer = (ref: number, sender = "bob", option = "yes"): Unplaced => {
  return { id: `answer-${ref}`, kind: answerKind(option), sender, content: option, ref };
};
const expiry = (ref: number): Unplaced => ({
  id: `expire:${ref}`,
  kind: "expiry",
  sender: "anna/bot",
  content: "",
  ref,
});
const erasure = (erased: string, upTo: number): Unplaced => {
  return { id: `erase:${upTo}:${erased}`, kind: "erasure", sender: "anna", content: erased, ref: upTo };
};

const closedIn = (json: readonly string[] | undefined) =>
  (json ?? []).map((text) => (JSON.parse(text) as Message).ask?.closed ?? null);

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

function journalWith(...messages: Unplaced[]) {
  const storage = new RoomStorage();
  const journal = new Journal(storage);
  journal.start({ messages: [] });
  for (const message of messages) journal.append([message], NOON);
  return { storage, journal };
}

describe("a room", () => {
  it("knows its open asks after a restart, and what has closed the others on every way to read them", () => {
    const { storage, journal } = journalWith(ask("a"), ask("b"), ask("c"), answer(1), expiry(2));
    const closed = [{ option: "yes", by: "bob", seq: 4 }, { expired: true, seq: 5 }, null, null, null];
    for (const one of [journal, new Journal(storage)]) {
      expect([...one.asks.opened.keys()]).toEqual([3]);
      expect(one.asks.opened.get(3)).toMatchObject({
        sender: "anna/bot",
        until: NOON + ASK_OPEN.usual,
        from: "people",
      });
      expect(closedIn(one.jsonAfter(0))).toEqual(closed);
      for (const read of [one.after(0, 9), one.before(9, 9), [1, 2, 3, 4, 5].map((seq) => one.get(seq)!)]) {
        expect(read.map((message) => toMessage(message).ask?.closed ?? null)).toEqual(closed);
      }
    }
  });

  it("tells again what it has told of an ask, with what has closed it", () => {
    const { journal } = journalWith(ask("a"));
    expect(closedIn(journal.jsonAfter(0))).toEqual([null]);
    journal.append([answer(1)], NOON);
    expect(closedIn(journal.jsonAfter(0))).toEqual([{ option: "yes", by: "bob", seq: 2 }, null]);
  });

  it("has opened and closed nothing when its storage refuses the messages", () => {
    const { storage, journal } = journalWith(ask("a"));
    storage.refuse("no");
    expect(() => journal.append([answer(1, "bob", "no"), ask("b")], NOON)).toThrow("full");
    for (const one of [journal, new Journal(storage)]) {
      expect([...one.asks.opened.keys()]).toEqual([1]);
      expect(closedIn(one.jsonAfter(0))).toEqual([null]);
    }
  });

  it("has no ask that its storage has refused at the last moment, whatever happens next", () => {
    const storage = new RoomStorage();
    let isFull = false;
    const journal = new Journal({
      sql: storage.sql,
      transaction: (work) =>
        storage.transaction(() => {
          const result = work();
          if (isFull) throw new Error("full");
          return result;
        }),
    });
    journal.start({ messages: [] });
    journal.append([deletion("anna", 1)], NOON);
    isFull = true;
    expect(() => journal.append([ask("a")], NOON)).toThrow("full");
    isFull = false;
    journal.hideBelow(2);
    journal.removeGone();
    expect([...journal.asks.opened.keys()]).toEqual([]);
    journal.append([ask("b")], NOON);
    expect([...journal.asks.opened.keys()]).toEqual([2]);
  });

  it("has no table more before its first ask, and its log is then of a version that knows asks", () => {
    const { storage, journal } = journalWith(deletion("anna", 1), erasure("bob", 1));
    const tables = () => storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE '%_asks'").toArray().length;
    const version = () => storage.sql.exec<{ version: number }>("SELECT version FROM log").toArray()[0]?.version;
    expect([tables(), version()]).toEqual([0, 5]);
    journal.append([ask("a")], NOON);
    expect([tables(), version()]).toEqual([2, 6]);
    expect([...new Journal(storage).asks.opened.keys()]).toEqual([3]);
  });

  it("has an ask open no more when it is deleted or erased, and no name of an erased person beside one that they answered", () => {
    const { storage, journal } = journalWith(ask("a"), ask("b", "cleo"), ask("c"), answer(3), deletion("anna", 1));
    journal.append([erasure("cleo", 5)], NOON);
    journal.append([erasure("bob", 6)], NOON);
    expect([...journal.asks.opened.keys()]).toEqual([]);
    const stored = storage.sql.exec("SELECT * FROM closed_asks").toArray();
    expect(stored).toEqual([{ seq: 3, closed: 4, option: "yes", sender: "" }]);
    for (const one of [journal, new Journal(storage)]) {
      const [first, second, third, fourth] = one.after(0, 9).map(toMessage);
      expect([first?.ask, second?.ask]).toEqual([undefined, undefined]);
      expect(third?.ask?.closed).toEqual({ option: "yes", by: "", seq: 4 });
      expect(fourth).toMatchObject({ sender: "", content: "", answer: { target: 3, option: "yes" } });
    }
  });

  it("lets go of closed asks with their messages, but of no open one and of none whose closing D1 lacks", async () => {
    const lobby = new Lobby();
    lobby.journal.append([ask("a"), ask("b"), ask("c")], NOON);
    lobby.journal.append([answer(1)], NOON);
    lobby.sayMany(KEPT + SEGMENT);
    await lobby.copy();
    expect(lobby.journal.oldest).toBeGreaterThan(4);
    expect([...lobby.journal.asks.opened.keys()]).toEqual([2, 3]);
    expect(lobby.journal.asks.closingOf(1)).toBeUndefined();
    lobby.journal.append([answer(2)], NOON);
    lobby.sayMany(SEGMENT);
    // Its ask has gone to D1, and the answer not yet.
    expect(lobby.journal.prune()).toBeGreaterThan(0);
    const { journal, db } = lobby;
    const reader = new Reader({ room: "lobby", journal, db, retention: keepsAll });
    for (const [seq, closed] of [
      [1, 4],
      [2, journal.archived + 1],
    ] as const) {
      expect((await reader.message(seq))?.closed).toEqual({ option: "yes", by: "bob", seq: closed });
    }
  });

  it.each([
    ["the ask", CONTENT],
    ["the answer", "yes"],
  ])("knows for good what has closed an ask where D1 has refused %s", async (_, refused) => {
    const lobby = new Lobby();
    lobby.db.refuse(refused);
    lobby.journal.append([ask("a")], NOON);
    lobby.journal.append([answer(1)], NOON);
    lobby.sayMany(KEPT + SEGMENT);
    for (let run = 0; run < 4; run++) await lobby.copy();
    const { journal, db } = lobby;
    expect(journal.parked()).toHaveLength(1);
    expect(journal.oldest).toBeGreaterThan(2);
    const reader = new Reader({ room: "lobby", journal, db, retention: keepsAll });
    expect((await reader.message(1))?.closed).toEqual({ option: "yes", by: "bob", seq: 2 });
  });

  it("lets go of asks that are gone because of their age", () => {
    const { journal } = journalWith(ask("a"), ask("b"), answer(1), ask("c"));
    journal.hideBelow(4);
    journal.removeGone();
    expect([...journal.asks.opened.keys()]).toEqual([4]);
    expect(journal.asks.closingOf(1)).toBeUndefined();
  });
});

describe("D1", () => {
  let lobby: Lobby;

  beforeEach(() => {
    lobby = new Lobby();
    lobby.journal.append([ask("a"), ask("b"), ask("c")], NOON);
  });

  const asks = async () => {
    const { open, closed } = await archivedAsks(lobby.db, "lobby", 1);
    return { open: open.map(({ seq }) => seq), closed: closed.map(({ ask }) => ask) };
  };

  it("has what a room begins with that has lost its own storage", async () => {
    lobby.journal.append([answer(1), deletion("anna", 3)], NOON);
    await lobby.copy();
    const known = await archivedAsks(lobby.db, "lobby", 1);
    expect(known.open).toEqual([...lobby.journal.asks.opened.values()]);
    expect(known.closed).toEqual([{ ask: 1, by: { option: "yes", by: "bob", seq: 4 } }]);
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start({ messages: lobby.journal.after(0, 9), asks: known });
    expect([...rebuilt.asks.opened.keys()]).toEqual([2]);
    expect(closedIn(rebuilt.jsonAfter(0))[0]).toEqual({ option: "yes", by: "bob", seq: 4 });
  });

  it("opens no ask again by a copy that has been on its way for long", async () => {
    const early = await lobby.batchesOf(() => lobby.copy());
    lobby.journal.append([answer(1), expiry(2)], NOON);
    await lobby.copy();
    for (const late of early) await late();
    expect(await asks()).toEqual({ open: [3], closed: [1, 2] });
  });

  it("takes a copy once whose answer was lost", async () => {
    lobby.db.trouble = "mute";
    await lobby.copy();
    lobby.journal.append([answer(1)], NOON);
    lobby.db.trouble = undefined;
    await lobby.copy();
    expect(await asks()).toEqual({ open: [2, 3], closed: [1] });
  });

  it("is brought everything again when it was set back", async () => {
    await lobby.copy();
    const setBack = lobby.db.remember();
    lobby.journal.append([answer(1), ask("d")], NOON);
    await lobby.copy();
    setBack();
    lobby.journal.append([answer(2)], NOON);
    await lobby.copy();
    expect(await asks()).toEqual({ open: [3, 5], closed: [1, 2] });
  });

  it("keeps neither an erased person's asks nor their name beside others that they answered", async () => {
    lobby.journal.append([ask("e", "cleo"), answer(1, "cleo")], NOON);
    await lobby.copy();
    lobby.journal.append([erasure("cleo", 5)], NOON);
    await lobby.copy();
    expect(await asks()).toEqual({ open: [2, 3], closed: [1] });
    expect(lobby.db.rows("SELECT sender FROM closed_asks")).toEqual([{ sender: "" }]);
  });

  it("is asked nothing about asks where there are none", async () => {
    await lobby.copy();
    lobby.say("a", "b");
    const [copy] = await lobby.batchesOf(() => lobby.copy(), /_asks/);
    expect(copy).toBeDefined();
    expect(lobby.journal.archived).toBe(5);
  });
});
