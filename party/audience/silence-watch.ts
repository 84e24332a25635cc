/**
 * Looks at one peer after another for how long it has been silent, and does what that means: it is asked, listed, unlisted or
 * closed. How silence is judged is in `liveness.ts`.
 */

import { CLOSE, errorFrame, type Fault, fault, IDENTIFY_WITHIN, type ServerFrame, SILENCE } from "../protocol.ts";
import { examine } from "./liveness.ts";
import type { Peer } from "./peer.ts";
import type { Socket } from "./socket-state.ts";

const NOT_IDENTIFIED = fault(
  "unauthorized",
  "This room is its members': say hello, with a key or as an invited guest.",
);

/** A hello that is under way when that time is over may take so long in all, ms: D1 or a Limiter is slow. */
const FOUND_OUT_WITHIN = 3 * IDENTIFY_WITHIN;
const NOT_FOUND_OUT = fault("unavailable", "It can't be found out at the moment who you are.", 5);

/**
 * A ping may seem to be so much later than now, ms. On Cloudflare an object's time does not pass a timer that is due until
 * that is called, and pings are answered meanwhile; on one machine a clock may be set back by a moment.
 */
const LATER_BY = 5_000;

export interface SilenceWatchDeps {
  /** When the runtime last answered a ping of this socket, ms since 1970. */
  lastPing(socket: WebSocket): number | undefined;
  /** What is said to those who have not said who they are; `undefined`: that they have to. */
  refuseUnknown(): Fault | undefined;
  /** Whether there is somebody to tell of others. */
  hasCompany(): boolean;
  /** Asks a peer for a sign of life. */
  probe(peer: Peer): void;
  list(peer: Peer): void;
  unlist(peer: Peer): void;
  send(socket: Socket, frame: ServerFrame): void;
  close(socket: Socket, code: number, reason: string): void;
}

export class SilenceWatch {
  readonly #deps: SilenceWatchDeps;

  constructor(deps: SilenceWatchDeps) {
    this.#deps = deps;
  }

  /** Does what a peer's silence means at `now`. In how many ms it may mean more; infinite: nothing depends on it. */
  examine(peer: Peer, now: number): number {
    const { lastPing, hasCompany, probe, list, unlist, close } = this.#deps;
    followBack(peer, now);
    const { socket, state } = peer;
    if (state.waiting) return this.#examineUnknown(peer, now - state.waiting.since);
    const ping = lastPing(socket);
    // A ping of a later time is of before the clock was set back, and says nothing: a peer that is alive pings again.
    const lastSign = Math.max(ping !== undefined && ping - now <= LATER_BY ? ping : 0, state.heardAt);
    const silentFor = now - lastSign;
    if (state.uncounted) {
      if (silentFor < SILENCE.closeAfter) return SILENCE.closeAfter - silentFor;
      close(socket, CLOSE.goingAway, "not heard of");
      return Number.POSITIVE_INFINITY;
    }
    const askedFor = state.askedAt === undefined || state.askedAt < lastSign ? undefined : now - state.askedAt;
    const { verdict, next } = examine({ silentFor, pings: ping !== undefined, askedFor });
    if (verdict === "dead") close(socket, CLOSE.goingAway, "not heard of");
    else if (verdict === "absent") unlist(peer);
    else if (state.away) list(peer);
    if (verdict === "ask") {
      peer.note({ askedAt: now });
      probe(peer);
    }
    if (!hasCompany()) return Number.POSITIVE_INFINITY;
    // That a spectator has gone silently is not worth waking the room for, as long as the socket may stay.
    return state.participant || ping === undefined ? next : Math.max(next, SILENCE.closeAfter - silentFor);
  }

  /** Lets go of one that has not said who it is. It comes back where it has, and the room could not find out in time. */
  #examineUnknown({ socket, queue }: Peer, waitsFor: number): number {
    const { send, close, refuseUnknown } = this.#deps;
    if (waitsFor < IDENTIFY_WITHIN) return IDENTIFY_WITHIN - waitsFor;
    if (queue.isBusy) {
      if (waitsFor < FOUND_OUT_WITHIN) return FOUND_OUT_WITHIN - waitsFor;
      send(socket, errorFrame({ ...NOT_FOUND_OUT, about: "hello" }));
      close(socket, CLOSE.tryLater, NOT_FOUND_OUT.fault);
      return Number.POSITIVE_INFINITY;
    }
    const refusal = refuseUnknown() ?? NOT_IDENTIFIED;
    send(socket, errorFrame(refusal));
    close(socket, refusal.fault === "not_found" ? CLOSE.notFound : CLOSE.unauthorized, refusal.fault);
    return Number.POSITIVE_INFINITY;
  }
}

/** When the clock was set back, a peer was heard of and asked no later than now. */
function followBack(peer: Peer, now: number): void {
  const { heardAt, askedAt, waiting } = peer.state;
  if (heardAt > now) peer.note({ heardAt: now });
  if (askedAt !== undefined && askedAt > now) peer.note({ askedAt: now });
  if (waiting && waiting.since > now) peer.note({ waiting: { ...waiting, since: now } });
}
