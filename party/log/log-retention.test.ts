/** What goes because of its age, and what is noted of the log for its copy in D1. */

import { describe, expect, it } from "vitest";
import { ask, erasure, openLog, startedLog } from "../../test/unit/entries.ts";
import { seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import { REMOVED_AT_ONCE } from "./room-log.ts";
import type { Unplaced } from "./stored-message.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const many = (count: number, from = 1): Unplaced[] => {
  return Array.from({ length: count }, (_, index) => text("swift-otter", `m${from + index}`));
};

describe("what is gone because of its age", () => {
  const aged = (count: number) => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    for (let seq = 1; seq <= count; seq++) log.append(many(1, seq), NOON + Math.floor(seq / 2));
    return { storage, log };
  };

  it("is found by its time, whatever times are the same", () => {
    const { log } = aged(20);
    expect([NOON - 1, NOON, NOON + 4, NOON + 10, NOON + 11].map((time) => log.since(time)?.seq)).toEqual([
      1,
      1,
      8,
      20,
      undefined,
    ]);
    expect([NOON - 1, NOON, NOON + 4, NOON + 99].map((at) => log.lastAtOrBefore(at))).toEqual([0, 1, 9, 20]);
  });

  it("is hidden at once, and removed for good, with the pack at its end copied again", () => {
    const { storage, log } = aged(250);
    log.append([ask("a"), erasure("somebody", 10)], NOON + 200);
    log.hideBefore(NOON + 60);
    expect([log.first, log.oldest, log.isWhole, log.get(119), seqs(log.after(0, 1))]).toEqual([
      120,
      120,
      true,
      undefined,
      [120],
    ]);
    expect(openLog(storage).first).toBe(1);
    expect([log.removeGone(), log.removeGone()]).toEqual([false, false]);
    for (const each of [log, openLog(storage)]) {
      expect([each.first, each.oldest, each.head, seqs(each.after(0, 1))]).toEqual([120, 120, 252, [120]]);
      expect([each.dirty.packs(9, 0), each.dirty.parts().includes("room")]).toEqual([[101], true]);
    }
    log.hideBelow(999);
    log.removeGone();
    const empty = openLog(storage);
    expect([empty.first, empty.head, empty.lastAt, empty.isWhole]).toEqual([253, 252, NOON + 200, true]);
    expect([[...empty.asks.opened.keys()], empty.newestErasure]).toEqual([[], 0]);
    expect(seqs(empty.append(many(1), NOON))).toEqual([253]);
    expect(empty.get(253)?.at).toBe(NOON + 200);
  });

  it("is removed in steps, which go on after a restart", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(2 * REMOVED_AT_ONCE), NOON);
    log.append(many(1, log.head + 1), NOON + 1);
    log.hideBefore(NOON + 1);
    expect(log.removeGone()).toBe(true);
    const woken = openLog(storage);
    expect([woken.first, woken.removeGone(), woken.removeGone()]).toEqual([log.head, false, false]);
    expect(storage.sql.exec("SELECT seq FROM messages").toArray()).toEqual([{ seq: log.head }]);
  });

  it("has a time at which it is removed next", () => {
    const { storage, log } = aged(1);
    log.setRetentionDue(NOON);
    expect([log.retentionDue, openLog(storage).retentionDue]).toEqual([NOON, NOON]);
  });
});

describe("what is noted for the copy in D1", () => {
  it("is all there is, when D1 was set back", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(250), NOON);
    log.markCopied(250, NOON);
    log.writers.markTold(log.writers.untold(9));
    log.hideBelow(11);
    log.copyAgain(NOON - 1);
    const woken = openLog(storage);
    expect([woken.copied, woken.revision, woken.writers.untold(9)]).toEqual([10, NOON - 1, ["swift-otter"]]);
    expect(woken.dirty.parts()).toHaveLength(7);
  });

  it("is whom the operator has erased, until the log says it", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.addOrders([
      { sender: "a-b", upTo: 5 },
      { sender: "c-d", upTo: 2 },
    ]);
    log.addOrders([{ sender: "a-b", upTo: 3 }]);
    log.removeOrder("c-d");
    expect(openLog(storage).orders).toEqual([{ sender: "a-b", upTo: 5 }]);
  });

  it("is who has written, each once, until D1 knows it", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append([text("a-b", "1"), text("a-b/c", "2"), text("d-e", "3"), text("a-b", "4")], NOON);
    expect([log.writers.untold(9), log.writers.untold(1)]).toEqual([["a-b", "a-b/c", "d-e"], ["a-b"]]);
    log.writers.markTold(["a-b", "d-e"]);
    expect(openLog(storage).writers.untold(9)).toEqual(["a-b/c"]);
    log.writers.forgetTold("a-b");
    expect(log.writers.untold(9)).toEqual(["a-b", "a-b/c"]);
    expect(["a-b", "a-b/c", "a-b/x", "a"].map((sender) => log.writers.hasWritten(sender))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(storage.plansOf(() => log.writers.untold(9))).toEqual(["SCAN writers USING COVERING INDEX untold"]);
  });
});
