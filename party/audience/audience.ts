/**
 * Everybody who is connected: sends to one or to all, knows who is who, and lets go of those who have gone, stopped
 * reading, or send nonsense (promises 8 and 9).
 *
 * What a socket is is kept in its attachment, so that it survives the room's sleep; what it did lately is kept here.
 */

import type { Connection } from "partyserver";
import type { Participant } from "../identity/sender.ts";
import { TokenBucket } from "../limits/token-bucket.ts";
import {
  type BadFrame,
  CLOSE,
  errorFrame,
  type Fault,
  FLOW,
  fault,
  HEARTBEAT,
  type PresenceChange,
  type ServerFrame,
} from "../protocol.ts";
import { closeAt, FlowControl } from "./flow-control.ts";
import { PresenceTracker } from "./presence-tracker.ts";

/** What is known of a socket. Kept in its attachment. */
export interface SocketState {
  /** The client's address, as it is counted. */
  readonly address: string;
  /** The page that it comes from, where there is one. */
  readonly origin?: string | undefined;
  /** A request that waits for one answer: not somebody who watches. */
  readonly uncounted?: true | undefined;
  readonly participant?: Participant | undefined;
  /** When it was last heard of, ms since 1970, to within `HEARD_EVERY`; pings are the runtime's to know. */
  readonly heardAt: number;
  /** Has not been heard of for too long to be listed. */
  readonly away?: true | undefined;
  /** Has been counted out; only its close is still to come. */
  readonly gone?: true | undefined;
}

export type Socket = Connection<SocketState>;

/** Errors that a client may cause at once, and how fast that is forgiven, per second. */
const ERRORS_AT_ONCE = 100;
const ERRORS_PER_SECOND = 1;

/**
 * Frames that no quota counts (retries, drafts, hellos, deletions, answers to `check`) that a client may send at once,
 * and how many a second after that. A returning client repeats what was under way, and an agent streams its tokens; who
 * sends more than that takes the room's time from others (promise 9).
 */
const FREE_AT_ONCE = 5_000;
const FREE_PER_SECOND = 200;

/** Frames of one client that may wait until it is known who it is. */
const WAITING_FRAMES = 256;

/** How often it is written down that a client was heard of, ms. */
const HEARD_EVERY = 5_000;

/** A frame that is no burden, in characters. It does not make a peer of a spectator: there may be thousands. */
const SMALL = 64 * 1024;

/** How often a sweep that nobody needs at once is worth it, ms. */
const SWEEP_EVERY = 5_000;

/** What one client did lately. Nothing of it is missed after a sleep, which needs ten quiet seconds. */
interface Peer {
  readonly pace: FlowControl;
  readonly errors: TokenBucket;
  /** With frames that cost it nothing. */
  readonly free: TokenBucket;
  /** The end of what it has sent and is still being worked on. */
  queue: Promise<void> | undefined;
  waiting: number;
}

export interface AudienceDeps {
  now(): number;
  /** All sockets, cheaply: without decoding what is attached to them. */
  sockets(): WebSocket[];
  /** All sockets with what is attached to them. */
  connections(): Iterable<Socket>;
  /** When the runtime last answered a ping of this socket, ms since 1970. */
  lastPing(socket: WebSocket): number | undefined;
  /** Somebody has come, gone or been named. */
  presenceChanged(): void;
  /** Somebody's last socket has gone. */
  left(sender: string): void;
}

export class Audience {
  readonly #deps: AudienceDeps;
  readonly #peers = new Map<WebSocket, Peer>();
  /** Those who wait for the next messages as an answer. In a crowd it takes a while until everybody has been sent to. */
  readonly #awaiting = new Set<WebSocket>();
  /** Who is here, and how many sockets there are, in all and from each address; `undefined` until they are counted. */
  #attendance: PresenceTracker | undefined;
  #sockets = 0;
  #fromAddress = new Map<string, number>();
  /** Characters sent to everybody since this room woke. */
  #broadcast = 0;
  #checkedAt = 0;
  #sweptAt = 0;

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
  }

  /** How many sockets hear a broadcast. */
  get size(): number {
    return this.#attendance ? this.#sockets : this.#deps.sockets().length;
  }

  /** How many sockets `address` has here. */
  sizeFrom(address: string): number {
    if (!this.#attendance) this.#count();
    return this.#fromAddress.get(address) ?? 0;
  }

  /** Who is here. Counted from the live sockets when it is first asked for after a start. */
  get attendance(): PresenceTracker {
    return this.#attendance ?? this.#count();
  }

  /** What has changed in who is here since it was last told; the audience is told with this. */
  takePresenceChange(): PresenceChange | undefined {
    // Nobody has been counted, so nobody has come or gone.
    return this.#attendance?.takeChange();
  }

  /** Notes that a socket waits for a message of its own. */
  awaits(socket: WebSocket): void {
    this.#awaiting.add(socket);
  }

  /** Sends `frame` to everybody, and first to those who wait for it as an answer. It is serialised once. */
  broadcast(frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    for (const socket of this.#awaiting) sendText(socket, text);
    for (const socket of this.#deps.sockets()) if (!this.#awaiting.has(socket)) sendText(socket, text);
    this.#awaiting.clear();
    this.#broadcast += text.length;
    if (this.#broadcast - this.#checkedAt >= FLOW.checkEvery) this.#checkAll();
  }

  /** Sends one what it missed. However long that is, it has the time of a `check` to read it. */
  sendBacklog(socket: Socket, frames: readonly ServerFrame[]): void {
    let length = 0;
    for (const frame of frames) {
      const text = JSON.stringify(frame);
      socket.send(text);
      length += text.length;
    }
    if (length < SMALL) return;
    const { pace } = this.#peer(socket);
    pace.sentBacklog(length);
    if (pace.isCheckDue(this.#broadcast)) this.#check(socket, pace);
  }

  /** What clients who owe an answer have not confirmed, in characters: it may all be waiting in this room's memory. */
  get burden(): number {
    let burden = 0;
    for (const { pace } of this.#peers.values()) if (pace.owesAnswer) burden += pace.behind(this.#broadcast);
    return burden;
  }

  /** Sends `frame` to one. */
  send(socket: Socket, frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    try {
      socket.send(text);
    } catch {
      return;
    }
    const peer = this.#peers.get(socket);
    if (!peer && text.length < SMALL) return;
    const { pace } = peer ?? this.#peer(socket);
    pace.sentAlone(text.length);
    if (pace.isCheckDue(this.#broadcast)) this.#check(socket, pace);
    else if (pace.overdue(this.#broadcast) > FLOW.closeAt) this.#closeSlow(socket);
  }

  /** Tells one of a refusal; closes with 4400 when there have been too many. */
  refuse(socket: Socket, refusal: BadFrame): void {
    this.send(socket, errorFrame(refusal));
    if (this.#peer(socket).errors.spend(this.#deps.now())) return;
    this.close(socket, CLOSE.badFrames, "too many bad frames");
  }

  /** Why a client may not send another frame that costs it nothing now, if it may not. */
  refuseFree(socket: Socket): Fault | undefined {
    if (this.#peer(socket).free.spend(this.#deps.now())) return undefined;
    return fault("rate_limited", "Too many frames; slow down.", 1);
  }

  /** Closes one, and counts it out at once: a dead peer would not answer. */
  close(socket: Socket, code: number, reason: string): void {
    this.leave(socket);
    try {
      socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  /** Whether this socket has sent something since this room woke. */
  knows(socket: WebSocket): socket is Socket {
    return this.#peers.has(socket);
  }

  /** Counts a new socket in. */
  enter(socket: Socket, state: SocketState): void {
    const { attendance } = this;
    socket.setState(state);
    this.#countSocket(state.address, 1);
    if (state.uncounted) return;
    attendance.enter(state.participant?.sender);
    this.#deps.presenceChanged();
  }

  /** Says who a socket is from now on. */
  name(socket: Socket, participant: Participant): void {
    const { attendance } = this;
    const { state } = socket;
    if (!state || state.gone) return;
    if (isCounted(state)) attendance.leave(state.participant?.sender);
    socket.setState({ ...state, participant, away: undefined, uncounted: undefined });
    attendance.enter(participant.sender);
    const before = state.participant?.sender;
    if (before !== undefined && before !== participant.sender) this.#leftIfLast(before);
    this.#deps.presenceChanged();
  }

  /** Counts a socket out, whether it says goodbye or not. Once. */
  leave(socket: Socket): void {
    const attendance = this.#attendance ?? this.#count(socket);
    this.#peers.delete(socket);
    this.#awaiting.delete(socket);
    const { state } = socket;
    if (!state || state.gone) return;
    socket.setState({ ...state, gone: true });
    this.#countSocket(state.address, -1);
    if (!isCounted(state)) return;
    attendance.leave(state.participant?.sender);
    if (state.participant) this.#leftIfLast(state.participant.sender);
    this.#deps.presenceChanged();
  }

  /** Notes that a socket has sent something; one that was not listed any more is again. */
  heard(socket: Socket): void {
    const { state } = socket;
    const heardAt = this.#deps.now();
    if (!state || state.gone || (!state.away && heardAt - state.heardAt < HEARD_EVERY)) return;
    const { attendance } = this;
    socket.setState({ ...state, heardAt, away: undefined });
    if (!state.away) return;
    attendance.enter(state.participant?.sender);
    this.#deps.presenceChanged();
  }

  /** Takes the answer to a `check`. */
  confirmed(socket: Socket, n: number): void {
    this.#peer(socket).pace.answer(n);
  }

  /**
   * Works through what one client sends, in its order. `work` runs at once, unless an earlier one is still waiting for
   * something; returns whether there is room for it to wait.
   */
  inOrder(socket: Socket, work: () => void | Promise<void>): boolean {
    const peer = this.#peer(socket);
    if (peer.queue === undefined) {
      const running = work();
      if (running) peer.queue = this.#dequeue(peer, running);
      return true;
    }
    if (peer.waiting >= WAITING_FRAMES) return false;
    peer.waiting++;
    const before = peer.queue;
    peer.queue = this.#dequeue(
      peer,
      before.then(() => {
        peer.waiting--;
        return work();
      }),
    );
    return true;
  }

  /**
   * Lets go of the dead: whoever used to ping and does not any more is closed; whoever never pings and has been silent
   * is no longer listed, but still hears everything. Returns in how many ms it could next be of use.
   */
  sweep(): number | undefined {
    const now = this.#deps.now();
    this.#sweptAt = now;
    let next: number | undefined;
    for (const socket of [...this.#deps.connections()]) {
      const { state } = socket;
      if (!state || !isCounted(state)) continue;
      const ping = this.#deps.lastPing(socket);
      const left = Math.max(ping ?? 0, state.heardAt) + HEARTBEAT.deadAfter - now;
      if (left > 0) next = Math.min(next ?? left, left);
      else if (ping !== undefined) this.close(socket, CLOSE.goingAway, "not heard of");
      else this.#unlist(socket, state);
    }
    return next;
  }

  /** Sweeps unless it was done just now: for a question, which anybody may ask at any rate. */
  sweepSometimes(): void {
    if (this.#deps.now() - this.#sweptAt >= SWEEP_EVERY) this.sweep();
  }

  /** Closes every socket that `which` holds for. */
  closeAll(code: number, reason: string, which: (state: SocketState) => boolean): void {
    for (const socket of [...this.#deps.connections()]) {
      if (socket.state && which(socket.state)) this.close(socket, code, reason);
    }
  }

  #unlist(socket: Socket, state: SocketState): void {
    socket.setState({ ...state, away: true });
    this.attendance.leave(state.participant?.sender);
    if (state.participant) this.#leftIfLast(state.participant.sender);
    this.#deps.presenceChanged();
  }

  #leftIfLast(sender: string): void {
    if (this.attendance.socketsOf(sender) === 0) this.#deps.left(sender);
  }

  /** Counts the live sockets, all of whom the room has been told of, and one that is just closing. */
  #count(leaving?: Socket): PresenceTracker {
    const attendance = new PresenceTracker();
    const sockets = new Set<Socket>(this.#deps.connections());
    if (leaving) sockets.add(leaving);
    this.#sockets = 0;
    this.#fromAddress.clear();
    for (const { state } of sockets) {
      if (!state || state.gone) continue;
      this.#countSocket(state.address, 1);
      if (isCounted(state)) attendance.enter(state.participant?.sender);
    }
    attendance.takeChange();
    this.#attendance = attendance;
    return attendance;
  }

  #countSocket(address: string, difference: 1 | -1): void {
    this.#sockets += difference;
    const count = (this.#fromAddress.get(address) ?? 0) + difference;
    if (count > 0) this.#fromAddress.set(address, count);
    else this.#fromAddress.delete(address);
  }

  #peer(socket: WebSocket): Peer {
    let peer = this.#peers.get(socket);
    if (!peer) {
      const pace = new FlowControl(this.#broadcast);
      const now = this.#deps.now();
      const errors = new TokenBucket(ERRORS_AT_ONCE, ERRORS_PER_SECOND, now);
      const free = new TokenBucket(FREE_AT_ONCE, FREE_PER_SECOND, now);
      peer = { pace, errors, free, queue: undefined, waiting: 0 };
      this.#peers.set(socket, peer);
    }
    return peer;
  }

  async #dequeue(peer: Peer, work: Promise<void>): Promise<void> {
    try {
      await work;
    } finally {
      if (peer.waiting === 0) peer.queue = undefined;
    }
  }

  #checkAll(): void {
    this.#checkedAt = this.#broadcast;
    let owing = 0;
    for (const { pace } of this.#peers.values()) if (pace.owesAnswer) owing++;
    const limit = closeAt(owing);
    for (const socket of this.#deps.connections()) {
      const { pace } = this.#peer(socket);
      if (pace.owesAnswer) {
        if (pace.overdue(this.#broadcast) > limit) this.#closeSlow(socket);
      } else this.#check(socket, pace);
    }
  }

  #check(socket: Socket, pace: FlowControl): void {
    sendText(socket, JSON.stringify({ type: "check", n: pace.ask(this.#broadcast) } satisfies ServerFrame));
  }

  #closeSlow(socket: Socket): void {
    this.close(socket, CLOSE.tooSlow, "too slow: reconnect with your cursor");
  }
}

/** Sends to one of many: a socket that is just closing is counted out by its `onClose`. */
function sendText(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It has gone.
  }
}

const isCounted = (state: SocketState): boolean => !state.uncounted && !state.away && !state.gone;
