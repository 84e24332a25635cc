/**
 * One small Durable Object for each person (`person:<id>`): their keys, their exact quotas over all rooms and transports, and
 * the rooms that are to hear when a key ends.
 *
 * Every write of a person passes through it, or through a lease that it takes back before a key ends. So a revocation holds
 * from the very next write. A person keeps it when a key is rotated.
 *
 * The same class serves one more kind of object, `key:<SHA-256>`: the durable pointer from a key to its person.
 */

import { DurableObject } from "cloudflare:workers";
import { configurationOf } from "../configuration.ts";
import { errors } from "../errors/error-tally.ts";
import { UNKNOWN_KEY } from "../identity/key-directory.ts";
import { type FirstVersion, KeyPointer } from "../identity/key-pointer.ts";
import { KeyRing, type Rotation } from "../identity/key-ring.ts";
import { type KeyOwner, KeyTable } from "../identity/key-table.ts";
import { isPersonName, keyName, personName } from "../identity/principal.ts";
import { repeatable } from "../object-call.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Fault, Quota } from "../protocol.ts";
import { isFault } from "../protocol.ts";
import { gauge, metered } from "../usage/metered-database.ts";
import { meteredKeyValues } from "../usage/metered-storage.ts";
import { usage } from "../usage/usage-sampler.ts";
import { type Daily, type DailyGrant, DailyQuotas } from "./daily-quotas.ts";
import { KnownRooms } from "./known-rooms.ts";
import type { Admission, Question } from "./limiter.ts";
import { MessageQuota } from "./message-quota.ts";

/** `last_used` in D1 is at most this stale, ms. */
const LAST_USED_EVERY = 60 * 60_000;

export class Person extends DurableObject<Env> {
  readonly #messages: MessageQuota;
  readonly #daily: DailyQuotas;
  readonly #keys: KeyRing;
  readonly #table: KeyTable;
  readonly #rooms: KnownRooms;
  #lastUsed: number;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const storage = meteredKeyValues(ctx.storage.kv, usage);
    const now = () => Date.now();
    const configuration = configurationOf(env);
    const db = metered(env.DB, {
      ...{ usage, gauge, errors, limits: configuration, now },
      keepAlive: (work) => ctx.waitUntil(work),
    });
    this.#messages = new MessageQuota({
      limit: configuration.keyMessagesPerMinute,
      lends: true,
      storage,
      now,
      recall: async (room, lease) => await env.CHAT_ROOM.getByName(room).recallLease(this.#name, lease),
    });
    this.#daily = new DailyQuotas({ limits: configuration, storage, now });
    this.#rooms = new KnownRooms(storage);
    this.#table = new KeyTable(db);
    this.#keys = new KeyRing({
      id: this.#person,
      table: this.#table,
      storage,
      now,
      point: (hash) => repeatable(async () => await env.PERSON.getByName(keyName(hash)).pointTo(this.#person)),
      inherit: (hash) => this.#inherit(hash),
      takeRotation: () => this.#takeRotation(),
      ended: (hash) => this.#end(hash),
    });
    this.#lastUsed = storage.get<number>("lastUsed") ?? 0;
  }

  /** Accepts one of the person's keys, by its SHA-256 in hex; `unavailable` when only D1 could tell and does not answer. */
  async identify(keyHash: string): Promise<KeyOwner | Fault> {
    const owner = await this.#keys.identify(keyHash);
    if (!isFault(owner)) this.#noteUse();
    return owner;
  }

  /** `identify` for a socket in `room`, which is remembered so that the end of a key can reach it. */
  async enter(room: string, keyHash: string): Promise<{ owner: KeyOwner; quota: Quota } | Fault> {
    // Before the key is accepted: should it end meanwhile, the room hears of it.
    this.#rooms.add(room, Date.now());
    const owner = await this.identify(keyHash);
    return isFault(owner) ? owner : { owner, quota: this.quota() };
  }

  /** Puts a key that the client has made, by its hash, in the place of the presented one. Repeatable. */
  async swapKey(presented: string, to: string): Promise<KeyOwner | Fault> {
    return this.#keys.swap(presented, to);
  }

  /** Lets another key be valid beside the presented one, which ends when the other is first used. */
  async offerKey(presented: string, next: string): Promise<KeyOwner | Fault> {
    return this.#keys.offer(presented, next);
  }

  /** Ends all keys of the person: in D1, here, and in every room where they have spoken. Without D1 nothing changes. */
  async revoke(presented: string): Promise<Fault | undefined> {
    return this.#keys.revoke(presented);
  }

  /** How many messages may follow now. */
  quota(): Quota {
    return this.#messages.quota();
  }

  /** Admits the first of the messages of `question`, as many as the window has room for. A repeated question is free. */
  async admit(question: Question): Promise<Admission | Fault> {
    const { keyHash } = question;
    if (!isPersonName(this.#name)) throw new Error("A key has no quota: ask its person.");
    if (keyHash === undefined) return UNKNOWN_KEY;
    const owner = this.#keys.holds(keyHash) ? undefined : await this.#keys.identify(keyHash);
    if (isFault(owner)) return owner;
    this.#noteUse();
    const admission = await this.#messages.answer(question);
    // The key may have ended while another room was asked for its lease: then no room is told of places, or lent any.
    if (!this.#keys.holds(keyHash)) return UNKNOWN_KEY;
    return admission;
  }

  /** Takes one of the day's. */
  takeDaily(what: Daily): DailyGrant | Fault {
    return this.#keys.isRevoked ? UNKNOWN_KEY : this.#daily.take(what);
  }

  /** Gives the one back that was taken at `at`: what it was for did not happen. */
  giveBackDaily(what: Daily, at: number): void {
    this.#daily.giveBack(what, at);
  }

  // The object of one key.

  /** The person to whom this key leads; a refusal when it has ended, `undefined` when nothing is known of it. */
  pointer(): string | Fault | undefined {
    return new KeyPointer(this.ctx.storage.kv).person();
  }

  /** What the first version kept here, when it counted for the key. */
  firstVersion(): FirstVersion | undefined {
    return new KeyPointer(this.ctx.storage.kv).firstVersion();
  }

  /** Lets this key point to its person, whose object has what was kept here. */
  pointTo(person: string): void {
    new KeyPointer(this.ctx.storage.kv).point(person);
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  /** The person's id. */
  get #person(): string {
    return this.#name.slice(personName("").length);
  }

  /** Takes over what the first version kept for this key, when it counted for the key and not for the person. */
  async #inherit(keyHash: string): Promise<KeyOwner | "revoked" | undefined> {
    const pointer = this.env.PERSON.getByName(keyName(keyHash));
    const kept = (await repeatable(async () => await pointer.firstVersion())) as FirstVersion | undefined;
    if (!kept || kept.owner === "revoked") return kept?.owner as "revoked" | undefined;
    this.#messages.inherit(kept.messages);
    this.#daily.inherit("rooms", kept.dailyRooms);
    this.#rooms.inherit(kept.rooms);
    this.#lastUsed = kept.lastUsed;
    return kept.owner;
  }

  #takeRotation(): Rotation | Fault {
    const taken = this.#daily.take("rotations");
    return isFault(taken) ? taken : { giveBack: () => this.#daily.giveBack("rotations", taken.at) };
  }

  /** Nothing is admitted by a lease of before, and every socket that was opened with the key is closed. */
  async #end(keyHash: string | undefined): Promise<void> {
    await this.#messages.recallLeases();
    await this.#rooms.tell((room) => this.env.CHAT_ROOM.getByName(room).expel(this.#name, keyHash));
  }

  #noteUse(): void {
    const now = Date.now();
    if (now - this.#lastUsed < LAST_USED_EVERY) return;
    this.#lastUsed = now;
    this.ctx.storage.kv.put("lastUsed", now);
    const noted = this.#table.noteUse(this.#person, new Date(now).toISOString());
    // A stale `last_used` is no reason to refuse anybody.
    this.ctx.waitUntil(noted.catch((error) => logEvent("key.use_not_noted", { error })));
  }
}
