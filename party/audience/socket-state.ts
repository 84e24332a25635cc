/**
 * What a room knows of a socket, as it is attached to the socket. The runtime keeps it while the room sleeps: at most
 * 16,384 bytes, together with what partyserver attaches.
 */

import type { Connection } from "partyserver";
import type { Participant } from "../identity/sender.ts";
import type { Seq } from "../protocol.ts";
import type { Cursor } from "../room-rpc.ts";

/** Grows when a field changes its meaning. A deploy hands attachments of the version before to new code. */
export const STATE_VERSION = 2;

/** A socket that misses what the room tells, because it owes the answer to a `check`. */
export interface PausedState {
  /** The number of the check that it owes the answer to. */
  readonly n: number;
  /** Since when it owes it, ms since 1970. */
  readonly since: number;
  /** The seq of the last message that it was sent. */
  readonly at: Seq;
  /** Bytes that it was sent and has not confirmed. */
  readonly unread: number;
}

/** A socket that has to say who it is. */
export interface WaitingState {
  /** Since when, ms since 1970. */
  readonly since: number;
  /** Where it wants to go on. */
  readonly cursor?: Cursor | undefined;
}

export interface SocketState {
  readonly v: typeof STATE_VERSION;
  /** The client's address, as it is counted. */
  readonly address: string;
  /** The page that it comes from, where there is one. */
  readonly origin?: string | undefined;
  /** The origin to which a site's token must have been signed. Absent from what earlier versions have attached. */
  readonly audience?: string | undefined;
  /** A request that waits for one answer: it is not counted as a spectator. */
  readonly uncounted?: true | undefined;
  /** It applies erasures. */
  readonly knowsErasures?: true | undefined;
  readonly participant?: Participant | undefined;
  /** Who reads over it, of one that can't say hello: an event stream, or a request that waits. It is not listed. */
  readonly reader?: Participant | undefined;
  /** What speaks is a bridge that wakes its agent, and that is back within so many ms when it is lost. */
  readonly wakes?: number | undefined;
  /** The agents of which it was told that they do not hear. */
  readonly unheard?: readonly string[] | undefined;
  /** The room is its members' and does not know yet who this is: it is told nothing. */
  readonly waiting?: WaitingState | undefined;
  /** When it last sent a frame, ms since 1970, to within a few seconds. The runtime answers pings by itself. */
  readonly heardAt: number;
  /** When the room asked it for a sign of life that has not come yet, ms since 1970. */
  readonly askedAt?: number | undefined;
  /** It has been silent for too long to be listed. */
  readonly away?: true | undefined;
  /** It has answered a `check`. */
  readonly trusted?: true | undefined;
  readonly paused?: PausedState | undefined;
  /** The ids of the drafts that were begun over it. They end when the room falls asleep. */
  readonly drafts?: readonly string[] | undefined;
  /** The room has closed it and counted it out, with so many unread bytes. Its peer has not confirmed the close yet. */
  readonly gone?: { readonly unread: number } | undefined;
}

export type Socket = Connection<SocketState>;

/** The first version had no number, and `gone` was `true`. What else it had has the same meaning. */
type FirstVersion = Omit<SocketState, "v" | "gone"> & { readonly v?: undefined; readonly gone?: true };

/** The state that is attached to a socket, in the form of today; `undefined` when nothing is attached. */
export function readState(attached: unknown): SocketState | undefined {
  const state = attached as SocketState | FirstVersion | null | undefined;
  if (!state) return undefined;
  if (state.v === STATE_VERSION) return state;
  const { gone, ...rest } = state as FirstVersion;
  return { ...rest, v: STATE_VERSION, ...(gone && { gone: { unread: 0 } }) };
}

/** Whether presence counts this socket. */
export const isCounted = (state: SocketState): boolean =>
  !state.uncounted && !state.away && !state.gone && !state.waiting;
