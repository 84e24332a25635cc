/**
 * How the agents of a room hear what is said: over what they have open (`audience/agents/`), or by a lease. It is told with
 * presence, and who mentions an agent that does not hear is told so.
 *
 * What survives the room's sleep is attached to sockets; leases are kept as one entry, which is written when somebody comes
 * into it or leaves it, and otherwise once a minute at most.
 */

import { ageOf } from "../clock.ts";
import { isAgent, type Participant } from "../identity/sender.ts";
import { contentOf, isSaid, type StoredMessage } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Hearing, type PresenceChange, takesSender } from "../protocol.ts";
import { type AgentLease, AgentLeases, isHeld } from "./agent-leases.ts";
import { mentionedAgents } from "./mentioned-agents.ts";

/** How often a lease that goes on is written down, ms: half of what the shortest one holds. */
const KEPT_EVERY = 60_000;
/** How often the end of a lease wakes the room, ms. */
const WAKES_EVERY = 60_000;
/** Messages of the log that are looked through for agents, once after each sleep. */
const LOOKED_THROUGH = 200;
/** Agents that the room knows from its log, or because they were here. */
const MOST_KNOWN = 256;
/** An agent whose lease has ended is known to the room for so long, ms. */
const KNOWN_FOR = 86_400_000;
/** Agents that presence has something to say of. */
const MOST_TOLD = 200;

export interface ReachabilityDeps {
  /** The id of the room. */
  room(): string;
  now(): number;
  /** How an agent hears over what it has open. */
  connected(sender: string): Hearing | undefined;
  /** All agents that have something open. */
  connectedAgents(): Iterable<string>;
  /** Whether presence lists `sender`. */
  isListed(sender: string): boolean;
  /** Whether there is anybody to tell. */
  hasListeners(): boolean;
  /** The leases as they were kept. */
  load(): readonly AgentLease[];
  /** Keeps them. One row written. */
  save(leases: readonly AgentLease[]): void;
  /** The newest messages of the log, at most so many. */
  newest(limit: number): readonly StoredMessage[];
  /** `sender` hears again: who was told otherwise is told again the next time. */
  hearsAgain(sender: string): void;
  /** Presence is to be told. */
  changed(): void;
  wakeIn(delay: number): void;
}

export class Reachability {
  readonly #deps: ReachabilityDeps;
  readonly #leases: AgentLeases;
  /** What everybody was told of agents. */
  #told: ReadonlyMap<string, Hearing>;
  /** Agents that hear, as far as is known. */
  readonly #hearing = new Set<string>();
  /** What is told may have changed. */
  #isStale = true;
  #keptAt: number;
  #version = 0;
  /** Agents that have written or were connected lately, the newest last. */
  readonly #known = new Set<string>();
  #hasReadLog = false;

  constructor(deps: ReachabilityDeps) {
    this.#deps = deps;
    const loaded = deps.load();
    // They were kept when one of them was last heard of. A room that sleeps between two questions has no other clock.
    this.#keptAt = Math.max(...loaded.map(({ at }) => at));
    const since = deps.now() - KNOWN_FOR;
    const kept = loaded.filter(({ until }) => until > since);
    this.#leases = new AgentLeases(kept);
    // Before the room slept everybody was told of all of them. Those that have ended meanwhile are told as ended now.
    const asKept = new Map(kept.map(({ sender, hearing }) => [sender, hearing]));
    this.#told = this.#current((sender) => deps.connected(sender) ?? asKept.get(sender));
    for (const sender of this.#agents()) if (this.#hearingOf(sender)) this.#hearing.add(sender);
  }

  /** Grows whenever what is told changes. */
  get version(): number {
    return this.#version;
  }

  /** What everybody was told: with the next change it is as it is now. `undefined` where there is nothing to say. */
  told(): Readonly<Record<string, Hearing>> | undefined {
    return this.#told.size > 0 ? Object.fromEntries(this.#told) : undefined;
  }

  /** How agents hear now, as presence says it. */
  now(): Readonly<Record<string, Hearing>> | undefined {
    const current = this.#current((sender) => this.#hearingOf(sender));
    return current.size > 0 ? Object.fromEntries(current) : undefined;
  }

  /** What has changed since the last call, which is told with this; `undefined` when nothing has. */
  takeChange(): PresenceChange["agents"] {
    if (!this.#isStale) return undefined;
    this.#isStale = false;
    const current = this.#current((sender) => this.#hearingOf(sender));
    const change: Record<string, Hearing | null> = {};
    for (const [sender, hearing] of current) if (this.#told.get(sender) !== hearing) change[sender] = hearing;
    for (const sender of this.#told.keys()) if (!current.has(sender)) change[sender] = null;
    this.#told = current;
    if (Object.keys(change).length === 0) return undefined;
    this.#version++;
    return change;
  }

  /** What `sender` has open has changed. */
  connectionChanged(sender: string): void {
    this.#look(sender);
  }

  /** `participant` has asked for messages over HTTP. Only an agent's questions count. */
  asked(participant: Participant): void {
    const { sender } = participant;
    if (!isAgent(sender)) return;
    const now = this.#deps.now();
    const before = this.#leases.get(sender);
    const goesOn = before?.hearing === "polls" && isHeld(before, now);
    if (!this.#leases.asked(participant, now)) return;
    this.#keep(!goesOn);
    this.#look(sender);
    this.watch();
  }

  /** A request of `sender`'s that waited has ended. */
  waited(sender: string): void {
    this.#leases.waited(sender, this.#deps.now());
    this.#look(sender);
  }

  /** The bridge that wakes `participant` has lost its connection, and wants to be back within so many ms. */
  bridgeLost(participant: Participant, within: number): void {
    if (this.#leases.lost(participant, within, this.#deps.now())) this.#keep(true);
    this.#look(participant.sender);
    this.watch();
  }

  /** What wakes the agent `sender` has ended by its own word: where it was lost before, nothing is left of that. */
  bridgeEnded(sender: string): void {
    const gone = this.#leases.forget((lease) => lease.sender === sender && lease.hearing === "wakes");
    if (gone.length === 0) return;
    this.#keep(true);
    this.#look(sender);
  }

  /** Lets leases end: with the key of their person, or because they may not read here any more. */
  endWhere(which: (agent: Pick<AgentLease, "sender" | "principal">) => boolean): void {
    const gone = this.#leases.forget(which);
    if (gone.length > 0) this.#keep(true);
    for (const sender of gone) this.#look(sender);
  }

  /** `sender` and their agents were erased: the room knows no such name. */
  erased(erased: string): void {
    const isErased = (sender: string) => takesSender(erased, sender);
    if (this.#leases.forget(({ sender }) => isErased(sender)).length > 0) this.#keep(true);
    for (const sender of this.#known) if (isErased(sender)) this.#known.delete(sender);
    for (const sender of this.#told.keys()) if (isErased(sender)) this.#look(sender);
  }

  /** New messages are in the log. */
  placed(messages: readonly StoredMessage[]): void {
    for (const { kind, sender } of messages) if (isSaid(kind) && isAgent(sender)) this.#remember(sender);
  }

  /** Sees to it that the end of a lease is told, as long as there is somebody to tell. */
  watch(): void {
    const { now, hasListeners, wakeIn } = this.#deps;
    const end = this.#leases.nextEnd(now());
    if (end !== undefined && hasListeners()) wakeIn(Math.max(WAKES_EVERY, end - now()));
  }

  /** Tells of leases that have ended. Agents that have something open are not looked at: `connectionChanged` tells of them. */
  duties(): void {
    const ending = this.#leases.all().map(({ sender }) => sender);
    for (const sender of new Set([...ending, ...this.#told.keys()])) this.#look(sender);
    this.watch();
  }

  /**
   * The agents that a message mentions and that do not hear it. An agent that the room has never met is none: a text may look
   * like anything. Never throws: the message is in the log, whatever becomes of this.
   */
  unheard(message: Pick<StoredMessage, "kind" | "sender" | "content">): readonly string[] {
    try {
      return mentionedAgents(contentOf(message)).filter((agent) => {
        return agent !== message.sender && this.#hearingOf(agent) === undefined && this.#knows(agent);
      });
    } catch (error) {
      logEvent("agents.unheard_unknown", { room: this.#deps.room(), error });
      return [];
    }
  }

  #knows(agent: string): boolean {
    if (this.#leases.get(agent) || this.#known.has(agent)) return true;
    if (this.#hasReadLog) return false;
    this.placed(this.#deps.newest(LOOKED_THROUGH));
    this.#hasReadLog = true;
    return this.#known.has(agent);
  }

  #remember(agent: string): void {
    this.#known.delete(agent);
    this.#known.add(agent);
    const [oldest] = this.#known;
    if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest as string);
  }

  /** How `sender` hears; `undefined`: not at all. */
  #hearingOf(sender: string): Hearing | undefined {
    const lease = this.#leases.get(sender);
    return this.#deps.connected(sender) ?? (lease && isHeld(lease, this.#deps.now()) ? lease.hearing : undefined);
  }

  /** Notes whether `sender` hears, and whether presence has to say something else of it. */
  #look(sender: string): void {
    const hearing = this.#hearingOf(sender);
    if (hearing) this.#remember(sender);
    if (!hearing) this.#hearing.delete(sender);
    else if (!this.#hearing.has(sender)) {
      this.#hearing.add(sender);
      this.#deps.hearsAgain(sender);
    }
    if (this.#toTell(sender, hearing) === this.#told.get(sender)) return;
    this.#isStale = true;
    this.#deps.changed();
  }

  /** What presence says of `sender` beside who is listed: a listed agent is `live` unless it says otherwise. */
  #toTell(sender: string, hearing: Hearing | undefined): Hearing | undefined {
    return hearing === "live" && this.#deps.isListed(sender) ? undefined : hearing;
  }

  #current(hearingOf: (sender: string) => Hearing | undefined): ReadonlyMap<string, Hearing> {
    const current = new Map<string, Hearing>();
    for (const sender of this.#agents()) {
      const hearing = this.#toTell(sender, hearingOf(sender));
      if (hearing && current.size < MOST_TOLD) current.set(sender, hearing);
    }
    return current;
  }

  /** All agents of which there may be something to say. */
  #agents(): ReadonlySet<string> {
    return new Set([...this.#deps.connectedAgents(), ...this.#leases.all().map(({ sender }) => sender)]);
  }

  #keep(isChanged: boolean): void {
    const { now, save } = this.#deps;
    if (!isChanged && ageOf(this.#keptAt, now()) < KEPT_EVERY) return;
    try {
      save(this.#leases.all());
      this.#keptAt = now();
    } catch (error) {
      // The disk is full: whoever asks gets their answer, and a sleep forgets the lease.
      logEvent("agents.hearing_not_kept", { room: this.#deps.room(), error });
    }
  }
}
