/**
 * What the log costs in the room's real storage, in rows as they are billed: bounds for what `docs/self-hosting.md` says.
 */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Copier } from "../../party/archive/copier.ts";
import { partRows } from "../../party/archive/parts.ts";
import { RoomLog } from "../../party/log/room-log.ts";
import type { Sql } from "../../party/log/sql.ts";
import type { RoomRecord } from "../../party/room-record.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";
import { ownerWithRoom } from "./visitor.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

interface Rows {
  written: number;
  read: number;
}

/** Runs `work` with the storage of an object of its own, whose rows are counted. */
function withStorage<T>(work: (storage: Storage) => T | Promise<T>): Promise<T> {
  const stub = env.CHAT_ROOM.getByName(`cost-${crypto.randomUUID()}`);
  return runInDurableObject(stub, (_, state) => work(new Storage(state.storage)));
}

class Storage {
  readonly #storage: DurableObjectStorage;
  #rows: Rows = { written: 0, read: 0 };

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  readonly sql: Sql = {
    exec: (query, ...bindings) => {
      const cursor = this.#storage.sql.exec(query, ...bindings);
      const rows = cursor.toArray();
      this.#rows.written += cursor.rowsWritten;
      this.#rows.read += cursor.rowsRead;
      // biome-ignore lint/suspicious/noExplicitAny: the caller says what a row is
      return Object.assign(rows, { toArray: () => rows }) as any;
    },
  };

  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  /** The rows that `work` has written and read. */
  count(work: () => void): Rows {
    this.#rows = { written: 0, read: 0 };
    work();
    return this.#rows;
  }

  takeRows(): Rows {
    const rows = this.#rows;
    this.#rows = { written: 0, read: 0 };
    return rows;
  }
}

const say = (log: RoomLog, count: number, kind: "text" | "deletion" = "text") => {
  const { head } = log;
  const messages = Array.from({ length: count }, (_, index) => {
    const id = `m${head + index + 1}`;
    const base = { id, sender: index % 2 ? "swift-otter" : "swift-otter/claude", content: "A line of usual length." };
    return { ...base, kind, ref: kind === "deletion" ? head + index : null };
  });
  log.append(messages, NOON + head);
};

const opened = (storage: Storage): RoomLog => new RoomLog(new RoomStorage(storage));

function started(storage: Storage): RoomLog {
  const log = opened(storage);
  log.start({ messages: [] });
  return log;
}

it("writes one row a message, and hardly one more in a hundred, however long the room has been used", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    const rows = storage.count(() => {
      while (log.head < 20_000) {
        for (let batch = 0; batch < 64; batch++) say(log, 16);
        log.markCopied(log.head, NOON);
      }
    });
    expect(rows.written / log.head).toBeLessThan(1.01);
    expect(rows.read / log.head).toBeLessThan(1.5);
  });
});

it("removes what is gone for a row each, and finds it by few reads", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    while (log.head < 4_000) say(log, 100);
    // The time of message n is NOON and at most n - 1 ms.
    const found = storage.count(() => log.hideBefore(NOON + 3_000));
    expect(found.read).toBeLessThan(60);
    expect(found.written).toBe(0);
    const gone = log.first - 1;
    expect(gone).toBeGreaterThan(2_900);
    const removed = storage.count(() => expect(log.removeGone()).toBe(false));
    expect(removed.written).toBeLessThan(gone + 10);
    expect(removed.read).toBeLessThan(2 * gone + 200);
  });
});

it("writes a row for a text, and for a deletion one more for its target and one for the mark of that one's pack", async () => {
  await withStorage((storage) => {
    const log = started(storage);
    say(log, 10);
    expect(storage.count(() => say(log, 1)).written).toBe(1);
    expect(storage.count(() => say(log, 1, "deletion")).written).toBe(3);
    // The pack is marked already.
    expect(storage.count(() => say(log, 1, "deletion")).written).toBe(2);
  });
});

it("reads few rows at a wake, for a frame and for an upgrade, however long the room is", async () => {
  await withStorage((storage) => {
    const before = started(storage);
    while (before.head < 9_000) say(before, 100);
    say(before, 1, "deletion");
    const log = opened(storage);
    const read = {
      wake: storage.count(() => void opened(storage)).read,
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

it("writes a row for each message at one a second, and half a row more, the alarm and D1 included", async () => {
  const { room } = await ownerWithRoom();
  const createdAt = await env.DB.prepare("SELECT created_at FROM rooms WHERE id = ?")
    .bind(room)
    .first<string>("created_at");
  await withStorage(async (storage) => {
    const disk = new RoomStorage(storage);
    const log = new RoomLog(disk);
    log.start({ messages: [] });
    let alarms = 0;
    const inD1 = { written: 0, read: 0 };
    const db = {
      prepare: (query: string) => env.DB.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        const results = await env.DB.batch(statements);
        for (const { meta } of results) {
          inD1.written += meta.rows_written;
          inD1.read += meta.rows_read;
        }
        return results;
      },
    };
    let isArmed = false;
    const record = { id: room, createdAt, revision: 0 } as RoomRecord;
    const copier: Copier = new Copier({
      ...{ room: { id: room, createdAt: createdAt ?? undefined }, log, db: db as never, now: () => NOON },
      record: () => record,
      schedule: (_, run) => run(),
      goneBefore: () => 0,
      keepDays: 0,
      part: (part) => partRows(disk, log, part),
      holds: { load: () => undefined, save: () => undefined },
      stored: () => ({ bytes: 0, limit: undefined }),
      delay: 10_000,
      perSecond: 1_000,
      noted: () => undefined,
      changed: () => {
        alarms += isArmed ? 0 : 1;
        isArmed = true;
      },
      gone: async () => undefined,
    });
    const minutes = 10;
    storage.takeRows();
    for (let second = 1; second <= minutes * 60; second++) {
      log.append(
        [{ id: `s${second}`, kind: "text", sender: "swift-otter", content: "hello", ref: null }],
        NOON + second * 1_000,
      );
      copier.grown();
      if (second % 10 > 0) continue;
      isArmed = false;
      await copier.run();
    }
    const { head } = log;
    expect([log.copied, head]).toEqual([minutes * 60, minutes * 60]);
    const inRoom = storage.takeRows().written;
    expect((inRoom + alarms + inD1.written) / head).toBeLessThanOrEqual(1.5);
    expect(inD1.written / head).toBeLessThanOrEqual(0.25);
    expect(inD1.read / head).toBeLessThanOrEqual(1.5);
    // Alone, so nothing shares its copy: its pack, its target's pack and the room's row.
    inD1.written = 0;
    log.append([{ id: "d", kind: "deletion", sender: "swift-otter", content: "", ref: 7 }], NOON + 601_000);
    await copier.run();
    expect(inD1.written).toBeLessThanOrEqual(3);
  });
});
