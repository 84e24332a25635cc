import { beforeEach, describe, expect, it, vi } from "vitest";
import { erasure, openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestD1, TestStorage, text } from "../../test/unit/sqlite.ts";
import { Pages } from "../log/pages.ts";
import type { RoomLog } from "../log/room-log.ts";
import { isFault } from "../protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../room-record.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { copyStatements } from "./d1-copy.ts";
import { pack } from "./pack.ts";
import { beginLog, Rebuild } from "./rebuild.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
/** More than twice what D1 gives at once, twenty packs. */
const SAID = 4_450;

let db: TestD1;
let now: number;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  db = new TestD1();
  now = NOON;
});

/** A log of `SAID` messages, by anna and bob in turn, with all of it in D1. */
async function copied(change: (log: RoomLog) => void = () => undefined): Promise<RoomLog> {
  const log = startedLog();
  for (let batch = 0; batch < SAID / 50; batch++) {
    const lines = Array.from({ length: 50 }, (_, index) => {
      return text(index % 2 === 0 ? "anna" : "bob", `m${log.head + index + 1}`);
    });
    log.append(lines, NOON);
  }
  change(log);
  const packs = [];
  for (let first = 1; first <= log.head; first += 100)
    packs.push({ first, body: await pack(log.after(first - 1, 100)) });
  const what = { revision: NOON, known: 0, epoch: log.epoch, last: log.head, first: 1, goneBefore: null };
  const rest = { keepDays: undefined, lastAt: log.lastAt, packs, parts: [], senders: [] };
  await db.batch(copyStatements(db, { id: "lobby", createdAt: db.createdAt }, { ...what, ...rest }));
  return log;
}

/** A room that has lost its own storage, as it begins. */
async function lost(disk = new TestStorage()) {
  const storage = new RoomStorage(disk);
  const log = openLog(disk);
  const [row] = db.rows<{ last_seq: number; epoch: string }>("SELECT last_seq, epoch FROM rooms WHERE id = 'lobby'");
  const record = {
    ...{ id: "lobby", lastSeq: row?.last_seq ?? 0, epoch: row?.epoch ?? null, firstSeq: 1, goneBefore: null },
    ...{ knownKeepDays: 0, lastMessageAt: null, settings: DEFAULT_SETTINGS },
  } as RoomRecord;
  await beginLog(record, { now: () => now, db, storage, log, keepDays: 0, isWanted: () => true });
  const rebuild = new Rebuild({
    room: "lobby",
    log,
    db,
    now: () => now,
    changed: () => undefined,
    schedule: (_, run) => run(),
  });
  const pages = new Pages({ log, hide: () => undefined, siteUsers: { of: () => undefined } });
  return { log, rebuild, pages };
}

/** All that readers see. */
const all = (log: RoomLog) => log.after(log.first - 1, SAID + 99);

describe("a room that has lost its own storage", () => {
  it("has all of it again, step by step, in another epoch, and goes on", async () => {
    const before = await copied();
    const { log, rebuild } = await lost();
    expect([log.head, log.isWhole, log.epoch === before.epoch]).toEqual([SAID, false, false]);
    log.append([text("anna", "new")], NOON);
    while (rebuild.due !== undefined) await rebuild.run();
    expect(all(log).slice(0, -1)).toEqual(all(before));
    expect(log.get(SAID + 1)?.id).toBe("new");
  });

  it("says of what is not back yet that it is not, and never shows a gap", async () => {
    await copied();
    const { log, pages, rebuild } = await lost();
    const { oldest } = log;
    expect(oldest).toBeGreaterThan(100);
    for (const at of [{ after: 0 }, { after: oldest - 2 }, { before: oldest }, { before: 50 }]) {
      expect(pages.page(at, 50)).toMatchObject({ fault: "unavailable", retryAfter: 2 });
    }
    const page = pages.page({ before: oldest + 10 }, 50);
    expect(isFault(page) || [seqs(page.messages), page.more]).toEqual([
      Array.from({ length: 10 }, (_, index) => oldest + index),
      true,
    ]);
    const next = pages.page({ after: oldest - 1 }, 2);
    expect(isFault(next) || seqs(next.messages)).toEqual([oldest, oldest + 1]);
    expect([pages.refuseMissing(1), pages.refuseMissing(oldest)]).toMatchObject([{ fault: "unavailable" }, undefined]);
    while (rebuild.due !== undefined) await rebuild.run();
    expect(pages.page({ after: 0 }, 1)).toMatchObject({ messages: [{ seq: 1 }], more: true });
  });

  it("does not take a retry of what is still away for a new message (promise 3)", async () => {
    await copied();
    const { log, rebuild } = await lost();
    expect([log.find("anna", "m501"), log.knowsRetries]).toEqual([undefined, false]);
    while (rebuild.due !== undefined) await rebuild.run();
    expect([log.find("anna", "m501")?.seq, log.knowsRetries]).toEqual([501, true]);
  });

  it("shows nothing from its first moment of what was deleted or erased when D1 had not followed", async () => {
    await copied();
    // D1 has the entries, and the packs as they were before.
    const { log: entries } = await lost();
    const entriesAt = entries.append([deletion("bob", 2), erasure("anna", SAID)], NOON);
    const body = await pack(entries.after(SAID - 50, 100));
    db.rows("UPDATE packs SET body = ? WHERE first = 4401", [body]);
    db.rows("UPDATE rooms SET last_seq = ?", [entriesAt.at(-1)?.seq]);
    const { log, rebuild } = await lost();
    const shown = () =>
      log.before(log.head + 1, SAID + 99).filter(({ sender, kind }) => sender === "anna" && kind === "text");
    expect(shown()).toEqual([]);
    while (log.eraseStep());
    while (rebuild.due !== undefined) await rebuild.run();
    expect([shown(), log.get(2)?.content, log.get(4)?.content]).toEqual([[], "", "bob says m4"]);
    while (log.eraseStep());
    for (const { seq } of log.erasures) log.endErasure(seq);
    expect([shown(), log.erasures]).toEqual([[], []]);
    // D1 has their words still, and is to be written anew: the packs that came back, and that of the entry.
    expect(log.dirty.packs(99, 0)).toEqual(Array.from({ length: 45 }, (_, index) => 1 + 100 * index));
  });

  it("gives others a turn after each step, however quick D1 is", async () => {
    await copied();
    const { log } = await lost();
    const left: boolean[] = [];
    const schedule = (_: number, run: () => void) => {
      left.push(!log.isWhole);
      run();
    };
    await new Rebuild({ room: "lobby", log, db, now: () => now, changed: () => undefined, schedule }).run();
    expect([left.length > 0, left.at(-1)]).toEqual([true, false]);
  });

  it("goes on after a restart, and while D1 is away tries again", async () => {
    await copied();
    const disk = new TestStorage();
    await lost(disk);
    const log = openLog(disk);
    expect(log.isWhole).toBe(false);
    const rebuild = new Rebuild({
      room: "lobby",
      log,
      db,
      now: () => now,
      changed: () => undefined,
      schedule: (_, run) => run(),
    });
    db.trouble = "away";
    await rebuild.run();
    expect(rebuild.due).toBeGreaterThan(now);
    db.trouble = undefined;
    while (rebuild.due !== undefined) await rebuild.run();
    expect(seqs(all(log))).toEqual(Array.from({ length: SAID }, (_, index) => index + 1));
  });

  it("begins nothing while D1 does not answer", async () => {
    await copied();
    db.trouble = "away";
    const disk = new TestStorage();
    await expect(lost(disk)).rejects.toThrow("D1_ERROR");
    expect(openLog(disk).started).toBe(false);
  });
});
