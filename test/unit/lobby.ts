/** A lobby that has a log, a D1 and a copier, without a room around them. Its clock stands until a test moves it. */

import { Copier } from "../../party/archive/copier.ts";
import type { Hold } from "../../party/archive/hold.ts";
import { partRows } from "../../party/archive/parts.ts";
import { beginLog, Rebuild } from "../../party/archive/rebuild.ts";
import { RoomLog } from "../../party/log/room-log.ts";
import type { Statement } from "../../party/log/sql.ts";
import type { StoredMessage, Unplaced } from "../../party/log/stored-message.ts";
import { Retention } from "../../party/retention/retention.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../../party/room-record.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";
import { startedLog } from "./entries.ts";
import { deletion, TestD1, TestStorage, text } from "./sqlite.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

/** The row of the lobby of `db`. */
export const lobbyRecord = (db: TestD1): RoomRecord => ({
  ...{ id: "lobby", name: "Lobby", topic: "", listed: true, access: "open", createdByHandle: null, createdBy: null },
  ...{ createdAt: db.createdAt, settings: DEFAULT_SETTINGS, revision: 1, lastSeq: 0, epoch: null, lastMessageAt: null },
  ...{ firstSeq: 1, goneBefore: null, knownKeepDays: 0, guestPepper: "pepper" },
});

export class Lobby {
  now = NOON;
  readonly db = new TestD1();
  disk = new TestStorage();
  record = lobbyRecord(this.db);
  /** The deployment's `KEEP_DAYS`. */
  keepDays = 0;
  storage: RoomStorage;
  log: RoomLog;
  copier: Copier;
  retention: Retention;
  hold: Hold | undefined;
  /** What the room's storage holds, and how much that may be, in bytes. */
  stored: { bytes: number; limit: number | undefined } = { bytes: 0, limit: undefined };
  /** How often D1 has said that there is no such room. */
  gone = 0;
  /** How often its copier has let others have a turn. */
  turns = 0;
  readonly #delay: number;
  readonly #perSecond: number;

  /** `delay` in ms. */
  constructor({ delay = 0, perSecond = 1e9 } = {}) {
    [this.#delay, this.#perSecond] = [delay, perSecond];
    startedLog(this.disk);
    ({ storage: this.storage, log: this.log, copier: this.copier, retention: this.retention } = this.#opened());
  }

  /** Goes on as a room does that has slept. What was open before writes nothing any more. */
  reopen(): void {
    this.copier.close();
    this.log.close();
    Object.assign(this, this.#opened());
  }

  /** Loses the room's own storage: it begins behind what D1 has, and all of that is brought back. */
  async lose(): Promise<void> {
    this.disk = new TestStorage();
    const { db, keepDays, record } = this;
    const query = `SELECT last_seq AS lastSeq, first_seq AS firstSeq, epoch, gone_before AS goneBefore,
      last_message_at AS lastMessageAt FROM rooms WHERE id = 'lobby'`;
    this.record = { ...record, ...db.rows<Partial<RoomRecord>>(query)[0] };
    const storage = new RoomStorage(this.disk);
    const log = new RoomLog(storage);
    const now = () => this.now;
    await beginLog(this.record, { now, db, log, storage, keepDays, isWanted: () => true });
    const rebuild = new Rebuild({ room: "lobby", log, db, now, changed: () => undefined, schedule: (_, run) => run() });
    while (!log.isWhole) await rebuild.run();
    this.reopen();
  }

  append(...messages: Unplaced[]): StoredMessage[] {
    const placed = this.log.append(messages, this.now);
    this.copier.grown();
    return placed;
  }

  say(...contents: string[]): StoredMessage[] {
    const { head } = this.log;
    return this.append(...contents.map((content, index) => text("swift-otter", `m${head + index + 1}`, content)));
  }

  /** Says so many lines, each of which names its seq. */
  sayMany(count: number): void {
    for (let left = count; left > 0; left -= 1_000) {
      const { head } = this.log;
      this.say(...Array.from({ length: Math.min(left, 1_000) }, (_, index) => `line ${head + index + 1}`));
    }
  }

  delete(...targets: number[]): void {
    this.append(...targets.map((target) => deletion("swift-otter", target)));
  }

  /** Copies what D1 does not have, as far as it can now. */
  copy(): Promise<void> {
    return this.copier.run();
  }

  /** Carries out what is erased, here. */
  erase(): void {
    while (this.log.eraseStep());
  }

  /** Lets `ms` pass, and runs the copier whenever it is due. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (let due = this.copier.due; due !== undefined && due <= end; due = this.copier.due) {
      this.now = Math.max(this.now, due);
      await this.copy();
    }
    this.now = end;
  }

  /**
   * What `work` asks D1 to do in batches, but for those that only read. Each can be asked for again, as late as one likes.
   * Those with a query that matches `lost` do not arrive.
   */
  async batchesOf(work: () => Promise<unknown>, lost = /^never$/): Promise<(() => Promise<unknown>)[]> {
    const batch = this.db.batch.bind(this.db);
    const asked: Statement[][] = [];
    this.db.batch = (statements) => {
      const queries = (statements as (Statement & { query: string })[]).map(({ query }) => query);
      if (queries.some((query) => !query.startsWith("SELECT"))) asked.push(statements);
      if (queries.some((query) => lost.test(query)))
        return Promise.reject(new Error("D1_ERROR: Network connection lost."));
      return batch(statements);
    };
    await work();
    this.db.batch = batch;
    return asked.map((statements) => () => batch(statements));
  }

  /** The first seqs of the packs in D1. */
  get packs(): number[] {
    return this.db.rows<{ first: number }>("SELECT first FROM packs ORDER BY first").map(({ first }) => first);
  }

  /** What D1 has of the message `seq`. */
  contentOf(seq: number): string | undefined {
    return this.db.messages.find((message) => message.seq === seq)?.content;
  }

  #opened(): Pick<Lobby, "storage" | "log" | "copier" | "retention"> {
    const storage = new RoomStorage(this.disk);
    const log = new RoomLog(storage);
    const current = { log, now: () => this.now, record: () => this.record };
    const changed = () => this.copier.grown();
    const retention = new Retention({ ...current, deployment: this.keepDays, changed });
    const copier = new Copier({
      ...{ ...current, db: this.db, room: { id: "lobby", createdAt: this.db.createdAt }, keepDays: this.keepDays },
      ...{ delay: this.#delay, perSecond: this.#perSecond, changed: () => undefined, stored: () => this.stored },
      goneBefore: () => retention.goneBefore,
      schedule: (_, run) => {
        this.turns++;
        run();
      },
      part: (part) => partRows(storage, log, part),
      holds: {
        load: () => this.hold,
        save: (hold) => {
          this.hold = hold;
        },
      },
      noted: (change) => {
        this.record = { ...this.record, ...change };
      },
      gone: async () => void this.gone++,
    });
    return { storage, log, copier, retention };
  }
}
