/**
 * What a room tells, to each reader as fast as it reads (promise 9, docs/guarantees.md).
 *
 * A reader is in the flow: it gets every frame. When a frame would not fit into its window, it is paused and owes the
 * answer to a `check`. With the answer it is sent what it missed, from the log, again up to its window; when it is level
 * with the head, it gets a snapshot of what else has changed and is in the flow again. So a reader costs its window,
 * however much is said, and however long a gap it resumes over.
 */

import { utf8Length } from "../../message-parser.ts";
import { FLOW, type Seq, type ServerFrame, type UpdateFrame } from "../../protocol.ts";
import type { Cursor } from "../../room-rpc.ts";
import type { Peer } from "../peer.ts";
import { Backlog, type LogView } from "./backlog.ts";
import { ANSWER_BYTES, STALLED_AFTER, type Stalled, windowFor } from "./memory-budget.ts";
import { type Piece, toPieces } from "./outgoing-frame.ts";
import { type ToldState, type Versions, type Welcome, Welcomes } from "./welcomes.ts";

export interface FeedDeps {
  now(): number;
  readonly log: LogView;
  readonly told: ToldState;
  /** How many sockets the room has: they share its memory. */
  sockets(): number;
  /** Ends a reader that can't be served: it reconnects with its cursor. */
  closeSlow(peer: Peer): void;
  /** Asks for `late` to be looked at in `delay` ms, also when the room sleeps meanwhile. */
  wakeIn(delay: number): void;
  /** Calls `run` once, about `delay` ms from now. The room does not sleep before that. */
  schedule(delay: number, run: () => void): void;
}

/**
 * A reader that is paused for longer than this, ms, is attached to its socket as paused. In a busy room many are paused
 * for moments, and attaching costs more than the frame; and no room sleeps as soon as this.
 */
const ATTACH_AFTER = 1_000;

export class Feed {
  readonly #deps: FeedDeps;
  readonly #backlog: Backlog;
  readonly #welcomes: Welcomes;
  readonly #flowing = new Set<Peer>();
  readonly #owing = new Set<Peer>();
  /** Those who wait for the next messages as an answer. In a crowd it takes a while until everyone has been sent to. */
  readonly #awaiting = new Set<Peer>();
  /** Paused readers whose sockets do not say so yet. */
  readonly #unattached = new Set<Peer>();
  /** What everyone in the flow has been told with the last frame. */
  #toldVersions: Versions | undefined;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    const { log, told } = deps;
    this.#backlog = new Backlog(log, told.names);
    this.#welcomes = new Welcomes({ log, told, backlog: this.#backlog });
  }

  /** Takes up a reader that was there before the room slept. */
  restore(peer: Peer): void {
    if (peer.pausedAt === undefined) this.#flowing.add(peer);
    else this.#owing.add(peer);
  }

  /** Welcomes a new reader. What does not fit into its first window follows when it answers. */
  begin(peer: Peer, cursor: Cursor | undefined): void {
    const canFollow = cursor === undefined || !this.#missesErasure(peer, cursor.after);
    this.#welcome(peer, this.#welcomes.welcome(canFollow ? cursor : OF_NO_HISTORY));
  }

  #welcome(peer: Peer, welcome: Welcome): void {
    this.#send(peer, welcome);
    if (welcome.isWhole) peer.has = this.#welcomes.versions();
    if (welcome.to < this.#deps.log.head || !welcome.isWhole) this.#pause(peer, welcome.to);
    else this.#flow(peer);
  }

  /** Whether a reader who has everything up to `seq` would go on showing what was erased since. */
  #missesErasure({ state }: Peer, seq: Seq): boolean {
    const { newestErasure, newestErased } = this.#deps.log;
    return (state.knowsErasures ? newestErased : newestErasure) > seq;
  }

  /** Lets a reader begin anew, which takes from it what it has. */
  #startOver(peer: Peer, at: Seq): void {
    const welcome = this.#welcomes.welcome(OF_NO_HISTORY);
    const window = this.#windowOf(peer, windowFor(this.#deps.sockets()));
    if (peer.flow.fits(welcome.bytes, window)) this.#welcome(peer, welcome);
    else this.#pause(peer, at);
  }

  /** Forgets a reader that has gone. */
  end(peer: Peer): void {
    this.#flowing.delete(peer);
    this.#owing.delete(peer);
    this.#awaiting.delete(peer);
    this.#unattached.delete(peer);
  }

  /** Notes that a reader waits for a message of its own: it is sent to before the others. */
  awaits(peer: Peer): void {
    this.#awaiting.add(peer);
  }

  /** Tells everyone. It is serialised once. */
  broadcast(update: UpdateFrame): void {
    const { log, sockets } = this.#deps;
    // An earlier message looks another way now.
    if (update.messages?.some(({ kind, answer }) => kind !== "text" || answer)) this.#backlog.forget();
    const window = windowFor(sockets());
    let at = (update.messages?.[0]?.seq ?? log.head + 1) - 1;
    const older = [...this.#flowing].filter((peer) => this.#missesErasure(peer, at));
    for (const peer of older) this.#flowing.delete(peer);
    for (const piece of toPieces(update, this.#deps.told.names?.())) {
      for (const peer of this.#awaiting) if (this.#flowing.has(peer)) this.#deliver(peer, piece, at, window);
      for (const peer of this.#flowing) if (!this.#awaiting.has(peer)) this.#deliver(peer, piece, at, window);
      at = piece.to ?? at;
    }
    this.#awaiting.clear();
    this.#toldVersions = this.#welcomes.versions();
    const before = (update.messages?.[0]?.seq ?? log.head + 1) - 1;
    for (const peer of older) this.#startOver(peer, before);
  }

  /** Sends one reader a frame of its own, also when it is paused. It is closed when it makes the room send too many. */
  send(peer: Peer, frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    const window = this.#windowOf(peer, windowFor(this.#deps.sockets()));
    this.#send(peer, { text, bytes: utf8Length(text) });
    if (peer.flow.unread > window + ANSWER_BYTES) this.#deps.closeSlow(peer);
    else if (peer.flow.isCheckDue(window)) this.#ask(peer);
  }

  /** Asks a reader for a sign of life. */
  probe(peer: Peer): void {
    const n = peer.flow.probe();
    if (n !== undefined) peer.send(checkFrame(n));
  }

  /** Takes the answer to a check, and goes on with what the reader missed. Returns whether it was the right answer. */
  answered(peer: Peer, n: number): boolean {
    if (!peer.flow.answer(n)) return false;
    this.#owing.delete(peer);
    if (!peer.state.trusted) peer.note({ trusted: true });
    if (peer.pausedAt !== undefined) this.#refill(peer);
    else this.#askIfDue(peer);
    return true;
  }

  /** The readers that have owed an answer for too long at `now`. */
  late(now: number): Peer[] {
    return [...this.#owing].filter(({ flow }) => (flow.owesFor(now) ?? 0) >= FLOW.answerWithin);
  }

  /** In how many ms the next reader will be late; `undefined` when none owes an answer. */
  nextLate(now: number): number | undefined {
    let next: number | undefined;
    for (const { flow } of this.#owing) {
      const left = FLOW.answerWithin - (flow.owesFor(now) ?? 0);
      if (next === undefined || left < next) next = left;
    }
    return next;
  }

  /** What the readers hold that have owed an answer for a while at `now`. */
  *stalled(now: number): Generator<Stalled> {
    for (const { flow, state } of this.#owing) {
      if ((flow.owesFor(now) ?? 0) >= STALLED_AFTER) yield { address: state.address, bytes: flow.unread };
    }
  }

  #deliver(peer: Peer, piece: Piece, at: Seq, window: number): void {
    const own = this.#windowOf(peer, window);
    if (!peer.flow.fits(piece.bytes, own)) {
      peer.has = this.#toldVersions;
      this.#pause(peer, at);
      return;
    }
    this.#send(peer, piece);
    if (peer.flow.isCheckDue(own)) this.#ask(peer);
  }

  /** Sends what a reader missed, as far as its window goes. */
  #refill(peer: Peer): void {
    const { log, sockets, closeSlow } = this.#deps;
    const missedFrom = peer.pausedAt ?? log.head;
    if (this.#missesErasure(peer, missedFrom)) {
      this.#startOver(peer, missedFrom);
      return;
    }
    if (!this.#backlog.reaches(missedFrom)) {
      closeSlow(peer);
      return;
    }
    const window = this.#windowOf(peer, windowFor(sockets()));
    const at = this.#sendLog(peer, missedFrom, window);
    if (at < log.head || !this.#sendSnapshot(peer, window)) {
      this.#pause(peer, at);
      return;
    }
    this.#flow(peer);
  }

  /** Sends what is in the log after `at`, as far as it fits. Returns the last seq that the reader has with it. */
  #sendLog(peer: Peer, at: Seq, window: number): Seq {
    while (at < this.#deps.log.head) {
      const piece = this.#backlog.after(at);
      if (!peer.flow.fits(piece.bytes, window)) break;
      this.#send(peer, piece);
      if (peer.flow.isCheckDue(window)) this.#ask(peer);
      at = piece.to ?? at;
    }
    return at;
  }

  /** Sends what else has changed, if it fits. Returns whether it did. */
  #sendSnapshot(peer: Peer, window: number): boolean {
    const pieces = this.#welcomes.snapshot(peer.has);
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    if (!peer.flow.fits(bytes, window)) return false;
    for (const piece of pieces) this.#send(peer, piece);
    return true;
  }

  #flow(peer: Peer): void {
    this.#unattached.delete(peer);
    if (peer.state.paused) peer.note({ paused: undefined });
    peer.pausedAt = undefined;
    peer.has = undefined;
    this.#flowing.add(peer);
    this.#askIfDue(peer);
  }

  /** From now on a reader misses what is told. What it needs to go on survives the room's sleep. */
  #pause(peer: Peer, at: Seq): void {
    this.#flowing.delete(peer);
    peer.pausedAt = at;
    this.#ask(peer);
    if (this.#unattached.size === 0) this.#deps.schedule(ATTACH_AFTER, () => this.#attachPaused());
    this.#unattached.add(peer);
  }

  #attachPaused(): void {
    for (const peer of this.#unattached) {
      const { askedNumber: n, owesSince: since, unread } = peer.flow;
      const at = peer.pausedAt;
      if (n !== undefined && since !== undefined && at !== undefined) peer.note({ paused: { n, since, at, unread } });
    }
    this.#unattached.clear();
  }

  #askIfDue(peer: Peer): void {
    if (peer.flow.isCheckDue(this.#windowOf(peer, windowFor(this.#deps.sockets())))) this.#ask(peer);
  }

  #ask(peer: Peer): void {
    const n = peer.flow.ask(this.#deps.now());
    if (n !== undefined) peer.send(checkFrame(n));
    if (this.#owing.has(peer)) return;
    this.#owing.add(peer);
    this.#deps.wakeIn(FLOW.answerWithin);
  }

  #send(peer: Peer, { text, bytes }: Piece): void {
    peer.send(text);
    peer.flow.sent(bytes);
  }

  #windowOf({ state }: Peer, window: number): number {
    return state.trusted ? window : FLOW.firstWindow;
  }
}

/** A cursor of which nobody can say what came after it: its reader starts over. */
const OF_NO_HISTORY: Cursor = { after: 0, epoch: "" };

const checkFrame = (n: number): string => `{"type":"check","n":${n}}`;
