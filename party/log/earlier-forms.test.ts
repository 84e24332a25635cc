/** Logs of earlier versions: each opens with every message once, and nothing that was deleted or erased comes back. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FIRST_EPOCH, FIRST_NOON, type FirstLog, firstDump, writeFirstLog } from "../../test/fixtures/first-log.ts";
import { writeSecondLog } from "../../test/fixtures/second-log.ts";
import { THIRD_ASK, THIRD_TERMS, type ThirdLog, writeThirdLog } from "../../test/fixtures/third-log.ts";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import { RECENT } from "./recent-ids.ts";
import type { RoomLog } from "./room-log.ts";

const USUAL: FirstLog = { head: 7_300, oldest: 1, archived: 7_300, parked: [], deletions: {}, dump: null };
const PARTS = ["asks", "deeds", "held", "invites", "members", "pairs", "room"];

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

function first(log: Partial<FirstLog>) {
  const storage = new TestStorage();
  writeFirstLog(storage.sql, { ...USUAL, ...log });
  return { storage, log: openLog(storage) };
}

function third(log: ThirdLog) {
  const storage = new TestStorage();
  writeThirdLog(storage.sql, log);
  return { storage, log: openLog(storage) };
}

const tablesOf = ({ sql }: TestStorage) =>
  [...sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")].map(
    ({ name }) => name,
  );

/** The tables of a log that was started today. */
const TODAY = (() => {
  const storage = new TestStorage();
  startedLog(storage);
  return tablesOf(storage);
})();

describe("a log of the first form", () => {
  it("goes on as it was: the same epoch, order and messages", () => {
    const { storage, log } = first({ head: 20, archived: 11, deletions: { 15: 3 } });
    const seen = (of: RoomLog) => [of.started, of.epoch, of.head, of.oldest, of.copied, of.lastAt, of.agentRun];
    // D1 may have messages as rows of their own: all of it is brought there again.
    expect(seen(log)).toEqual([true, FIRST_EPOCH, 20, 1, 0, FIRST_NOON + 20, 0]);
    expect(seen(openLog(storage))).toEqual(seen(log));
    expect(seqs(log.after(0, 99))).toEqual(range(1, 20));
    expect(log.get(7)).toMatchObject({ id: "m7", content: "line 7", at: FIRST_NOON + 7 });
    expect([log.deletionOf(3)?.seq, log.get(3)?.content]).toEqual([15, ""]);
    expect([log.writers.untold(9), log.dirty.packs(9, 0), log.dirty.parts()]).toEqual([["swift-otter"], [1], PARTS]);
    expect(seqs(log.append([text("a-b", "next"), deletion("a-b", 20)], FIRST_NOON))).toEqual([21, 22]);
    expect(openLog(storage).get(20)?.content).toBe("");
    expect(tablesOf(storage)).toEqual(TODAY);
  });

  it("with a lag and a dump that has the pairs under wrong seqs recognises every retry once (promise 3)", () => {
    // As the first version wrote it: 300 archived, then 7,000 more with D1 away, a restart, and the archive's next mark.
    const { log } = first({ archived: 1_300, dump: firstDump(301, 7_300 - RECENT + 1, RECENT) });
    for (let seq = 7_300 - RECENT + 1; seq <= 7_300; seq++) {
      const found = log.find("swift-otter", `m${seq}`)?.seq;
      if (found !== seq) throw new Error(`m${seq} is found as ${found}`);
    }
  });

  it("keeps what D1 had refused, alone or not, and has it tried again", () => {
    const { storage, log } = first({ oldest: 1_000, parked: [17, 5_000] });
    for (const of of [log, openLog(storage)]) {
      expect(of.dirty.packs(9, 0)).toEqual([1, 4_901]);
      expect([of.oldest, of.isWhole, of.get(17)?.content, of.get(18), of.get(5_000)?.content]).toEqual([
        1_000,
        false,
        "line 17",
        undefined,
        "line 5000",
      ]);
      expect([seqs(of.before(1_001, 9)), of.after(16, 9)]).toEqual([[1_000], []]);
    }
    const inD1 = range(1, 999).filter((seq) => seq !== 17);
    log.fill(
      inD1.map((seq) => ({ ...text("swift-otter", `m${seq}`, `line ${seq}`), seq, at: FIRST_NOON + seq })),
      1,
    );
    expect([log.isWhole, seqs(openLog(storage).after(0, 9_999))]).toEqual([true, range(1, 7_300)]);
  });

  it("of which D1 had refused everything goes on behind it", () => {
    const { log } = first({ head: 2, archived: 2, parked: [1, 2] });
    expect([log.head, log.oldest, log.lastAt]).toEqual([2, 1, FIRST_NOON + 2]);
  });

  it("that was empty is so still", () => {
    const { storage, log } = first({ head: 0, archived: 0 });
    expect([log.started, log.head, log.oldest, log.isWhole]).toEqual([true, 0, 1, true]);
    expect(seqs(log.append([text("a-b", "1")], FIRST_NOON))).toEqual([1]);
    expect(openLog(storage).head).toBe(1);
  });

  it("stays one when migrating it fails", () => {
    const storage = new TestStorage();
    writeFirstLog(storage.sql, { ...USUAL, head: 3, archived: 3 });
    storage.sql.exec("CREATE TABLE writers (in_the_way)");
    expect(() => openLog(storage)).toThrow("writers already exists");
    storage.sql.exec("DROP TABLE writers");
    expect(seqs(openLog(storage).after(0, 9))).toEqual([1, 2, 3]);
  });
});

describe("a log of the second or third form", () => {
  it.each([2, 3])("goes on as it was (%d)", (version) => {
    const storage = new TestStorage();
    writeSecondLog(storage.sql, { head: 20, archived: 11, parked: [4] });
    if (version === 3) {
      storage.sql.exec("ALTER TABLE log ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 0");
      storage.sql.exec("UPDATE log SET version = 3");
    }
    for (const log of [openLog(storage), openLog(storage)]) {
      expect([log.epoch, log.head, log.copied, log.agentRun]).toEqual([FIRST_EPOCH, 20, version === 2 ? 0 : 11, 0]);
      expect([log.dirty.packs(9, 0), log.isWhole, seqs(log.after(0, 99))]).toEqual([[1], true, range(1, 20)]);
    }
    expect(seqs(openLog(storage).append([text("a-b", "next")], FIRST_NOON))).toEqual([21]);
    expect(tablesOf(storage)).toEqual(TODAY);
  });
});

describe("a log of 0.2.0", () => {
  it("is one table of all its segments, and lacks what D1 alone has", () => {
    const { storage, log } = third({ head: 12_000, archived: 11_900, oldest: 4_097, parked: [17, 5_000, 11_990] });
    for (const of of [log, openLog(storage)]) {
      expect([of.head, of.oldest, of.first, of.copied, of.retentionDue]).toEqual([12_000, 4_097, 1, 11_900, 77]);
      expect([of.get(17)?.content, of.get(18), seqs(of.after(4_096, 99_999))]).toEqual([
        "line 17",
        undefined,
        range(4_097, 12_000),
      ]);
      expect(of.dirty.packs(9, 0)).toEqual([1, 4_901, 11_901]);
    }
    expect(tablesOf(storage)).toEqual([...TODAY, "open_asks"].sort());
    expect(
      storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'index' AND name GLOB 'd*'").toArray(),
    ).toEqual([]);
  });

  it("has what was deleted without its words, and its pack copied where D1 may have them", () => {
    const entries = {
      3: { content: "" },
      150: { content: "", kind: "deletion", ref: 3, id: "delete:3" },
      160: { content: "" },
      250: { content: "", kind: "deletion", ref: 160, id: "delete:160" },
    };
    const { log } = third({ head: 260, archived: 240, entries });
    expect([log.get(3)?.content, log.deletionOf(3)?.seq, log.deletionOf(160)?.seq]).toEqual(["", 150, 250]);
    expect(log.dirty.packs(9, 0)).toEqual([101]);
  });

  it("knows what has closed an ask, and which are open", () => {
    const entries = {
      1: { kind: "ask", content: THIRD_ASK },
      2: { kind: "ask", content: THIRD_ASK },
      3: { kind: "ask", content: THIRD_ASK },
      4: { kind: "answer:yes", content: "Yes", ref: 1, sender: "bob" },
      5: { kind: "expiry", content: "", ref: 2, id: "expire:2" },
    };
    const { log } = third({
      ...{ head: 6, archived: 6, entries },
      closed: [
        [1, 4, "yes", "bob"],
        [2, 5, null, ""],
      ],
      open: [[3, "swift-otter", FIRST_NOON + 99, THIRD_TERMS]],
    });
    expect([1, 2, 3].map((seq) => log.get(seq)?.closed)).toEqual([
      { option: "yes", by: "bob", seq: 4 },
      { expired: true, seq: 5 },
      undefined,
    ]);
    expect(log.asks.opened.get(3)).toMatchObject({ until: FIRST_NOON + 99, from: "people" });
    log.append([{ id: "x", kind: "expiry", sender: "swift-otter", content: "", ref: 3 }], FIRST_NOON);
    expect(log.asks.opened.size).toBe(0);
  });

  it("carries out again what was erased, and takes away the names", () => {
    const gone = { id: "erased:1", sender: "", content: "" };
    const entries = {
      1: gone,
      2: { kind: "erasure", content: "carl", ref: 1, sender: "anna" },
      3: { ...gone, id: "erased:3" },
      4: { sender: "bob" },
      5: { kind: "erasure", content: "bob", ref: 4, sender: "anna" },
      6: { sender: "bob" },
      7: { sender: "dora/claude" },
      8: { kind: "erasure", content: "dora", ref: 7, sender: "anna" },
    };
    const erasures = [
      [2, 1, "", 1, 1],
      [5, 4, "bob", 3, 0],
      [8, 7, "dora", 0, 0],
    ] as const;
    const { storage, log } = third({ head: 8, archived: 8, entries, erasures });
    expect(log.erasures).toEqual([
      { seq: 2, upTo: 1, sender: "carl", here: 1 },
      { seq: 5, upTo: 4, sender: "bob", here: 0 },
      { seq: 8, upTo: 7, sender: "dora", here: 0 },
    ]);
    expect([log.get(4)?.sender, log.dirty.packs(9, 0), log.writers.untold(9)]).toEqual(["", [1], ["bob"]]);
    while (log.eraseStep());
    for (const { seq } of log.erasures) log.endErasure(seq);
    expect([log.erasures, log.newestErased, openLog(storage).newestErasure]).toEqual([[], 8, 8]);
    const stored = JSON.stringify(storage.sql.exec("SELECT * FROM messages WHERE seq <> 6").toArray());
    expect(stored).not.toMatch(/bob|carl|dora/);
  });

  it("whose messages are all gone goes on behind them", () => {
    const { storage, log } = third({ head: 0, archived: 30, first: 31 });
    expect([log.head, log.first, log.isWhole, log.lastAt]).toEqual([30, 31, true, FIRST_NOON]);
    expect(seqs(log.append([text("a-b", "1")], FIRST_NOON - 5))).toEqual([31]);
    expect(openLog(storage).get(31)?.at).toBe(FIRST_NOON);
  });
});

describe("a room of a state folder", () => {
  const roomsOf = (version: string) => {
    const state = JSON.parse(readFileSync(new URL(`../../test/states/${version}.json`, import.meta.url), "utf8")) as {
      databases: Record<string, string[]>;
    };
    return Object.entries(state.databases).filter(([name, statements]) => {
      return name.startsWith("do/meet-ai-ChatRoom/") && statements.some((each) => each.startsWith("CREATE TABLE log "));
    });
  };

  it.each([...roomsOf("0.1.0"), ...roomsOf("0.2.0")])("%s is read as it was", (_, statements) => {
    const storage = new TestStorage();
    for (const statement of statements) storage.sql.exec(statement);
    const tables = tablesOf(storage).filter((name) => /^messages(_\d+)?$/.test(name));
    const columns = "seq, id, kind, sender, content, ref, at";
    const before = tables.flatMap((name) => [...storage.sql.exec(`SELECT ${columns} FROM ${name}`)]);
    const log = openLog(storage);
    expect(log.after(0, 9_999).map(({ closed: _, ...message }) => message)).toEqual(before);
    expect(log.head).toBe(before.length);
    const others = [
      "members",
      "invites",
      "deeds",
      "held",
      "senders",
      "address_book",
      "roster",
      "site_users_1",
      "open_asks",
    ];
    const left = tablesOf(storage).filter((name) => !TODAY.includes(name) && !others.includes(name));
    expect(left.filter((name) => !name.startsWith("_cf_"))).toEqual([]);
  });
});

it("a log of a later version is not touched", () => {
  const storage = new TestStorage();
  startedLog(storage);
  storage.sql.exec("UPDATE schema SET version = 8 WHERE part = 'log'");
  expect(() => openLog(storage)).toThrow("This room's log has version 8, and this server knows version 7.");
  const earlier = new TestStorage();
  writeThirdLog(earlier.sql, { head: 3, archived: 3 });
  earlier.sql.exec("UPDATE log SET version = 7");
  expect(() => openLog(earlier)).toThrow("The room's log has version 7");
  expect(tablesOf(earlier)).toContain("messages_1");
});
