/** The log as it is read: from memory and from storage the same, in few rows. */

import { describe, expect, it } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import { Closed } from "./closed.ts";
import type { RoomLog } from "./room-log.ts";
import { toMessage, type Unplaced } from "./stored-message.ts";
import { TAIL_MESSAGES } from "./tail.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const range = (from: number, to: number): number[] => {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
};

const many = (count: number, from = 1): Unplaced[] => {
  return Array.from({ length: count }, (_, index) => text("swift-otter", `m${from + index}`));
};

describe("the newest messages", () => {
  it("are read from storage once, and then from memory", () => {
    const storage = new TestStorage();
    const before = startedLog(storage);
    for (let batch = 0; batch < 10; batch++) before.append(many(50, before.head + 1), NOON);
    const log = openLog(storage);
    expect(storage.countRows(() => void log.before(501, 50))).toBe(50);
    const rows = storage.countRows(() => {
      expect(seqs(log.before(501, 50))).toEqual(seqs(log.after(450, 200)));
      expect(log.get(460)?.id).toBe("m460");
      expect(log.jsonAfter(450, 99)).toHaveLength(50);
      log.append(many(1, 501), NOON);
      expect(log.before(502, 50)[0]?.seq).toBe(452);
      expect(seqs(log.after(499, 9))).toEqual([500, 501]);
    });
    // What came after the checkpoint, for the first append since the wake: for the pairs and for the agents' run.
    expect(rows).toBeLessThanOrEqual(2 * (256 + 50) + 2);
    expect(storage.countRows(() => void log.find("swift-otter", "m500"))).toBe(0);
  });

  it("come as JSON, which is made once", () => {
    const storage = new TestStorage();
    startedLog(storage).append(many(400), NOON);
    const log = openLog(storage);
    const expected = (after: number) => log.after(after, 500).map((message) => JSON.stringify(toMessage(message)));
    for (const after of [0, 390, 400 - TAIL_MESSAGES - 1, 400 - TAIL_MESSAGES, 400]) {
      expect(log.jsonAfter(after, 500)).toEqual(expected(after));
      expect(log.jsonBefore(401, 400 - after)).toEqual(expected(after));
    }
    expect([log.jsonAfter(390, 2), log.jsonBefore(393, 2)]).toEqual([
      expected(390).slice(0, 2),
      expected(390).slice(0, 2),
    ]);
    expect(storage.countRows(() => void log.jsonBefore(401, 50))).toBe(0);
    log.append([text("a-b", "new")], NOON);
    expect(log.jsonAfter(399, 9)).toEqual(expected(399));
  });

  it("come without what was deleted, in whatever form", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append([text("a-b", "1", "secret"), text("a-b", "2")], NOON);
    expect(log.jsonAfter(0, 9)[0]).toContain("secret");
    log.append([deletion("a-b", 1)], NOON);
    const all = [log, openLog(storage)].flatMap((each) => [
      JSON.stringify([each.jsonAfter(0, 9), each.jsonBefore(9, 9)]),
      JSON.stringify([each.get(1), each.find("a-b", "1"), each.after(0, 9), each.before(9, 9)]),
    ]);
    expect(all.filter((each) => each.includes("secret"))).toEqual([]);
    expect(log.get(1)).toMatchObject({ id: "1", content: "" });
  });

  it("are the same from memory and from storage, wherever one asks", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    for (let batch = 0; batch < 9; batch++) {
      log.append(many(512, log.head + 1), NOON);
      log.append([deletion("swift-otter", log.head - 3)], NOON);
    }
    const { head } = log;
    const edges = [0, 1, 4_096, head - 300, head - TAIL_MESSAGES, head - 4, head, head + 1];
    for (const seq of edges) {
      for (const limit of [1, 5, TAIL_MESSAGES, 1_000]) {
        const fresh = () => openLog(storage);
        expect(log.after(seq, limit)).toEqual(fresh().after(seq, limit));
        expect(log.before(seq, limit)).toEqual(fresh().before(seq, limit));
        expect(seqs(log.after(seq, limit))).toEqual(range(seq + 1, Math.min(head, seq + limit)));
        expect(seqs(log.before(seq, limit))).toEqual(range(Math.max(1, seq - limit), seq - 1));
      }
    }
  });
});

describe("reading", () => {
  it("gives pages oldest first, exactly after and before a seq", () => {
    const log = startedLog();
    log.append(many(10), NOON);
    expect(seqs(log.after(7, 10))).toEqual([8, 9, 10]);
    expect(seqs(log.after(2, 3))).toEqual([3, 4, 5]);
    expect(seqs(log.before(4, 10))).toEqual([1, 2, 3]);
    expect(seqs(log.before(11, 3))).toEqual([8, 9, 10]);
    expect(log.after(10, 5)).toEqual([]);
  });

  it("never goes over what is only in D1", () => {
    const kept = startedLog().append(many(10), NOON);
    const log = openLog(new TestStorage());
    log.start({ messages: kept.slice(6) });
    expect([log.after(0, 9), log.after(5, 9), log.before(7, 9), log.jsonAfter(2, 9)]).toEqual([[], [], [], []]);
    expect([seqs(log.after(6, 9)), seqs(log.before(9, 9))]).toEqual([
      [7, 8, 9, 10],
      [7, 8],
    ]);
    expect([log.isAwaited("swift-otter", "m2"), log.get(3)]).toEqual([false, undefined]);
  });

  it("reads a bounded number of rows of a hundred thousand messages", () => {
    const storage = new TestStorage();
    const before = startedLog(storage);
    for (let batch = 0; batch < 1_000; batch++) before.append(many(100, before.head + 1), NOON + batch);
    const uses: [string, number, (log: RoomLog) => unknown][] = [
      ["the newest page", 50, (log) => log.before(log.head + 1, 50)],
      ["a page of the past", 50, (log) => log.before(50_000, 50)],
      ["a page after a seq", 50, (log) => log.after(50_000, 50)],
      ["a message", 1, (log) => log.get(50_000)],
      ["a retry", 256 + 100, (log) => log.find("swift-otter", "m99999")],
      ["the agents' run", 25, (log) => log.agentRun],
      ["a time", 20, (log) => log.since(NOON + 40)],
      ["a deletion", 1, (log) => log.deletionOf(50_000)],
    ];
    expect(storage.countRows(() => void openLog(storage))).toBeLessThan(16);
    for (const [what, most, use] of uses) {
      const log = openLog(storage);
      expect(
        storage.countRows(() => void use(log)),
        what,
      ).toBeLessThanOrEqual(most);
    }
    const log = openLog(storage);
    const plans = storage.plansOf(() => uses.forEach(([, , use]) => void use(log)));
    // What was given is what was read.
    expect(plans.filter((plan) => /SCAN m|TEMP B-TREE/.test(plan))).toEqual([]);
  });
});

describe("a log that is closed", () => {
  it("throws on each use and writes nothing: the storage is another room's", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(3), NOON);
    log.close();
    const uses: (() => unknown)[] = [
      () => log.started,
      () => log.epoch,
      () => log.head,
      () => log.lastAt,
      () => log.first,
      () => log.oldest,
      () => log.isWhole,
      () => log.copied,
      () => log.revision,
      () => log.retentionDue,
      () => log.agentRun,
      () => log.dirty,
      () => log.erasures,
      () => log.orders,
      () => log.newestErasure,
      () => log.newestErased,
      () => log.start({ messages: [] }),
      () => log.append(many(1, 4), NOON),
      () => log.find("swift-otter", "m1"),
      () => log.isAwaited("swift-otter", "m1"),
      () => log.get(1),
      () => log.after(0, 1),
      () => log.before(9, 1),
      () => log.jsonAfter(0, 1),
      () => log.jsonBefore(9, 1),
      () => log.deletionOf(1),
      () => log.since(NOON),
      () => log.lastAtOrBefore(NOON),
      () => log.hideBefore(NOON),
      () => log.hideBelow(2),
      () => log.removeGone(),
      () => log.setRetentionDue(NOON),
      () => log.eraseStep(),
      () => log.endErasure(1),
      () => log.markCopied(3, NOON),
      () => log.copyAgain(0),
      () => log.addOrders([]),
      () => log.removeOrder("a-b"),
      () => log.fill([], 1),
      () => log.expectAll(3),
      () => log.writers.untold(1),
      () => log.writers.hasWritten("a-b"),
    ];
    for (const use of uses) expect(use, String(use)).toThrow(Closed);
    const reopened = openLog(storage);
    expect([reopened.head, reopened.copied, reopened.isWhole]).toEqual([3, 0, true]);
  });
});
