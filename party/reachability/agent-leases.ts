/**
 * Agents that are not connected and hear all the same, each until a time: one that asks now and then, for twice as long as
 * it lets pass between two questions; and one whose bridge has lost its socket, for as long as the bridge has said. Each
 * ends by itself: nothing is claimed for good.
 */

import type { Participant } from "../identity/sender.ts";
import { WAKES } from "../protocol.ts";

/** No lease holds for longer than twice this, ms. */
const LONGEST = WAKES.most * 1_000;
/** An agent that has asked once, or after longer than `LONGEST`, is believed to ask again within this, ms. */
const FIRST_POLL = 120_000;
/** Questions that follow each other within this are one: an agent reads several pages, or repeats a call, ms. */
const TOGETHER = 30_000;
/** Agents of one person, or of one room, that have a lease at once. Further ones have none. */
const MOST_OF_PERSON = 8;
const MOST = 64;

export interface AgentLease {
  readonly sender: string;
  /** The name of its person's Limiter: with their keys it ends. */
  readonly principal: string;
  readonly hearing: "wakes" | "polls";
  /** Until when, ms since 1970. */
  readonly until: number;
  /** When it last asked, ms since 1970; of one that is woken: when its bridge was lost. */
  readonly at: number;
  /** When the first of the questions was asked that are one with the last. */
  readonly since: number;
  /** For how long a question counts, ms. */
  readonly holds: number;
}

/**
 * Whether `lease` holds at `now`. One that ends in more than twice the time for which a question counts is of before the clock
 * was set back: then it has ended, because an agent must not seem to hear for hours that does not.
 */
export const isHeld = ({ until, holds }: AgentLease, now: number): boolean => until > now && until - now <= 2 * holds;

export class AgentLeases {
  readonly #leases: Map<string, AgentLease>;

  constructor(kept: readonly AgentLease[]) {
    this.#leases = new Map(kept.map((lease) => [lease.sender, lease]));
  }

  /** The lease of `sender`, whether it has ended or not. */
  get(sender: string): AgentLease | undefined {
    return this.#leases.get(sender);
  }

  all(): readonly AgentLease[] {
    return [...this.#leases.values()];
  }

  /** `participant` asks at `now`. Returns whether it has a lease. */
  asked({ sender, principal }: Participant, now: number): boolean {
    const kept = this.#leases.get(sender);
    const before = kept?.hearing === "polls" ? kept : undefined;
    const since = before && now - before.at < TOGETHER ? before.since : now;
    const holds = holdsFor(before, now, since);
    return this.#set({ sender, principal, hearing: "polls", until: now + holds, at: now, since, holds }, now);
  }

  /** A request of `sender`'s that has waited ends at `now`: it is given the time to ask again. */
  waited(sender: string, now: number): void {
    const lease = this.#leases.get(sender);
    if (lease?.hearing === "polls") this.#leases.set(sender, { ...lease, until: now + lease.holds });
  }

  /** The bridge of `participant` is lost at `now`, and has said that it comes back within so many ms. */
  lost({ sender, principal }: Participant, holds: number, now: number): boolean {
    return this.#set({ sender, principal, hearing: "wakes", until: now + holds, at: now, since: now, holds }, now);
  }

  /** Forgets the leases for which `which` holds. Returns whose they were. */
  forget(which: (lease: AgentLease) => boolean): string[] {
    const gone = this.all().filter(which);
    for (const { sender } of gone) this.#leases.delete(sender);
    return gone.map(({ sender }) => sender);
  }

  /** When the first of those that hold at `now` ends, ms since 1970; `undefined` when none does. */
  nextEnd(now: number): number | undefined {
    const ends = this.all()
      .filter((lease) => isHeld(lease, now))
      .map(({ until }) => until);
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  #set(lease: AgentLease, now: number): boolean {
    const { sender, principal } = lease;
    if (!this.#leases.has(sender)) {
      this.forget((lease) => !isHeld(lease, now));
      const ofPerson = this.all().filter((other) => other.principal === principal).length;
      if (ofPerson >= MOST_OF_PERSON || this.#leases.size >= MOST) return false;
    }
    this.#leases.set(sender, lease);
    return true;
  }
}

/** For how long a question at `now` counts, ms: twice what the agent lets pass between two. */
function holdsFor(before: AgentLease | undefined, now: number, since: number): number {
  if (!before) return FIRST_POLL;
  // The questions of one go do not show how long it lets pass, unless the go has no end.
  if (since < now) return now - since > before.holds ? FIRST_POLL : before.holds;
  const gap = now - before.at;
  return gap > LONGEST ? FIRST_POLL : Math.max(FIRST_POLL, 2 * gap);
}
