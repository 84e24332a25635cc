/**
 * What the log costs in the room's real storage, in rows as they are billed: bounds for what `docs/self-hosting.md` says.
 */

import { expect, it } from "vitest";
import { REMOVED_AT_ONCE, RoomLog } from "../../party/log/room-log.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";
import { type CountedStorage, withStorage } from "./counted-storage.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const open = (storage: CountedStorage): RoomLog => RoomLog.open(new RoomStorage(storage));

function started(storage: CountedStorage): RoomLog {
  const log = open(storage);
  log.start({ messages: [] });
  return log;
}

function say(log: RoomLog, count: number, kind: "text" | "deletion" = "text"): void {
  const { head } = log;
  const messages = Array.from({ length: count }, (_, index) => {
    const id = `m${head + index + 1}`;
    const base = { id, sender: index % 2 ? "swift-otter" : "swift-otter/claude", content: "A line of usual length." };
    return { ...base, kind, ref: kind === "deletion" ? head + index : null };
  });
  log.append(messages, NOON + head);
}

it("writes one row a message, and hardly one more in a hundred, however long the room has been used", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    const rows = storage.count(() => {
      while (log.head < 20_000) for (let batch = 0; batch < 64; batch++) say(log, 16);
    });
    expect(rows.written / log.head).toBeLessThan(1.02);
    expect(rows.read / log.head).toBeLessThan(2.5);
  });
});

it("removes what is gone for a row each, in bounded steps, and finds it by few reads", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    while (log.head < REMOVED_AT_ONCE + 2_000) say(log, 100);
    // The time of message n is NOON and at most n - 1 ms.
    const found = storage.count(() => log.hideBefore(NOON + REMOVED_AT_ONCE + 1_000));
    expect(found.read).toBeLessThan(60);
    expect(found.written).toBe(0);
    const gone = log.first - 1;
    const first = storage.count(() => expect(log.removeGone()).toBe(true));
    expect(first.written).toBeLessThan(REMOVED_AT_ONCE + 10);
    const rest = storage.count(() => expect(log.removeGone()).toBe(false));
    expect(first.written + rest.written).toBeLessThan(gone + 10);
    expect(first.read + rest.read).toBeLessThan(2 * gone + 200);
  });
});

it("writes a second row for a deletion's target and a third for its pack, none of which a text has", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    say(log, 10);
    expect(storage.count(() => say(log, 1)).written).toBe(1);
    expect(storage.count(() => say(log, 1, "deletion")).written).toBe(3);
  });
});

it("reads few rows at a wake, for a frame and for an upgrade, however long the room is", async () => {
  await withStorage((storage) => {
    const before = started(storage);
    while (before.head < 9_000) say(before, 100);
    say(before, 1, "deletion");
    const log = open(storage);
    const read = {
      wake: storage.count(() => void open(storage)).read,
      agentRun: storage.count(() => void log.agentRun).read,
      welcome: storage.count(() => void log.before(log.head + 1, 50)).read,
      nextWelcome: storage.count(() => void log.before(log.head + 1, 50)).read,
      deletion: storage.count(() => void log.deletionOf(17)).read,
      retry: storage.count(() => void log.find("swift-otter", `m${log.head - 2}`)).read,
      append: storage.count(() => say(log, 1)).read,
    };
    expect(read.wake).toBeLessThan(40);
    expect(read.agentRun).toBeLessThan(400);
    expect(read.welcome).toBeLessThanOrEqual(50);
    expect(read.nextWelcome).toBe(0);
    expect(read.deletion).toBeLessThan(10);
    // The pairs since the checkpoint, once a wake.
    expect(read.retry).toBeLessThan(400);
    expect(read.append).toBeLessThan(10);
  });
});
