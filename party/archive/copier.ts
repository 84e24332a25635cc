/**
 * Copies the room to D1, behind the conversation: every pack of the log and every part beside it that D1 does not have as it
 * is now, oldest first, until there is none. What is to be copied stands in the room's own storage (`storage/dirty.ts`), so
 * a crash between D1's answer and the mark costs a repetition that changes nothing (promise 6, docs/guarantees.md).
 */

import type { Follower } from "../follower.ts";
import { sha256Hex } from "../identity/sender.ts";
import { TokenBucket } from "../limits/token-bucket.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { Database } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Seq } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Part } from "../storage/dirty.ts";
import {
  type ArchivedRoom,
  type CopiedPack,
  type Copy,
  copyStatements,
  forgetAllSenders,
  isRoomGone,
  type Mark,
  takesWrites,
} from "./d1-copy.ts";
import { DatabaseHold } from "./database-hold.ts";
import { databaseLimit } from "./database-limit.ts";
import type { HoldReport, HoldStore, Stored } from "./hold.ts";
import { firstOf, PACK, pack } from "./pack.ts";
import type { StoredPart } from "./parts.ts";
import { retryDelay, spread } from "./retry-delay.ts";

/** Packs of one transaction: on Cloudflare's free plan an invocation may ask D1 50 times. */
const PACKS_AT_ONCE = 10;
/** Characters of content of one transaction: they are all in memory together. */
const CHARACTERS_AT_ONCE = 1_000_000;
/** Senders of one transaction. */
const SENDERS_AT_ONCE = 500;
/** A busy room's pack that is not full is at most so many times the quiet delay old. */
const BUSY = 3;
/** Copies of a burst keep this distance, ms. */
const BURST_EVERY = 1_000;
/** So many failures in a row with D1 answering mean that a pack is to blame. */
const SUSPECT_AFTER = 3;
/** A pack that D1 has refused is tried again after this, ms. */
const REFUSED_FOR = 86_400_000;

/** All rooms of this process together may start so many copies a second: D1 answers about a thousand queries. */
let gate: { readonly perSecond: number; readonly bucket: TokenBucket } | undefined;

export interface CopierDeps {
  readonly room: ArchivedRoom;
  readonly log: RoomLog;
  readonly db: Database;
  /** ms since 1970. */
  now(): number;
  /** The room's row as it is known now, and what of its age is gone. */
  record(): RoomRecord;
  goneBefore(): number;
  /** The deployment's `KEEP_DAYS`. */
  readonly keepDays: number;
  /** A part as rows of D1. */
  part(part: Exclude<Part, "room">): StoredPart[];
  readonly holds: HoldStore;
  /** How full the room's own storage is. */
  stored(): Stored;
  /** A quiet room is copied within this time, ms. */
  readonly delay: number;
  /** Copies a second of all rooms together. */
  readonly perSecond: number;
  /** The room's row in D1 goes by this now. */
  noted(change: Pick<RoomRecord, "firstSeq" | "goneBefore" | "knownKeepDays">): void;
  /** Calls `run` once, `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** Something is to be copied. */
  changed(): void;
  /** D1 has no such room any more. */
  gone(): Promise<void>;
}

export class Copier implements Follower {
  readonly name = "copy";
  readonly #deps: CopierDeps;
  readonly #hold: DatabaseHold;
  #failures = 0;
  /** The revision of the newest copy that was asked for: its answer may be lost, and it may come to D1 late. */
  #asked = 0;
  /** The pack that D1 did not take while it took a write of another kind right after. */
  #suspect: Seq | undefined;
  #isClosed = false;
  #dueAt: number | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: CopierDeps) {
    this.#deps = deps;
    this.#hold = new DatabaseHold({ ...deps, room: deps.room.id });
    // Soon, so that an object that is put away between two alarms does not begin to wait anew each time.
    this.#dueAt = this.isBehind ? deps.now() + spread(deps.delay / 10) : this.#dueAgain;
  }

  /** Stops: a run that is under way writes nothing more and ends quietly. */
  close(): void {
    this.#isClosed = true;
  }

  /** How many messages D1 does not have yet. */
  get lag(): number {
    const { log } = this.#deps;
    return log.head - Math.max(log.copied, log.first - 1);
  }

  /** How many tries in a row have failed; 0 when D1 takes what it is given. */
  get failures(): number {
    return this.#failures;
  }

  /** The packs that D1 refuses, by their first seq. */
  get refused(): { readonly first: Seq; readonly reason: string }[] {
    return this.#deps.log.dirty.refused();
  }

  /** What is to be said of a D1 that has reached a limit; `null` while it has reached none. */
  get hold(): HoldReport | null {
    const { log } = this.#deps;
    return this.#hold.report(log.head - log.first + 1);
  }

  /** Whether there is something that D1 does not have as it is now. */
  get isBehind(): boolean {
    const { dirty } = this.#deps.log;
    return this.lag > 0 || this.#packs(1).length > 0 || dirty.parts().length > 0;
  }

  /** Whether D1 has everything up to `seq`, and every part of the room, as they are now. */
  hasUpTo(seq: Seq): boolean {
    const { copied, dirty } = this.#deps.log;
    const [oldest = Number.POSITIVE_INFINITY] = dirty.packs(1, Number.POSITIVE_INFINITY);
    return copied >= seq && oldest > seq && dirty.parts().length === 0;
  }

  get due(): number | undefined {
    const { now } = this.#deps;
    if (this.#dueAt === undefined) return undefined;
    return this.#hold.isThere ? Math.max(this.#dueAt, now() + this.#hold.left) : this.#dueAt;
  }

  /** The room has changed: what is to be copied is copied in its time. */
  grown(): void {
    const { log, now, delay, changed } = this.#deps;
    if (this.#isClosed || this.#failures > 0) return;
    // A clock that was set back must not put a copy off.
    const since = Math.max(0, now() - log.revision);
    const isFull = log.head - log.copied >= PACK;
    const left = isFull ? BURST_EVERY - since : since >= BUSY * delay ? spread(delay) : spread(BUSY * delay) - since;
    const at = now() + Math.max(0, left);
    if (this.#dueAt !== undefined && this.#dueAt <= at) return;
    this.#dueAt = at;
    changed();
  }

  /** Copies until D1 has everything. What fails is tried again later. One run at a time. */
  run(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    const { now } = this.#deps;
    while (!this.#isClosed && this.isBehind && this.#hold.left === 0) {
      const wait = this.#takeTurn();
      if (wait > 0) {
        this.#dueAt = now() + wait;
        return;
      }
      if (!(await this.#copyNext())) return;
      // A D1 in the same process answers at once: without a turn of their own, all requests would wait for the end.
      await new Promise<void>((resolve) => this.#deps.schedule(0, resolve));
    }
    this.#dueAt = this.isBehind ? now() + this.#hold.left : this.#dueAgain;
  }

  /** When a pack that D1 has refused is tried again, ms since 1970. */
  get #dueAgain(): number | undefined {
    const at = this.#deps.log.dirty.refusedAt;
    return at === undefined ? undefined : at + REFUSED_FOR + 1;
  }

  /** Takes a place among the copies of all rooms; how long to wait for one, ms. */
  #takeTurn(): number {
    const { perSecond, now } = this.#deps;
    if (gate?.perSecond !== perSecond) gate = { perSecond, bucket: new TokenBucket(perSecond, perSecond, now()) };
    return gate.bucket.spend(now()) ? 0 : spread(2_000);
  }

  /** Makes one copy; whether to go on with the next. */
  async #copyNext(): Promise<boolean> {
    const { log, db, room, record, noted } = this.#deps;
    const limit = this.#failures >= SUSPECT_AFTER ? 1 : PACKS_AT_ONCE;
    const flight = log.dirty.beginFlight();
    const { packs, last, missing } = this.#choose(limit);
    const parts = log.dirty.parts();
    const senders = log.writers.untold(SENDERS_AT_ONCE);
    const copy = await this.#copyOf(packs, last, parts, senders);
    const hashes = new Map(
      await Promise.all(senders.map(async (sender) => [await sha256Hex(sender), sender] as const)),
    );
    if (this.#isClosed) return false;
    let answers: { results: unknown[] }[];
    try {
      answers = await db.batch<unknown>([
        ...copyStatements(db, room, copy),
        ...(senders.length > 0 ? [ordersFor(db, [...hashes.keys()])] : []),
      ]);
    } catch (error) {
      return this.#survive(packs, last, error);
    }
    if (this.#isClosed) return false;
    const mark = answers[0]?.results[0] as Mark | undefined;
    if (!mark) {
      await this.#deps.gone();
      return false;
    }
    this.#failures = 0;
    this.#suspect = undefined;
    this.#hold.end(this.lag);
    if (mark.copied_at >= copy.revision) {
      // A copy from before a restart, by a clock that was ahead: what is older than it is not written.
      this.#asked = mark.copied_at;
      return true;
    }
    if (mark.copied_at < log.revision) return this.#beginAgain(mark);
    const orders = senders.length > 0 ? ((answers.at(-1)?.results ?? []) as Order[]) : [];
    log.transaction(() => {
      flight.end(
        packs.map(({ first }) => first),
        parts,
      );
      log.dirty.markPacks(missing);
      log.markCopied(last, copy.revision);
      log.writers.markTold(senders);
      log.addOrders(
        orders.flatMap(({ sender_hash: hash, at }) => {
          const sender = hashes.get(hash);
          return sender === undefined ? [] : [{ sender, upTo: log.lastAtOrBefore(Date.parse(at)) }];
        }),
      );
    });
    const { first: firstSeq, goneBefore, keepDays: told } = copy;
    // A row that was changed meanwhile says more of what is gone, and is told in its turn.
    if (told?.revision === record().revision) noted({ firstSeq, goneBefore, knownKeepDays: told.days });
    return true;
  }

  /** D1 was set back: it is given all of it again. */
  async #beginAgain(mark: Mark): Promise<boolean> {
    const { log, db, room } = this.#deps;
    // Below 0 a migration asks for all of it.
    if (mark.copied_at >= 0) logEvent("archive.set_back", { room: room.id, to: mark.last_seq, from: log.copied });
    try {
      // Some of whom it names may have been erased since.
      const underWay = log.erasures.map(({ sender }) => sender);
      await db.batch([forgetAllSenders(db, room, underWay)]);
    } catch (error) {
      return this.#survive([], log.copied, error);
    }
    if (!this.#isClosed) log.copyAgain(mark.copied_at);
    return !this.#isClosed;
  }

  /** The oldest packs that D1 does not have as they are, and up to where it has the log with them. */
  #choose(limit: number): { packs: Chosen[]; last: Seq; missing: Seq[] } {
    const { log } = this.#deps;
    const packs: Chosen[] = [];
    /** Packs of which some messages are only in D1 yet: they are written once these are back. */
    const missing: Seq[] = [];
    let characters = 0;
    const isFull = () => packs.length >= limit || (packs.length > 0 && characters > CHARACTERS_AT_ONCE);
    const take = (first: Seq) => {
      const messages = log.after(first - 1, PACK).filter(({ seq }) => seq < first + PACK);
      characters += messages.reduce((sum, { content }) => sum + content.length, 0);
      packs.push({ first, messages });
    };
    for (const first of this.#packs(limit)) if (!isFull()) take(first);
    const known = Math.max(log.copied, log.first - 1);
    let last = known;
    // A pack that is refused waits for its time, however it grows.
    const refused = new Set(this.refused.map(({ first }) => first));
    while (last < log.head && !isFull()) {
      const first = firstOf(last + 1);
      if (first < log.packsFrom) missing.push(first);
      else if (!refused.has(first) && !packs.some((pack) => pack.first === first)) take(first);
      last = Math.min(log.head, first + PACK - 1);
    }
    return { packs, last, missing };
  }

  #packs(limit: number): Seq[] {
    const { log, now } = this.#deps;
    return log.dirty.packs(limit, now() - REFUSED_FOR, log.packsFrom);
  }

  /** Reads what there is at once: what changes while it is on its way is marked anew. */
  async #copyOf(
    chosen: readonly Chosen[],
    last: Seq,
    parts: readonly Part[],
    senders: readonly string[],
  ): Promise<Copy> {
    const { log, now, record, goneBefore, keepDays, part } = this.#deps;
    const bodies = parts.flatMap((name) => (name === "room" ? [] : [{ name, rows: part(name) }]));
    const { epoch, first, lastAt, revision } = log;
    const before = goneBefore();
    const row = record();
    this.#asked = Math.max(now(), revision + 1, this.#asked + 1);
    const asked = this.#asked;
    const packs: CopiedPack[] = [];
    for (const { first, messages } of chosen) {
      packs.push({ first, body: messages.length === 0 ? undefined : await pack(messages) });
    }
    return {
      ...{ epoch, last, first, lastAt, packs, parts: bodies, senders },
      revision: asked,
      known: revision,
      goneBefore: before > 0 ? new Date(before).toISOString() : null,
      keepDays: parts.includes("room") ? { days: keepDays, revision: row.revision } : undefined,
    };
  }

  /** After a failed copy: whether to go on at once. */
  async #survive(packs: readonly Chosen[], last: Seq, error: unknown): Promise<boolean> {
    if (this.#isClosed) return false;
    const { room, db, log, now } = this.#deps;
    const detail = error instanceof Error ? error.message : String(error);
    this.#failures++;
    const limit = databaseLimit(detail);
    // No pack is to blame, though D1 might take a smaller one: none may be set aside.
    if (limit) {
      this.#hold.begin(limit, this.lag, detail);
      this.#dueAt = now() + this.#hold.left;
      return false;
    }
    this.#dueAt = now() + retryDelay(this.#failures);
    logEvent("archive.batch_failed", { room: room.id, failures: this.#failures, lag: this.lag, error: detail });
    if ((await isRoomGone(db, room)) === true && !this.#isClosed) {
      await this.#deps.gone();
      return false;
    }
    const [only] = packs;
    if (this.#failures <= SUSPECT_AFTER || !only || packs.length > 1) return false;
    if (!(await takesWrites(db, room)) || this.#isClosed) return false;
    if (this.#suspect !== only.first) {
      // D1 may have come back in between.
      this.#suspect = only.first;
      return true;
    }
    logEvent("archive.pack_refused", { room: room.id, seq: only.first, error: detail });
    log.transaction(() => {
      log.dirty.refuse(only.first, now(), detail);
      log.markCopied(Math.max(log.copied, last), log.revision);
    });
    return true;
  }
}

/** A pack that is to be copied, with all that the log has of it. */
interface Chosen {
  readonly first: Seq;
  readonly messages: readonly StoredMessage[];
}

/** The operator has erased a sender everywhere: what they had said up to `at` (ISO 8601). */
interface Order {
  readonly sender_hash: string;
  readonly at: string;
}

/** The query for the operator's orders about senders with these hashes. */
const ordersFor = (db: Database, hashes: readonly string[]) =>
  db
    .prepare("SELECT sender_hash, at FROM erasure_orders WHERE sender_hash IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(hashes));
