/**
 * One small Durable Object for each principal: a person (`person:<id>`) or a client address (`address:<address>`). It has
 * the exact quotas of that principal over all rooms and transports, and a person's keys.
 *
 * Every write of a principal passes through its Limiter, or through a lease that the Limiter takes back before a key ends.
 * So a revocation holds from the very next write. A person keeps their Limiter when a key is rotated.
 *
 * A site's user (`subject:<site>/<user>`) has a Limiter like a person's, which looks whether the site's key still holds; and
 * the site has one (`site:<name>`), which counts what its users do together and knows in which rooms they are.
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
import { keyName, personName, siteName, siteOfSubject } from "../identity/principal.ts";
import { repeatable } from "../object-call.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Fault, Quota } from "../protocol.ts";
import { isFault } from "../protocol.ts";
import { isKeyOfSite, NOT_ITS_KEY } from "../sites/voucher.ts";
import { gauge, metered } from "../usage/metered-database.ts";
import { meteredKeyValues } from "../usage/metered-storage.ts";
import { usage } from "../usage/usage-sampler.ts";
import { type Daily, type DailyGrant, DailyQuotas } from "./daily-quotas.ts";
import { withDeadline } from "./deadline.ts";
import { GuestBook } from "./guest-book.ts";
import type { Admission, Question } from "./limiter-rpc.ts";
import { MessageQuota } from "./message-quota.ts";

/** `last_used` in D1 is at most this stale, ms. */
const LAST_USED_EVERY = 60 * 60_000;

/** Rooms that a person's Limiter can reach when a key ends: those where sockets were opened last. */
const MOST_ROOMS = 1_000;

/** How long the Limiter waits for a room to close the sockets of a key, ms. */
const EXPEL_WITHIN = 2_000;

/** New guests of an address in a minute, for each message that they may send in it. */
const NEW_GUESTS_PER_MESSAGE = 6;

/** The site has brought this user before. */
interface StoredSubject {
  readonly version: 1;
}

export class Limiter extends DurableObject<Env> {
  readonly #messages: MessageQuota;
  readonly #daily: DailyQuotas;
  readonly #guests: GuestBook;
  readonly #keys: KeyRing;
  readonly #table: KeyTable;
  #rooms: Set<string> | undefined;
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
    const { guestMessagesPerMinute, keyMessagesPerMinute } = configuration;
    this.#messages = new MessageQuota({
      limit: this.#isKnown ? keyMessagesPerMinute : guestMessagesPerMinute,
      lends: this.#isKnown,
      storage,
      now,
      recall: async (room, lease) => await env.CHAT_ROOM.getByName(room).recallLease(this.#name, lease),
    });
    this.#daily = new DailyQuotas({ limits: configuration, storage, now });
    this.#guests = new GuestBook({ limit: guestMessagesPerMinute * NEW_GUESTS_PER_MESSAGE, storage, now });
    this.#table = new KeyTable(db);
    this.#keys = new KeyRing({
      id: this.#person,
      table: this.#table,
      storage,
      now,
      point: (hash) => repeatable(async () => await env.LIMITER.getByName(keyName(hash)).pointTo(this.#person)),
      inherit: (hash) => this.#inherit(hash),
      takeRotation: () => this.#takeRotation(),
      ended: (hash) => this.#end(hash),
    });
    this.#lastUsed = storage.get<number>("lastUsed") ?? 0;
  }

  // A person's Limiter.

  /** Accepts one of the person's keys, by its SHA-256 in hex; `unavailable` when only D1 could tell and does not answer. */
  async identify(keyHash: string): Promise<KeyOwner | Fault> {
    const owner = await this.#keys.identify(keyHash);
    if (!isFault(owner)) this.#noteUse();
    return owner;
  }

  /** `identify` for a socket in `room`, which is remembered so that the end of a key can reach it. */
  async enter(room: string, keyHash: string): Promise<{ owner: KeyOwner; quota: Quota } | Fault> {
    // Before the key is accepted: should it end meanwhile, the room hears of it.
    this.#remember(room);
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

  // A Limiter of an address.

  /** Lets a guest of this address in, by their sender string; how many messages may follow, or why they may not come. */
  async greet(sender: string): Promise<Quota | Fault> {
    return (await this.#guests.welcome(sender)) ?? this.quota();
  }

  // The Limiter of a site's user.

  /** Lets the user in, for whom a key of the site of this thumbprint has signed; how many messages may follow. */
  async vouch(thumbprint: string): Promise<Quota | Fault> {
    const refusal = await this.#refuseSubject(thumbprint);
    if (refusal) return refusal;
    const { kv } = this.ctx.storage;
    if (kv.get<StoredSubject>("subject") === undefined) {
      const site = this.env.LIMITER.getByName(siteName(this.#site as string));
      const taken: DailyGrant | Fault = await repeatable(async () => await site.takeDaily("subjects"));
      if (isFault(taken)) return taken;
      kv.put<StoredSubject>("subject", { version: 1 });
    }
    return this.quota();
  }

  // A site's Limiter.

  /** Users of the site are in `room` from now on: it hears of it when the site's keys change. */
  enterSite(room: string): void {
    this.#remember(room);
  }

  /** The site has the keys with these thumbprints now. Closes what was opened by another one. */
  async siteChanged(thumbprints: readonly string[]): Promise<void> {
    const site = this.#name.slice(siteName("").length);
    await this.#inKnownRooms((room) => this.env.CHAT_ROOM.getByName(room).siteChanged(site, thumbprints));
  }

  // Any Limiter.

  /** How many messages may follow now. */
  quota(): Quota {
    return this.#messages.quota();
  }

  /** Admits the first of the messages of `question`, as many as the window has room for. A repeated question is free. */
  async admit(question: Question): Promise<Admission | Fault> {
    const { keyHash } = question;
    if (this.#name.startsWith(keyName(""))) throw new Error("A key has no quota: ask the Limiter of its person.");
    if (this.#isPerson) {
      if (keyHash === undefined) return UNKNOWN_KEY;
      const owner = this.#keys.holds(keyHash) ? undefined : await this.#keys.identify(keyHash);
      if (isFault(owner)) return owner;
      this.#noteUse();
    }
    const refusal = this.#site === undefined ? undefined : await this.#refuseSubject(keyHash);
    if (refusal) return refusal;
    const admission = await this.#messages.answer(question);
    // The key may have ended while another room was asked for its lease: then no room is told of places, or lent any.
    if (keyHash !== undefined && this.#isPerson && !this.#keys.holds(keyHash)) return UNKNOWN_KEY;
    return admission;
  }

  /** Takes one of the day's rooms or keys. */
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

  /** What the first version kept here as the key's Limiter. */
  firstVersion(): FirstVersion | undefined {
    return new KeyPointer(this.ctx.storage.kv).firstVersion();
  }

  /** Lets this key point to its person, whose Limiter has what was kept here. */
  pointTo(person: string): void {
    new KeyPointer(this.ctx.storage.kv).point(person);
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  /** The site of the user whose Limiter this is. */
  get #site(): string | undefined {
    return siteOfSubject(this.#name);
  }

  /** Whether this counts for one who is known by more than an address. */
  get #isKnown(): boolean {
    return this.#isPerson || this.#site !== undefined;
  }

  /** Why a key of this thumbprint does not vouch for the user any more. */
  async #refuseSubject(thumbprint: string | undefined): Promise<Fault | undefined> {
    const holds = await isKeyOfSite(this.env, this.#site as string, thumbprint ?? "");
    if (isFault(holds)) return holds;
    return holds ? undefined : NOT_ITS_KEY;
  }

  get #isPerson(): boolean {
    return this.#name.startsWith(personName(""));
  }

  /** The person's id. */
  get #person(): string {
    return this.#name.slice(personName("").length);
  }

  /** Takes over what the first version kept for this key, when it was the key and not the person that had a Limiter. */
  async #inherit(keyHash: string): Promise<KeyOwner | "revoked" | undefined> {
    const pointer = this.env.LIMITER.getByName(keyName(keyHash));
    const kept = (await repeatable(async () => await pointer.firstVersion())) as FirstVersion | undefined;
    if (!kept || kept.owner === "revoked") return kept?.owner as "revoked" | undefined;
    this.#messages.inherit(kept.messages);
    this.#daily.inherit("rooms", kept.dailyRooms);
    this.#rooms = new Set([...kept.rooms, ...this.#knownRooms]);
    this.#writeRooms();
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
    await this.#inKnownRooms((room) => this.env.CHAT_ROOM.getByName(room).expel(this.#name, keyHash));
  }

  /** Has every known room do something. One that can't be reached now refuses an ended key at its next write all the same. */
  async #inKnownRooms(deed: (room: string) => Promise<void>): Promise<void> {
    const done = async (room: string) => {
      await withDeadline(
        repeatable(async () => await deed(room)),
        EXPEL_WITHIN,
        "A room that closes a key's sockets",
      );
    };
    await Promise.allSettled([...this.#knownRooms].map(done));
  }

  get #knownRooms(): Set<string> {
    this.#rooms ??= new Set(this.ctx.storage.kv.get<string[]>("rooms"));
    return this.#rooms;
  }

  #remember(room: string): void {
    const rooms = this.#knownRooms;
    if (rooms.has(room)) return;
    rooms.add(room);
    const [oldest] = rooms;
    if (rooms.size > MOST_ROOMS) rooms.delete(oldest as string);
    this.#writeRooms();
  }

  #writeRooms(): void {
    this.ctx.storage.kv.put("rooms", [...this.#knownRooms]);
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
