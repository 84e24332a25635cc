/**
 * What a principal without a key may do: one small Durable Object for each client address (`address:<address>`), each site
 * (`site:<name>`) and each of a site's users (`subject:<site>/<user>`). It has their exact quotas over all rooms and
 * transports.
 *
 * Every write of a site's user passes here, where it is looked whether the site's key still holds. The site's own object
 * counts what its users do together, and knows in which rooms they are.
 */

import { DurableObject } from "cloudflare:workers";
import { configurationOf } from "../configuration.ts";
import { siteName, siteOfSubject } from "../identity/principal.ts";
import { repeatable } from "../object-call.ts";
import { type Fault, isFault, type Quota as Left } from "../protocol.ts";
import { isKeyOfSite, NOT_ITS_KEY } from "../sites/voucher.ts";
import { meteredKeyValues } from "../usage/metered-storage.ts";
import { usage } from "../usage/usage-sampler.ts";
import { type Daily, type DailyGrant, DailyQuotas } from "./daily-quotas.ts";
import { GuestBook } from "./guest-book.ts";
import { KnownRooms } from "./known-rooms.ts";
import type { Admission, Question } from "./limiter.ts";
import { MessageQuota } from "./message-quota.ts";

/** New guests of an address in a minute, for each message that they may send in it. */
const NEW_GUESTS_PER_MESSAGE = 6;

/** The site has brought this user before. */
interface StoredSubject {
  readonly version: 1;
}

/** The keys of a site since it was last changed. */
interface StoredSiteKeys {
  readonly version: 1;
  readonly thumbprints: readonly string[];
}

export class Quota extends DurableObject<Env> {
  readonly #messages: MessageQuota;
  readonly #daily: DailyQuotas;
  readonly #guests: GuestBook;
  readonly #rooms: KnownRooms;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const storage = meteredKeyValues(ctx.storage.kv, usage);
    const now = () => Date.now();
    const configuration = configurationOf(env);
    const { guestMessagesPerMinute, keyMessagesPerMinute } = configuration;
    const isSubject = this.#site !== undefined;
    this.#messages = new MessageQuota({
      limit: isSubject ? keyMessagesPerMinute : guestMessagesPerMinute,
      lends: isSubject,
      storage,
      now,
      recall: async (room, lease) => await env.CHAT_ROOM.getByName(room).recallLease(this.#name, lease),
    });
    this.#daily = new DailyQuotas({ limits: configuration, storage, now });
    this.#guests = new GuestBook({ limit: guestMessagesPerMinute * NEW_GUESTS_PER_MESSAGE, storage, now });
    this.#rooms = new KnownRooms(storage);
  }

  // An address.

  /** Lets a guest of this address in, by their sender string; how many messages may follow, or why they may not come. */
  async greet(sender: string): Promise<Left | Fault> {
    return (await this.#guests.welcome(sender)) ?? this.#messages.quota();
  }

  // A site's user.

  /** Lets the user in, for whom a key of the site of this thumbprint has signed; how many messages may follow. */
  async vouch(thumbprint: string): Promise<Left | Fault> {
    const refusal = await this.#refuseSubject(thumbprint);
    if (refusal) return refusal;
    const { kv } = this.ctx.storage;
    if (kv.get<StoredSubject>("subject") === undefined) {
      const site = this.env.QUOTA.getByName(siteName(this.#site as string));
      const taken: DailyGrant | Fault = await repeatable(async () => await site.takeDaily("subjects"));
      if (isFault(taken)) return taken;
      kv.put<StoredSubject>("subject", { version: 1 });
    }
    return this.#messages.quota();
  }

  // A site.

  /**
   * Users of the site are in `room` from now on: it hears of it when the site's keys change. Gives the thumbprints of its keys
   * where they have changed.
   */
  enterSite(room: string): readonly string[] | undefined {
    this.#rooms.add(room, Date.now());
    return this.ctx.storage.kv.get<StoredSiteKeys>("siteKeys")?.thumbprints;
  }

  /** The site has the keys with these thumbprints now. Closes what was opened by another one. */
  async siteChanged(thumbprints: readonly string[]): Promise<void> {
    const site = this.#name.slice(siteName("").length);
    this.ctx.storage.kv.put<StoredSiteKeys>("siteKeys", { version: 1, thumbprints });
    await this.#rooms.tell((room) => this.env.CHAT_ROOM.getByName(room).siteChanged(site, thumbprints));
  }

  // Any of them.

  /** Admits the first of the messages of `question`, as many as the window has room for. A repeated question is free. */
  async admit(question: Question): Promise<Admission | Fault> {
    const refusal = this.#site === undefined ? undefined : await this.#refuseSubject(question.keyHash);
    return refusal ?? this.#messages.answer(question);
  }

  /** Takes one of the day's. */
  takeDaily(what: Daily): DailyGrant | Fault {
    return this.#daily.take(what);
  }

  /** Gives the one back that was taken at `at`: what it was for did not happen. */
  giveBackDaily(what: Daily, at: number): void {
    this.#daily.giveBack(what, at);
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  /** The site of the user for whom this counts. */
  get #site(): string | undefined {
    return siteOfSubject(this.#name);
  }

  /** Why a key of this thumbprint does not vouch for the user any more. */
  async #refuseSubject(thumbprint: string | undefined): Promise<Fault | undefined> {
    const holds = await isKeyOfSite(this.env, this.#site as string, thumbprint ?? "");
    if (isFault(holds)) return holds;
    return holds ? undefined : NOT_ITS_KEY;
  }
}
