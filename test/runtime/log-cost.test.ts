/**
 * What the log costs in the room's real storage, in rows as they are billed: bounds for what `docs/self-hosting.md` says.
 */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Archive } from "../../party/archive/archive.ts";
import { Journal, KEPT, KEPT_AT_MOST } from "../../party/log/journal.ts";
import { SEGMENT } from "../../party/log/segments.ts";
import type { Sql } from "../../party/log/sql.ts";
import { keepsAll } from "../unit/keeps-all.ts";
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

const say = (journal: Journal, count: number, kind: "text" | "deletion" = "text") => {
  const { head } = journal;
  const messages = Array.from({ length: count }, (_, index) => {
    const id = `m${head + index + 1}`;
    const base = { id, sender: index % 2 ? "swift-otter" : "swift-otter/claude", content: "A line of usual length." };
    return { ...base, kind, ref: kind === "deletion" ? head + index : null };
  });
  journal.append(messages, NOON + head);
};

function started(storage: Storage): Journal {
  const journal = new Journal(storage);
  journal.start({ messages: [] });
  return journal;
}

it("writes one row a message, and hardly one more in a hundred, however long the room has been used", async () => {
  await withStorage((storage) => {
    const journal = started(storage);
    const rows = storage.count(() => {
      while (journal.head < KEPT + 4 * SEGMENT) {
        for (let batch = 0; batch < 64; batch++) say(journal, 16);
        journal.markArchived(journal.head);
        journal.prune();
      }
    });
    expect(journal.oldest).toBeGreaterThan(SEGMENT);
    expect(rows.written / journal.head).toBeLessThan(1.02);
    expect(rows.read / journal.head).toBeLessThan(1.5);
  });
});

it("drops old messages for a few rows", async () => {
  await withStorage((storage) => {
    const journal = started(storage);
    while (journal.head < KEPT_AT_MOST) say(journal, 1_000);
    journal.markArchived(journal.head);
    const rows = storage.count(() => expect(journal.prune()).toBe(SEGMENT));
    expect(rows.written).toBeLessThan(10);
    expect(rows.read).toBeLessThan(50);
  });
});

it("removes what is gone for a row each, or a few rows for a whole segment, and finds it by few reads", async () => {
  await withStorage((storage) => {
    const journal = started(storage);
    while (journal.head < 2 * SEGMENT + 100) say(journal, 100);
    // The time of message n is NOON and at most n - 1 ms.
    const found = storage.count(() => journal.hideBefore(NOON + SEGMENT + 50));
    expect(found.read).toBeLessThan(60);
    expect(found.written).toBe(0);
    const gone = journal.first - 1 - SEGMENT;
    expect(gone).toBeGreaterThan(0);
    const removed = storage.count(() => expect(journal.removeGone()).toBe(false));
    expect(removed.written).toBeLessThan(gone + 10);
    expect(removed.read).toBeLessThan(2 * gone + 200);
  });
});

it("writes a second row for a deletion's index and a third for its target, none of which a text has", async () => {
  await withStorage((storage) => {
    const journal = started(storage);
    say(journal, 10);
    expect(storage.count(() => say(journal, 1)).written).toBe(1);
    expect(storage.count(() => say(journal, 1, "deletion")).written).toBe(3);
  });
});

it("reads few rows at a wake, for a frame and for an upgrade, however long the room is", async () => {
  await withStorage((storage) => {
    const before = started(storage);
    while (before.head < 9_000) say(before, 100);
    say(before, 1, "deletion");
    const journal = new Journal(storage);
    const read = {
      wake: storage.count(() => void new Journal(storage)).read,
      agentRun: storage.count(() => void journal.agentRun).read,
      welcome: storage.count(() => void journal.before(journal.head + 1, 50)).read,
      nextWelcome: storage.count(() => void journal.before(journal.head + 1, 50)).read,
      deletion: storage.count(() => void journal.deletionOf(17)).read,
      retry: storage.count(() => void journal.find("swift-otter", `m${journal.head - 2}`)).read,
      append: storage.count(() => say(journal, 1)).read,
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
    const journal = started(storage);
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
    const archive = new Archive({
      setBack: () => undefined,
      room,
      createdAt: createdAt ?? "",
      journal,
      db: db as never,
      now: () => NOON,
      holds: { load: () => undefined, save: () => undefined },
      stored: () => ({ bytes: 0, limit: undefined }),
      keepAlive: () => undefined,
      wakeIn: () => {
        alarms += isArmed ? 0 : 1;
        isArmed = true;
      },
      delay: 10_000,
      gone: async () => undefined,
      retention: keepsAll,
      ordered: () => undefined,
    });
    const minutes = 10;
    storage.takeRows();
    for (let second = 1; second <= minutes * 60; second++) {
      journal.append(
        [{ id: `s${second}`, kind: "text", sender: "swift-otter", content: "hello", ref: null }],
        NOON + second * 1_000,
      );
      archive.grown();
      if (second % 10 > 0) continue;
      isArmed = false;
      await archive.run();
    }
    const { head } = journal;
    expect([journal.archived, head]).toEqual([minutes * 60, minutes * 60]);
    const inRoom = storage.takeRows().written;
    expect((inRoom + alarms + inD1.written) / head).toBeLessThanOrEqual(1.5);
    expect(inD1.written / head).toBeLessThanOrEqual(0.25);
    expect(inD1.read / head).toBeLessThanOrEqual(1.5);
    // Alone, so nothing shares its copy: its pack, its target's pack and the room's row.
    inD1.written = 0;
    journal.append([{ id: "d", kind: "deletion", sender: "swift-otter", content: "", ref: 7 }], NOON + 601_000);
    await archive.run();
    expect(inD1.written).toBeLessThanOrEqual(3);
  });
});
