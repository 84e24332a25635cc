/**
 * Who says hello: by a key, which the person's Limiter accepts, as a guest, whose name is made from a secret, or by a
 * token, in which a site vouches for them.
 */

import { BoundedMap } from "../limits/bounded-map.ts";
import { repeatable } from "../object-call.ts";
import { type Fault, fault, type HelloFrame, isFault, type Quota } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Caller, PresentedToken } from "../room-rpc.ts";
import { siteDirectory } from "../sites/site-directory.ts";
import { vouchedBy } from "../sites/voucher.ts";
import { AddressTags } from "./address-tag.ts";
import { Hellos } from "./hellos.ts";
import type { Introduction } from "./introduction.ts";
import { UNKNOWN_KEY } from "./key-directory.ts";
import type { KeyOwner } from "./key-table.ts";
import { findPerson } from "./person-of-key.ts";
import { addressName, siteName, subjectName } from "./principal.ts";
import { guestSender, type Participant, participantOf, sha256Hex } from "./sender.ts";

/** A key that came with the upgrade and has been looked up. */
export interface PresentedKey {
  /** The name of its person's Limiter. */
  readonly principal: string;
  /** SHA-256 in hex. */
  readonly keyHash: string;
  /** For which agent of that person. */
  readonly as?: string | undefined;
}

/** Where somebody comes from who says hello. */
export interface Visit {
  /** The client's address, as it is counted. */
  readonly address: string;
  /** The page that it comes from, where that is a foreign one. */
  readonly origin?: string | undefined;
  /** The origin to which a site's token must have been signed. */
  readonly audience?: string | undefined;
}

/** What is needed of the room's row to know who somebody is. */
export type RoomOfHello = Pick<RoomRecord, "id" | "createdBy" | "guestPepper">;

/** Ended keys that are remembered. */
const ENDED_KEPT = 1_000;
const endedName = (principal: string, keyHash: string | undefined): string => `${principal} ${keyHash ?? "every key"}`;

export class Authenticator {
  readonly #room: string;
  readonly #env: Pick<Env, "DB" | "PERSON" | "QUOTA">;
  readonly #hellos = new Hellos();
  /** Keys that have ended while this object was awake, which none of them ever takes back. */
  readonly #ended = new BoundedMap<string, true>(ENDED_KEPT);
  /** The sites whose Limiters know that their users come here. */
  readonly #knownAt = new Set<string>();
  readonly #tags: AddressTags;

  /** For the room with the id `room`. */
  constructor(room: string, env: Pick<Env, "DB" | "PERSON" | "QUOTA">) {
    this.#room = room;
    this.#env = env;
    this.#tags = new AddressTags(room);
  }

  /** Who says `hello` in `room`. */
  async introduce(hello: HelloFrame, visit: Visit, room: RoomOfHello): Promise<Introduction | Fault> {
    const { address, origin, audience } = visit;
    if (hello.token !== undefined) {
      // A socket from before sites were: its client comes back, and then it is known.
      if (audience === undefined) return CONNECT_AGAIN;
      return this.introduceByToken({ token: hello.token, audience, origin }, address, room);
    }
    if (hello.key === undefined) return this.#introduceGuest(hello.guest, address, room.guestPepper);
    const keyHash = await sha256Hex(hello.key);
    const principal = await findPerson(this.#env, keyHash, address);
    if (isFault(principal)) return principal;
    return this.introduceByKey({ principal, keyHash, as: hello.as }, address, room.guestPepper);
  }

  /**
   * Who calls through the Worker, from `address`: `undefined` for nobody in particular. Every other kind of credential than
   * a key is resolved here and in `introduce`, and nowhere else.
   */
  async resolve(
    caller: Caller | undefined,
    address: string,
    room: RoomOfHello,
  ): Promise<Pick<Introduction, "participant" | "name"> | Fault | undefined> {
    if (!caller) return undefined;
    if ("participant" in caller) {
      return { participant: await this.locate(caller.participant, address, room.guestPepper) };
    }
    if ("token" in caller) return this.introduceByToken(caller, address, room);
    return this.#introduceGuest(caller.guest, address, room.guestPepper);
  }

  /** `participant`, with the tag of the address that they come from. */
  async locate(participant: Participant, address: string, pepper: string): Promise<Participant> {
    return withTag(participant, await this.#tags.of(address, pepper));
  }

  /** Whose a presented key is, if their Limiter accepts it. It is presented from `address`. */
  async introduceByKey(
    { principal, keyHash, as }: PresentedKey,
    address: string,
    pepper: string,
  ): Promise<Introduction | Fault> {
    // Before the key is looked at: nothing may come between its acceptance and the answer.
    const tag = await this.#tags.of(address, pepper);
    return this.#hellos.during(principal, keyHash, async (hello) => {
      const entered: { owner: KeyOwner; quota: Quota } | Fault = await repeatable(
        async () => await this.#env.PERSON.getByName(principal).enter(this.#room, keyHash),
      );
      if (isFault(entered)) return entered;
      // The answer may be older than the end of the key.
      if (hello.isOver) return UNKNOWN_KEY;
      return { participant: withTag(participantOf(entered.owner, keyHash, as), tag), quota: entered.quota };
    });
  }

  /** For whom a token vouches in `room`, if it does and the Limiter of its user accepts them. */
  async introduceByToken(
    { token, audience, origin }: PresentedToken,
    address: string,
    room: RoomOfHello,
  ): Promise<Introduction | Fault> {
    const tag = await this.#tags.of(address, room.guestPepper);
    const verify = () => vouchedBy(this.#env, token, address, { room, audience, origin, now: Date.now() });
    const first = await verify();
    if (isFault(first)) return first;
    const { site } = first;
    return this.#hellos.during(siteName(site), first.thumbprint, async (hello) => {
      // The site's Limiter hears of the room before the site's keys are looked at: should they change meanwhile, the room
      // is told.
      const isNew = !this.#knownAt.has(site);
      if (isNew) {
        const keys = await repeatable(
          async () => await this.#env.QUOTA.getByName(siteName(site)).enterSite(this.#room),
        );
        this.#knownAt.add(site);
        siteDirectory.renew(site, keys);
      }
      const vouched = isNew ? await verify() : first;
      if (isFault(vouched)) return vouched;
      const { subject, thumbprint, name, role, until } = vouched;
      const principal = subjectName(site, subject);
      const quota: Quota | Fault = await repeatable(
        async () => await this.#env.QUOTA.getByName(principal).vouch(thumbprint),
      );
      if (isFault(quota)) return quota;
      if (hello.isOver) return SITE_CHANGED;
      const participant = { sender: `${subject}@${site}`, principal, keyHash: thumbprint, vouched: { role, until } };
      return { participant: withTag(participant, tag), quota, name };
    });
  }

  /** The keys of a site have changed. Who is under way comes again. */
  siteChanged(site: string): void {
    siteDirectory.forget(site);
    this.#hellos.end(siteName(site), undefined);
  }

  /** A key of `principal` has ended; without a hash, every key of theirs. */
  keyEnded(principal: string, keyHash: string | undefined): void {
    this.#hellos.end(principal, keyHash);
    this.#ended.set(endedName(principal, keyHash), true);
  }

  /**
   * Whether the key has ended with which `participant` came, as far as this object has heard. A stream's key is checked by
   * the Worker, and may end before the stream is here.
   */
  hasEnded({ principal, keyHash }: Participant): boolean {
    if (keyHash === undefined) return false;
    return [keyHash, undefined].some((hash) => this.#ended.get(endedName(principal, hash)) !== undefined);
  }

  async #introduceGuest(secret: string, address: string, pepper: string): Promise<Introduction | Fault> {
    const sender = await guestSender(secret, pepper);
    const principal = addressName(address);
    const quota: Quota | Fault = await repeatable(async () => await this.#env.QUOTA.getByName(principal).greet(sender));
    return isFault(quota) ? quota : { participant: await this.locate({ sender, principal }, address, pepper), quota };
  }
}

const SITE_CHANGED = fault("unavailable", "Your site has just changed its keys; try again.", 1);
const CONNECT_AGAIN = fault("unavailable", "This connection is too old for a token: connect again.", 1);

const withTag = (participant: Participant, tag: string | undefined): Participant =>
  tag === undefined ? participant : { ...participant, behind: tag };
