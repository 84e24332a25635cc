/**
 * The messages of one principal: a Limiter's answers to the questions of rooms, and its leases.
 *
 * **What is written down.** Each answer that grants or lends is written before it is given (the object's output gate holds
 * the answer back until the disk has it), and nothing is left to a timer. So sleep and crash forget nothing that was
 * granted. A lease makes this cheap: at one message a second a room asks for every seventh, which is one row written for
 * seven messages, and for a batch of sixty messages it is one row.
 *
 * **What a lease costs in exactness.** Its places count as taken while it is out. Before a refusal the Limiter asks the
 * rooms for their leases back, so nobody is refused while a place is free, unless a room has slept or crashed and can't say
 * what it used: then all of the lease counts as used at its end.
 */

import { logEvent } from "../operator-log/operator-log.ts";
import type { Quota } from "../protocol.ts";
import { BoundedMap } from "./bounded-map.ts";
import { withDeadline } from "./deadline.ts";
import type { KeyValues } from "./key-values.ts";
import type { Admission, LeaseUses, Question } from "./limiter.ts";
import { type Loan, SlidingWindow, type WindowGrants, type WindowState } from "./sliding-window.ts";

export const MINUTE = 60_000;

/**
 * How long a lease may be used, ms. The runtime puts an object away after ten idle seconds, so the Limiter of an author who
 * writes each second is asked before that: opening it again takes as much as some messages.
 */
const LEASE_DURATION = 8_000;

/** A room that asks again within this time is busy with the principal, ms. */
const ASKS_AGAIN_WITHIN = 5_000;

/** The most places of one lease: their times are kept one by one. */
const MOST_PLACES = 500;

/** A lease stays where it is for so long, ms, although another room is busy: rooms that take turns do not pull at it. */
const STAYS_FOR = 1_000;

/** How long a room may take to give a lease back, ms. */
const RECALL_WITHIN = 1_000;

/** Answers that are remembered for a repeated question: so many, for so long in ms. */
const ANSWERS = 500;
const ANSWERED_FOR = 60_000;

export interface MessageQuotaDeps {
  /** Messages in a minute. */
  readonly limit: number;
  /** Whether rooms get leases: people's do, addresses' do not. */
  readonly lends: boolean;
  readonly storage: KeyValues;
  /** ms since 1970. */
  now(): number;
  /**
   * Asks `room` for the lease back: what was used of it, `undefined` when the room does not know. Once it has answered, it
   * uses the lease no more.
   */
  recall(room: string, lease: string): Promise<LeaseUses | undefined>;
}

/** A lease that is out, beside its loan in the window. */
interface Lent {
  readonly room: string;
  /** When it was lent, ms since 1970. Absent from what earlier versions have stored. */
  readonly since?: number;
  /** The room has been asked for it: it does not know what it used of it, or has not answered and may go on. */
  readonly recall?: "unknown" | "unanswered";
}

interface StoredQuota {
  readonly version: 2;
  readonly window: WindowState;
  readonly lent: [lease: string, lent: Lent][];
}

export class MessageQuota {
  readonly #deps: MessageQuotaDeps;
  #window: SlidingWindow;
  /** By the lease's id. */
  readonly #lent: Map<string, Lent>;
  readonly #answers = new BoundedMap<string, { at: number; answer: Promise<Admission> }>(ANSWERS);
  /** Recalls that are under way, by the lease's id. */
  readonly #recalls = new Map<string, Promise<void>>();
  #lastRoom: { room: string; at: number } | undefined;

  constructor(deps: MessageQuotaDeps) {
    this.#deps = deps;
    const stored = deps.storage.get<StoredQuota>("quota");
    // The first version kept the grants alone, under another name: should it be started again, it does not read ours.
    const grants = stored ? stored.window : deps.storage.get<WindowGrants>("messages");
    this.#window = new SlidingWindow(deps.limit, MINUTE, grants);
    this.#lent = new Map(stored?.lent);
  }

  /** Answers a question, and a repeated one as the first time. */
  async answer(question: Question): Promise<Admission> {
    const now = this.#deps.now();
    const earlier = this.#answers.get(question.id);
    if (earlier && now - earlier.at < ANSWERED_FOR) return earlier.answer;
    const answer = this.#answer(question);
    this.#answers.set(question.id, { at: now, answer });
    return answer;
  }

  /** How many messages may follow now. */
  quota(): Quota {
    const { remaining } = this.#window.take(0, this.#deps.now());
    return this.#quota(remaining + this.#recallable());
  }

  /**
   * Takes every lease back. When a room does not answer, waits until its lease is over: afterwards nothing is admitted by
   * a lease that was given before.
   */
  async recallLeases(): Promise<void> {
    await this.#recall();
    const now = this.#deps.now();
    const open = this.#open().filter(({ id }) => this.#lent.get(id)?.recall === "unanswered");
    const left = Math.max(0, ...open.map(({ until }) => until - now));
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }

  /** Takes over what was granted before, in the place of what is known. */
  inherit(grants: WindowGrants): void {
    this.#window = new SlidingWindow(this.#deps.limit, MINUTE, grants);
    this.#write();
  }

  async #answer({ count, room, uses }: Question): Promise<Admission> {
    const { now } = this.#deps;
    const wasBusy = count > 0 && this.#isBusy(room, uses);
    if (uses) this.#settle(uses);
    let { granted, remaining, wait } = this.#window.take(count, now());
    if (granted < count && (await this.#recall())) {
      const more = this.#window.take(count - granted, now());
      granted += more.granted;
      ({ remaining, wait } = more);
    }
    const lease = wasBusy && granted === count ? this.#lend(room as string) : undefined;
    if (wasBusy && !lease) this.#bringBack(room as string);
    if (granted > 0 || lease || uses) this.#write();
    if (granted < count) return { granted, retryAfter: Math.ceil(wait / 1000), quota: this.#quota(0) };
    const left = lease ? remaining - lease.places : remaining;
    return {
      granted,
      retryAfter: Math.ceil(wait / 1000),
      quota: this.#quota(left + this.#recallable()),
      ...(lease && { lease: { id: lease.id, places: lease.places, duration: LEASE_DURATION } }),
    };
  }

  /** Whether `room` has asked twice within seconds, or has used a lease since it asked. */
  #isBusy(room: string | undefined, uses: LeaseUses | undefined): boolean {
    if (room === undefined) return false;
    const now = this.#deps.now();
    const before = this.#lastRoom;
    this.#lastRoom = { room, at: now };
    if (uses !== undefined && uses.ages.length > 0) return true;
    return before?.room === room && now - before.at <= ASKS_AGAIN_WITHIN;
  }

  /** One lease at a time, and at most a tenth of the limit. */
  #lend(room: string): Loan | undefined {
    const { limit, lends, now } = this.#deps;
    const places = Math.min(Math.floor(limit / 10), MOST_PLACES);
    if (!lends || !(places >= 1) || this.#open().length > 0) return undefined;
    const loan = this.#window.lend(crypto.randomUUID(), places, LEASE_DURATION, now());
    if (loan) this.#lent.set(loan.id, { room, since: now() });
    return loan;
  }

  /** The author talks in `room` now: takes the lease of another room back, so that the next question can lend it here. */
  #bringBack(room: string): void {
    const now = this.#deps.now();
    for (const [lease, lent] of this.#lent) {
      if (lent.room === room || lent.recall !== undefined || now - (lent.since ?? 0) < STAYS_FOR) continue;
      // Not waited for: the author's message needs no answer of another room.
      this.#recallOne(lease, lent.room).catch((error) => logEvent("quota.lease_not_moved", { room, error }));
    }
  }

  #settle({ lease, ages }: LeaseUses): void {
    const now = this.#deps.now();
    const times = ages.map((age) => now - age);
    this.#window.settle(lease, times, now);
    this.#lent.delete(lease);
  }

  /** Asks for every lease that is out and may come back; whether there was one. */
  async #recall(): Promise<boolean> {
    this.#forget();
    const out = [...this.#lent].filter(([, { recall }]) => recall === undefined);
    await Promise.all(out.map(([lease, { room }]) => this.#recallOne(lease, room)));
    return out.length > 0;
  }

  #recallOne(lease: string, room: string): Promise<void> {
    const underWay = this.#recalls.get(lease);
    if (underWay) return underWay;
    const recall = this.#takeBack(lease, room).finally(() => this.#recalls.delete(lease));
    this.#recalls.set(lease, recall);
    return recall;
  }

  async #takeBack(lease: string, room: string): Promise<void> {
    let uses: LeaseUses | undefined;
    let recall: "unknown" | "unanswered" = "unknown";
    try {
      uses = await withDeadline(this.#deps.recall(room, lease), RECALL_WITHIN, "A room with a lease");
    } catch (error) {
      logEvent("quota.lease_not_recalled", { room, error });
      recall = "unanswered";
    }
    if (uses) this.#settle(uses);
    else if (this.#lent.has(lease)) this.#lent.set(lease, { room, recall });
    this.#write();
  }

  /** Leases that may be in use. */
  #open(): readonly Loan[] {
    const now = this.#deps.now();
    return this.#window.loans(now).filter(({ until }) => until > now);
  }

  /** Places that come back when they are needed. */
  #recallable(): number {
    const open = this.#open().filter(({ id }) => this.#lent.get(id)?.recall === undefined);
    return open.reduce((places, loan) => places + loan.places, 0);
  }

  #quota(remaining: number): Quota {
    return { limit: this.#deps.limit, remaining, window: MINUTE / 1000 };
  }

  #forget(): void {
    const loans = new Set(this.#window.loans(this.#deps.now()).map(({ id }) => id));
    for (const lease of this.#lent.keys()) if (!loans.has(lease)) this.#lent.delete(lease);
  }

  #write(): void {
    this.#forget();
    const window = this.#window.state(this.#deps.now());
    this.#deps.storage.put<StoredQuota>("quota", { version: 2, window, lent: [...this.#lent] });
  }
}
