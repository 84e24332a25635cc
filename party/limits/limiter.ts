/**
 * One small Durable Object for each key (`key:<SHA-256>`) and each client address (`address:<address>`): the exact
 * quotas of that principal over all rooms and transports, and, for a key, whose it is and whether it is revoked.
 *
 * Because every write of a principal passes through its Limiter, a revocation holds from the very next one, and a key
 * is looked up in D1 only once: afterwards it works while D1 does not.
 */

import { DurableObject } from "cloudflare:workers";
import type { Fault, Quota } from "../protocol.ts";
import { fault, isFault } from "../protocol.ts";
import type { Admission } from "../writes/lane.ts";
import { SlidingWindow, type WindowState } from "./sliding-window.ts";

/** Whose a key is. */
export interface KeyOwner {
  readonly id: string;
  readonly handle: string;
  readonly createdAt: string;
}

/** Whose key has come into a room, and how many messages may follow now. */
export interface Entered {
  readonly owner: KeyOwner;
  readonly quota: Quota;
}

/** What has a quota by the day, and where its size is configured. */
const DAILY = { rooms: "ROOMS_PER_DAY", keys: "KEYS_PER_DAY" } as const;
export type Daily = keyof typeof DAILY;

/** One of the day's, as it was taken. */
export interface DailyGrant {
  /** What `giveBackDaily` knows it by. */
  readonly at: number;
  readonly quota: Quota;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** `last_used` in D1 is at most this stale, ms. */
const LAST_USED_EVERY = 60 * MINUTE;
/** After this long without a message the minute's window is written down, before the runtime may forget it, ms. */
const WRITE_DOWN_AFTER = 4_000;

const UNKNOWN_KEY = fault("unauthorized", "This key is not valid.");

export class Limiter extends DurableObject<Env> {
  readonly #perMinute: number;
  readonly #messages: SlidingWindow;
  readonly #daily = new Map<Daily, SlidingWindow>();
  #owner: KeyOwner | "revoked" | undefined;
  #rooms: Set<string> | undefined;
  #lastUsed = 0;
  #lastAdmission = 0;
  #writesDown = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const isKey = this.#name.startsWith("key:");
    this.#perMinute = Number(isKey ? env.KEY_MESSAGES_PER_MINUTE : env.GUEST_MESSAGES_PER_MINUTE);
    this.#messages = new SlidingWindow(this.#perMinute, MINUTE, this.ctx.storage.kv.get<WindowState>("messages"));
    this.#owner = this.ctx.storage.kv.get<KeyOwner | "revoked">("owner");
    this.#lastUsed = this.ctx.storage.kv.get<number>("lastUsed") ?? 0;
  }

  /** Whose key this is, or `unauthorized`; `unavailable` when only D1 could tell and does not answer. */
  async identify(): Promise<KeyOwner | Fault> {
    if (this.#owner === "revoked") return UNKNOWN_KEY;
    if (this.#owner) {
      this.#noteUse(this.#owner);
      return this.#owner;
    }
    const owner = await this.#lookUp();
    if (isFault(owner)) return owner;
    // A revocation may have come while D1 was asked.
    if (this.#isRevoked()) return UNKNOWN_KEY;
    this.#owner = owner;
    this.ctx.storage.kv.put("owner", owner);
    this.#noteUse(owner);
    return owner;
  }

  /** `identify` for a socket in `room`, which is remembered so that a revocation can reach it. */
  async enter(room: string): Promise<Entered | Fault> {
    const owner = await this.identify();
    if (isFault(owner)) return owner;
    this.#rooms ??= new Set(this.ctx.storage.kv.get<string[]>("rooms"));
    if (!this.#rooms.has(room)) {
      this.#rooms.add(room);
      this.ctx.storage.kv.put("rooms", [...this.#rooms]);
    }
    return { owner, quota: this.quota() };
  }

  /** How many messages may follow now. */
  quota(): Quota {
    return this.#quota(this.#messages.take(0, Date.now()).remaining);
  }

  /** Admits the first of `count` messages, as many as the window has room for. */
  admit(count: number): Admission | Fault {
    if (this.#isRevoked()) return UNKNOWN_KEY;
    const { granted, remaining, wait } = this.#messages.take(count, Date.now());
    if (granted > 0) this.#writeDownSoon();
    if (this.#owner && this.#owner !== "revoked") this.#noteUse(this.#owner);
    return { granted, retryAfter: Math.ceil(wait / 1000), quota: this.#quota(remaining) };
  }

  /** Takes one of the day's rooms or keys. */
  takeDaily(what: Daily): DailyGrant | Fault {
    if (this.#isRevoked()) return UNKNOWN_KEY;
    const window = this.#dailyWindow(what);
    const { granted, remaining, wait, at } = window.take(1, Date.now());
    // Not even when the limit is no number.
    if (!granted) {
      const limit = this.env[DAILY[what]];
      return fault("rate_limited", `At most ${limit} new ${what} in 24 hours.`, Math.ceil(wait / 1000));
    }
    this.ctx.storage.kv.put(`daily:${what}`, window.state(Date.now()));
    return { at, quota: dailyQuota(this.env, what, remaining) };
  }

  /** Gives the one back that was taken at `at`: what it was for did not happen. */
  giveBackDaily(what: Daily, at: number): void {
    const window = this.#dailyWindow(what);
    window.giveBack(1, at);
    this.ctx.storage.kv.put(`daily:${what}`, window.state(Date.now()));
  }

  /**
   * Revokes this key: in D1, here, and in every room where it has spoken. If D1 does not answer, nothing has changed.
   */
  async revoke(): Promise<Fault | undefined> {
    const owner = await this.identify();
    if (isFault(owner)) return owner;
    this.#forgetOnRestart();
    try {
      // Of this key: its owner may have another by now, of a rotation that came in between.
      const query = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND key_hash = ?";
      const { meta } = await this.env.DB.prepare(query).bind(new Date().toISOString(), owner.id, this.#keyHash).run();
      if (meta.changes === 0) return UNKNOWN_KEY;
    } catch (error) {
      return unavailable(error);
    }
    await this.#end();
    return undefined;
  }

  /** Moves this key's owner, with the quotas as they stand, to the key with the hash `newHash`; this one is revoked. */
  async rotate(newHash: string): Promise<KeyOwner | Fault> {
    const owner = await this.identify();
    if (isFault(owner)) return owner;
    this.#forgetOnRestart();
    try {
      const query = "UPDATE api_keys SET key_hash = ? WHERE id = ? AND key_hash = ? AND revoked_at IS NULL";
      const { meta } = await this.env.DB.prepare(query).bind(newHash, owner.id, this.#keyHash).run();
      if (meta.changes === 0) return UNKNOWN_KEY;
    } catch (error) {
      return unavailable(error);
    }
    const now = Date.now();
    await this.env.LIMITER.getByName(`key:${newHash}`).takeOver({
      owner,
      messages: this.#messages.state(now),
      rooms: this.#dailyWindow("rooms").state(now),
    });
    await this.#end();
    return owner;
  }

  /** The other side of `rotate`. */
  takeOver(from: { owner: KeyOwner; messages: WindowState; rooms: WindowState }): void {
    this.#owner = from.owner;
    this.ctx.storage.kv.put("owner", from.owner);
    this.ctx.storage.kv.put("daily:rooms", from.rooms);
    for (const [at, count] of from.messages) this.#messages.take(count, at);
    this.ctx.storage.kv.put("messages", from.messages);
  }

  /** D1 is about to change its mind about this key: after a crash in between it must be asked again. */
  #forgetOnRestart(): void {
    this.ctx.storage.kv.delete("owner");
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  get #keyHash(): string {
    return this.#name.slice("key:".length);
  }

  /** A method, so that TypeScript does not assume that an `await` changed nothing. */
  #isRevoked(): boolean {
    return this.#owner === "revoked";
  }

  async #lookUp(): Promise<KeyOwner | Fault> {
    try {
      const query = "SELECT id, handle, created_at FROM api_keys WHERE key_hash = ? AND revoked_at IS NULL";
      const row = await this.env.DB.prepare(query)
        .bind(this.#keyHash)
        .first<{ id: string; handle: string; created_at: string }>();
      return row ? { id: row.id, handle: row.handle, createdAt: row.created_at } : UNKNOWN_KEY;
    } catch (error) {
      return unavailable(error);
    }
  }

  async #end(): Promise<void> {
    this.#owner = "revoked";
    this.ctx.storage.kv.put("owner", "revoked");
    const rooms = this.ctx.storage.kv.get<string[]>("rooms") ?? [];
    // A room that can't be reached now refuses this key at its next write all the same.
    await Promise.allSettled(rooms.map((room) => this.env.CHAT_ROOM.getByName(room).expel(this.#name)));
  }

  #dailyWindow(what: Daily): SlidingWindow {
    let window = this.#daily.get(what);
    if (!window) {
      const state = this.ctx.storage.kv.get<WindowState>(`daily:${what}`);
      window = new SlidingWindow(Number(this.env[DAILY[what]]), DAY, state);
      this.#daily.set(what, window);
    }
    return window;
  }

  #quota(remaining: number): Quota {
    return { limit: this.#perMinute, remaining, window: MINUTE / 1000 };
  }

  /**
   * A window in memory alone would be forgotten with the first hibernation, ten seconds on; one row a message would cost
   * as much as the message. So it is written once its principal pauses; the timer keeps the object from sleeping before.
   */
  #writeDownSoon(): void {
    this.#lastAdmission = Date.now();
    if (this.#writesDown) return;
    this.#writesDown = true;
    setTimeout(() => this.#writeDown(), WRITE_DOWN_AFTER);
  }

  #writeDown(): void {
    const left = this.#lastAdmission + WRITE_DOWN_AFTER - Date.now();
    if (left > 0) {
      setTimeout(() => this.#writeDown(), left);
      return;
    }
    this.#writesDown = false;
    this.ctx.storage.kv.put("messages", this.#messages.state(Date.now()));
  }

  #noteUse(owner: KeyOwner): void {
    const now = Date.now();
    if (now - this.#lastUsed < LAST_USED_EVERY) return;
    this.#lastUsed = now;
    this.ctx.storage.kv.put("lastUsed", now);
    const query = "UPDATE api_keys SET last_used = ? WHERE id = ?";
    const update = this.env.DB.prepare(query).bind(new Date(now).toISOString(), owner.id).run();
    // A stale `last_used` is no reason to refuse anybody.
    this.ctx.waitUntil(update.catch((error) => console.warn("last_used was not written", error)));
  }
}

/** The day's quota when `remaining` of it are left. */
export function dailyQuota(env: Env, what: Daily, remaining: number): Quota {
  return { limit: Number(env[DAILY[what]]), remaining, window: DAY / 1000 };
}

function unavailable(error: unknown): Fault {
  console.error("The Limiter could not reach D1", error);
  return fault("unavailable", "Keys can't be checked at the moment.", 5);
}
