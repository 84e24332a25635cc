/**
 * Work that follows what a room does and that nobody waits for: the copy in D1, a rebuild, retention, an erasure's steps.
 * Each follower remembers in the room's storage how far it is, so it goes on after any crash.
 */

import { logEvent } from "./operator-log/operator-log.ts";

export interface Follower {
  /** What the log calls it. */
  readonly name: string;
  /** When there is something to do, ms since 1970; `undefined`: not before something happens in the room. */
  readonly due: number | undefined;
  /** Does some of it. May be cut off anywhere, and come twice. Rejects at most with what the log is told. */
  run(): Promise<void>;
}

/** A follower that takes longer than this, ms, is left to itself: it goes on when it is due again. */
const RUN_WITHIN = 45_000;
/** An alarm waits so long for its followers, and once more for the room's end, ms. A deadline is not late by more than both. */
export const WAITED_FOR = 1_000;
/** A follower that fails, or hangs, is asked again no sooner than after this, ms. */
const AGAIN_AFTER = 10_000;

export interface FollowersDeps {
  /** The id of the room. */
  readonly room: string;
  now(): number;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
  /** Lets work go on after the event that started it. */
  keepAlive(work: Promise<unknown>): void;
  /** Asks for `run` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

export class Followers {
  readonly #deps: FollowersDeps;
  readonly #followers: readonly Follower[];
  readonly #running = new Map<Follower, Promise<void>>();
  /** Those that have failed, and when they are asked again, ms since 1970. */
  readonly #resting = new Map<Follower, number>();
  #isClosed = false;

  constructor(followers: readonly Follower[], deps: FollowersDeps) {
    this.#followers = followers;
    this.#deps = deps;
  }

  /** Asks to be woken when the first of them is due. */
  watch(): void {
    if (this.#isClosed) return;
    const { now, wakeIn } = this.#deps;
    const times = this.#followers.map((follower) => this.#dueOf(follower)).filter((at) => at !== undefined);
    if (times.length > 0) wakeIn(Math.max(0, Math.min(...times) - now()));
  }

  /** Runs those that are due. Settles soon: one that takes long goes on by itself, and delays no other. Never rejects. */
  async run(): Promise<void> {
    const { schedule, keepAlive, wakeIn } = this.#deps;
    for (const follower of this.#followers) if (this.#isDue(follower)) keepAlive(this.#start(follower));
    if (this.#running.size > 0) {
      const late = Promise.withResolvers<void>();
      const cancel = schedule(WAITED_FOR, late.resolve);
      await Promise.race([Promise.all(this.#running.values()), late.promise]);
      cancel();
    }
    // Should the object end before they do, its alarm brings them back.
    if (this.#running.size > 0 && !this.#isClosed) wakeIn(RUN_WITHIN);
    for (const late of this.#running.values()) void late.then(() => this.watch());
    this.watch();
  }

  /** The room is gone: none is started any more. */
  close(): void {
    this.#isClosed = true;
  }

  #isDue(follower: Follower): boolean {
    // Of a room that is gone a follower may not be asked any more.
    if (this.#isClosed || this.#running.has(follower)) return false;
    const at = this.#dueOf(follower);
    return at !== undefined && at <= this.#deps.now();
  }

  #dueOf(follower: Follower): number | undefined {
    const { due } = follower;
    return due === undefined || this.#running.has(follower)
      ? undefined
      : Math.max(due, this.#resting.get(follower) ?? 0);
  }

  #start(follower: Follower): Promise<void> {
    const { room, now, schedule } = this.#deps;
    const late = Promise.withResolvers<void>();
    const cancel = schedule(RUN_WITHIN, () => late.reject(new Error(`It has taken more than ${RUN_WITHIN / 1000} s.`)));
    const running = Promise.race([Promise.resolve().then(() => follower.run()), late.promise])
      .then(
        () => void this.#resting.delete(follower),
        (error) => {
          this.#resting.set(follower, now() + AGAIN_AFTER);
          if (!this.#isClosed) logEvent("room.follower_failed", { room, follower: follower.name, error });
        },
      )
      .finally(() => {
        cancel();
        this.#running.delete(follower);
      });
    this.#running.set(follower, running);
    return running;
  }
}
