/**
 * Everyone who is connected to a room: who they are, who is listed as present, and when a connection is over (promises 8
 * and 9, docs/guarantees.md). What they are sent, and how fast, is decided in `flow/feed.ts`.
 *
 * What a socket is is attached to it, so that it survives the room's sleep. All sockets are counted when the object
 * starts or wakes, before anything can change one of them.
 */

import type { Participant } from "../identity/sender.ts";
import {
  type BadFrame,
  CLOSE,
  errorFrame,
  type Fault,
  FINAL_CLOSE_CODES,
  fault,
  IDENTIFY_WITHIN,
  type Presence,
  type PresenceChange,
  type Seq,
  type ServerFrame,
  SILENCE,
  type UpdateFrame,
} from "../protocol.ts";
import { unheardBy } from "../reachability/unheard.ts";
import type { Cursor } from "../room-rpc.ts";
import { AgentConnections, type AgentEvents } from "./agents/agent-connections.ts";
import { UnheardNotices } from "./agents/unheard-notices.ts";
import type { LogView } from "./flow/backlog.ts";
import { Feed } from "./flow/feed.ts";
import type { ToldState } from "./flow/welcomes.ts";
import { FrameAllowance } from "./frame-allowance.ts";
import type { ListedSocket } from "./listed-socket.ts";
import { Peer } from "./peer.ts";
import { PresenceTracker } from "./presence-tracker.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { SocketLedger } from "./socket-ledger.ts";
import { isCounted, readState, type Socket, type SocketState, STATE_VERSION } from "./socket-state.ts";

/** How often it is attached to a socket that its client was heard of, ms. */
const HEARD_EVERY = 5_000;

/** How often a sweep is worth it that nothing depends on, ms. */
const SWEEP_EVERY = 5_000;

/** A draft that was under way when the room fell asleep. */
export interface LostDraft {
  readonly sender: string;
  readonly id: string;
}

export interface AudienceDeps {
  now(): number;
  /** All sockets that the runtime has of this room, those among them that are closing. Asked once, at the beginning. */
  sockets(): Iterable<ListedSocket>;
  /** The sockets that the runtime still has: not those whose close is confirmed. */
  listed(): Iterable<WebSocket>;
  /** When the runtime last answered a ping of this socket, ms since 1970. */
  lastPing(socket: WebSocket): number | undefined;
  readonly log: LogView;
  /** What is told beside the log, except for presence. */
  readonly told: Omit<ToldState, "presence" | "presenceVersion">;
  /** What is said to those who have not said who they are; `undefined`: that they have to. */
  refuseUnknown?(): Fault | undefined;
  /** Somebody has come, gone or been named. */
  presenceChanged(): void;
  /** The last socket of `sender` has gone. */
  left(sender: string): void;
  /** What becomes of what agents have open. */
  readonly agents: AgentEvents;
  /** Asks for `sweep` in `delay` ms or earlier, also when the room sleeps meanwhile. */
  wakeIn(delay: number): void;
  /** Calls `run` once, about `delay` ms from now. The room does not sleep before that. */
  schedule(delay: number, run: () => void): void;
}

/** What is known of a socket when it comes. */
export interface Newcomer {
  /** The client's address, as it is counted. */
  readonly address: string;
  /** The page that it comes from, where there is one. */
  readonly origin?: string | undefined;
  /** The origin to which a site's token must have been signed. */
  readonly audience?: string | undefined;
  /** A request that waits for one answer: it is not counted as a spectator. */
  readonly uncounted?: true | undefined;
  /** Who reads over a socket that can't say hello. */
  readonly reader?: Participant | undefined;
  /** It applies erasures. */
  readonly knowsErasures?: true | undefined;
}

export class Audience {
  readonly #deps: AudienceDeps;
  readonly #peers = new Map<WebSocket, Peer>();
  readonly #ledger = new SocketLedger();
  readonly #presence = new PresenceTracker();
  readonly #agents: AgentConnections;
  readonly #unheard = new UnheardNotices();
  readonly #allowance = new FrameAllowance();
  readonly #feed: Feed;
  readonly #silence: SilenceWatch;
  #lostDrafts: LostDraft[] = [];
  #sweptAt = 0;

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
    this.#agents = new AgentConnections(deps.agents);
    this.#feed = new Feed({
      now: deps.now,
      log: deps.log,
      told: {
        ...deps.told,
        presence: () => withAgents(this.#presence.told(), deps.told.agents?.()),
        presenceVersion: () => this.#presence.version + (deps.told.agentsVersion?.() ?? 0),
      },
      sockets: () => this.#peers.size,
      closeSlow: (peer) => this.close(peer.socket, CLOSE.tooSlow, "too slow: reconnect with your cursor"),
      wakeIn: deps.wakeIn,
      schedule: deps.schedule,
    });
    this.#silence = new SilenceWatch({
      lastPing: deps.lastPing,
      refuseUnknown: () => deps.refuseUnknown?.(),
      hasCompany: () => this.#hasCompany,
      probe: (peer) => this.#feed.probe(peer),
      list: (peer) => this.#list(peer),
      unlist: (peer) => this.#unlist(peer),
      send: (socket, frame) => this.send(socket, frame),
      close: (socket, code, reason) => this.close(socket, code, reason),
    });
    for (const listed of deps.sockets()) this.#takeUp(listed);
    // Everyone has been told of who was here.
    this.#presence.takeChange();
  }

  /** How many sockets hear a broadcast. */
  get size(): number {
    return this.#peers.size;
  }

  /** How many sockets `address` has here. One that was closed counts until its close is confirmed. */
  sizeFrom(address: string): number {
    return this.#ledger.sizeFrom(address);
  }

  /** Why `address` gets no new socket now, because of what the ones that are here have not read. */
  refuseNew(address: string): Fault | undefined {
    return this.#ledger.refuse(address, this.#feed.stalled(this.#deps.now()));
  }

  /** Who is here. */
  get presence(): PresenceTracker {
    return this.#presence;
  }

  /** Which agents have something open, and how they hear over it. */
  get agents(): Pick<AgentConnections, "hearing" | "all"> {
    return this.#agents;
  }

  /** The drafts that the room forgot when it fell asleep, and that its readers may still show. Given once. */
  takeLostDrafts(): LostDraft[] {
    const lost = this.#lostDrafts;
    this.#lostDrafts = [];
    return lost;
  }

  /** What has changed in who is here since it was last told; the audience is told with this. */
  takePresenceChange(): PresenceChange | undefined {
    return this.#presence.takeChange();
  }

  /** Whether this socket is one of the audience: not one that was closed or counted out. */
  has(socket: WebSocket): socket is Socket {
    return this.#peers.has(socket);
  }

  /**
   * The same of a socket that has just sent something. One that its client has closed while the room slept is not listed
   * by the runtime any more when that wakes the room, and what it had sent before comes first: so it is taken up here.
   */
  hears(socket: Socket): boolean {
    if (!this.#peers.has(socket)) this.#takeUpUnlisted(socket);
    return this.#peers.has(socket);
  }

  /** Counts a new socket in and welcomes it, from `cursor` on where it has one. */
  enter(socket: Socket, newcomer: Newcomer, cursor: Cursor | undefined): void {
    const now = this.#deps.now();
    const peer = new Peer(socket, { v: STATE_VERSION, ...newcomer, heardAt: now });
    peer.note({});
    this.#peers.set(socket, peer);
    this.#ledger.enter(newcomer.address);
    this.#feed.begin(peer, cursor);
    this.#agents.note(peer);
    if (newcomer.uncounted) return;
    this.#presence.enter(undefined);
    this.#deps.presenceChanged();
    this.#watch();
  }

  /**
   * Takes up a socket that has to say who it is before it is told anything. It counts for its address and nowhere else.
   * Its client is asked.
   */
  enterUnknown(socket: Socket, newcomer: Newcomer, cursor: Cursor | undefined): void {
    const now = this.#deps.now();
    const peer = new Peer(socket, { v: STATE_VERSION, ...newcomer, heardAt: now, waiting: { since: now, cursor } });
    peer.note({});
    this.#peers.set(socket, peer);
    this.#ledger.enter(newcomer.address);
    this.send(socket, { type: "identify" });
    this.#deps.wakeIn(IDENTIFY_WITHIN);
  }

  /**
   * Says who a socket is from now on. One that was told nothing until now is welcomed. `wakes`: it is a bridge that wakes its
   * agent, and is back within so many ms when it is lost.
   */
  name(socket: Socket, participant: Participant, wakes?: number): void {
    const peer = this.#peers.get(socket);
    if (!peer) return;
    const before = peer.state.participant?.sender;
    const { waiting } = peer.state;
    if (isCounted(peer.state)) this.#presence.leave(before);
    if (before !== participant.sender || wakes === undefined) this.#agents.end(peer);
    peer.note({ participant, wakes, away: undefined, uncounted: undefined, waiting: undefined });
    if (waiting) this.#feed.begin(peer, waiting.cursor);
    this.#presence.enter(participant.sender);
    if (before !== undefined && before !== participant.sender) this.#endIfLast(before);
    this.#agents.note(peer);
    this.#deps.presenceChanged();
    this.#watch();
  }

  /** A socket's connection is over, or its close is confirmed. `isGoodbye`: its client has said so. */
  leave(socket: Socket, isGoodbye = false): void {
    if (!this.#peers.has(socket)) this.#takeUpUnlisted(socket);
    const peer = this.#peers.get(socket);
    if (peer) this.#countOut(peer, !isGoodbye);
    this.#ledger.confirm(socket);
  }

  /**
   * Closes a socket and counts it out at once: a dead peer would not answer. For its address and for the room's memory it
   * counts on, until its peer confirms.
   */
  close(socket: Socket, code: number, reason: string): void {
    const peer = this.#peers.get(socket);
    if (peer) this.#countOut(peer, !FINAL_CLOSE_CODES.includes(code));
    try {
      socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  /** Those who have said who they are. */
  *participants(): Iterable<Participant> {
    for (const { state } of this.#peers.values()) if (state.participant) yield state.participant;
  }

  /** Sends `frame` to those for whom `which` holds. */
  tell(frame: ServerFrame, which: (participant: Participant) => boolean): void {
    for (const { socket, state } of [...this.#peers.values()]) {
      if (state.participant && which(state.participant)) this.send(socket, frame);
    }
  }

  /** Tells one that agents do not hear its message, of each agent once. */
  tellUnheard(socket: Socket, message: { readonly id: string; readonly seq: Seq }, agents: readonly string[]): void {
    const peer = this.#peers.get(socket);
    const isNew = peer ? this.#unheard.take(peer, agents) : [];
    if (isNew.length === 0) return;
    this.send(socket, { type: "unheard", id: message.id, seq: message.seq, ...unheardBy(isNew) });
  }

  /** The agent `sender` hears again: who was told otherwise is told again the next time. */
  hearsAgain(sender: string): void {
    this.#unheard.hearsAgain(sender);
  }

  /** Closes the socket of everyone for whom `which` holds: who they are, or who reads over it. */
  closeAll(code: number, reason: string, which: (participant: Participant | undefined) => boolean): void {
    for (const { socket, state } of [...this.#peers.values()]) {
      if (which(state.participant ?? state.reader)) this.close(socket, code, reason);
    }
  }

  /** The same, and tells them why before. */
  dismiss(refusal: Fault, code: number, which: (participant: Participant | undefined) => boolean): void {
    for (const { socket, state } of [...this.#peers.values()]) {
      if (!which(state.participant ?? state.reader)) continue;
      this.send(socket, errorFrame(refusal));
      this.close(socket, code, refusal.fault);
    }
  }

  /** Notes that a socket waits for a message of its own: it is sent to before the others. */
  awaits(socket: Socket): void {
    const peer = this.#peers.get(socket);
    if (peer) this.#feed.awaits(peer);
  }

  /** Tells everyone. */
  broadcast(update: UpdateFrame): void {
    this.#feed.broadcast(update);
  }

  /** Sends `frame` to one. */
  send(socket: Socket, frame: ServerFrame): void {
    const peer = this.#peers.get(socket);
    if (peer) this.#feed.send(peer, frame);
  }

  /** Tells one of a refusal; closes with 4400 when it, or its principal, has had too many. */
  refuse(socket: Socket, refusal: BadFrame): void {
    const peer = this.#peers.get(socket);
    if (!peer) return;
    const now = this.#deps.now();
    const isForgiven = peer.err(now) && this.#allowance.spend(peer.principal, now);
    this.send(socket, errorFrame(refusal));
    if (!isForgiven) this.close(socket, CLOSE.badFrames, "too many bad frames");
  }

  /** Why a client may not send another frame that costs it no quota now; `undefined` when it may, and then it has. */
  refuseFree(socket: Socket): Fault | undefined {
    const peer = this.#peers.get(socket);
    if (!peer || this.#allowance.spend(peer.principal, this.#deps.now())) return undefined;
    return fault("rate_limited", "Too many frames from you or your address; slow down.", 1);
  }

  /** Takes the answer to a `check`. Returns whether the room had asked for it. */
  answered(socket: Socket, n: number): boolean {
    const peer = this.#peers.get(socket);
    return peer !== undefined && this.#feed.answered(peer, n);
  }

  /**
   * Runs the work of a frame of so many characters after what the same client has sent before; returns whether there is
   * room for it to wait.
   */
  inOrder(socket: Socket, work: () => void | Promise<void>, characters: number): boolean {
    return this.#peers.get(socket)?.queue.add(work, characters) ?? true;
  }

  /** Notes that a socket has sent a frame; one that was not listed any more is again. */
  heard(socket: Socket): void {
    const peer = this.#peers.get(socket);
    if (!peer) return;
    const { away, askedAt, heardAt } = peer.state;
    const now = this.#deps.now();
    if (!away && askedAt === undefined && now - heardAt < HEARD_EVERY) return;
    peer.note({ heardAt: now, askedAt: undefined });
    if (away) this.#list(peer);
  }

  /** Notes which drafts were begun over a socket and are under way: the room forgets them when it sleeps. */
  noteDrafts(socket: Socket, ids: readonly string[]): void {
    this.#peers.get(socket)?.note({ drafts: ids.length > 0 ? ids : undefined });
  }

  /**
   * Lets go of the silent, of those who do not read, and of what the runtime has let go of. Returns in how many ms it
   * should be done again; `undefined` while nothing depends on it.
   */
  sweep(): number | undefined {
    const now = this.#deps.now();
    this.#sweptAt = now;
    for (const peer of this.#feed.late(now))
      this.close(peer.socket, CLOSE.tooSlow, "too slow: reconnect with your cursor");
    let next = this.#feed.nextLate(now) ?? Number.POSITIVE_INFINITY;
    for (const peer of [...this.#peers.values()]) next = Math.min(next, this.#silence.examine(peer, now));
    this.#ledger.reconcile(this.#deps.listed());
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Sweeps unless it was done just now: for a question, which anyone may ask at any rate. */
  sweepSometimes(): void {
    if (this.#deps.now() - this.#sweptAt >= SWEEP_EVERY) this.sweep();
  }

  #loseDrafts({ participant, drafts = [] }: SocketState): void {
    if (participant) for (const id of drafts) this.#lostDrafts.push({ sender: participant.sender, id });
  }

  /** Takes up a socket that was there before the room slept. */
  #takeUp({ socket, attached, isOpen }: ListedSocket): void {
    const state = readState(attached);
    if (!state) return;
    this.#ledger.enter(state.address);
    if (state.gone) {
      this.#ledger.close(socket, { address: state.address, bytes: state.gone.unread });
      return;
    }
    const peer = new Peer(socket, state);
    this.#peers.set(socket, peer);
    this.#agents.takeUp(peer);
    this.#unheard.takeUp(peer);
    if (isCounted(state)) this.#presence.enter(state.participant?.sender);
    // Its close event is still to come, and counts it out.
    if (!isOpen || state.waiting) return;
    this.#feed.restore(peer);
    if (!state.drafts) return;
    this.#loseDrafts(state);
    peer.note({ drafts: undefined });
  }

  #takeUpUnlisted(socket: Socket): void {
    const state = readState(socket.state);
    if (!state || state.gone || this.#ledger.isClosing(socket)) return;
    this.#ledger.enter(state.address);
    const peer = new Peer(socket, state);
    this.#peers.set(socket, peer);
    this.#agents.takeUp(peer);
    if (isCounted(state)) this.#presence.recall(state.participant?.sender);
    this.#loseDrafts(state);
  }

  /** Whether there is somebody to tell of others. */
  get #hasCompany(): boolean {
    return this.#peers.size > 1;
  }

  /** Asks for a sweep when a peer that has just come or been named may have died. */
  #watch(): void {
    if (!this.#hasCompany) return;
    this.#deps.wakeIn(this.#presence.hasPeople ? SILENCE.askAfter : SILENCE.closeAfter);
  }

  #list(peer: Peer): void {
    peer.note({ away: undefined });
    this.#presence.enter(peer.state.participant?.sender);
    this.#agents.note(peer);
    this.#deps.presenceChanged();
  }

  #unlist(peer: Peer): void {
    if (peer.state.away) return;
    peer.note({ away: true });
    this.#leavePresence(peer);
    this.#agents.lose(peer);
    this.#agents.note(peer);
  }

  /** Counts a peer out of everything but its address and the room's memory, once. `mayReturn`: it is lost, not ended. */
  #countOut(peer: Peer, mayReturn: boolean): void {
    const { socket, state, flow } = peer;
    const { unread } = flow;
    this.#peers.delete(socket);
    this.#unheard.end(peer);
    this.#feed.end(peer);
    this.#ledger.close(socket, { address: state.address, bytes: unread });
    const wasCounted = isCounted(state);
    peer.note({ gone: { unread }, paused: undefined, drafts: undefined });
    if (wasCounted) this.#leavePresence(peer);
    if (!mayReturn) this.#agents.end(peer);
    else if (wasCounted) this.#agents.lose(peer);
    this.#agents.note(peer);
  }

  #leavePresence({ state: { participant } }: Peer): void {
    this.#presence.leave(participant?.sender);
    if (participant) this.#endIfLast(participant.sender);
    this.#deps.presenceChanged();
  }

  #endIfLast(sender: string): void {
    if (this.#presence.socketsOf(sender) === 0) this.#deps.left(sender);
  }
}

/** Presence with how agents hear. */
export const withAgents = (presence: Presence, agents: Presence["agents"]): Presence =>
  agents ? { ...presence, agents } : presence;
