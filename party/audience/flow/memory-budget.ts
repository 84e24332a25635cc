/**
 * How much memory readers may hold, in bytes: a socket, all sockets of an address, and the room.
 *
 * | what | bound | sum |
 * |---|---|---|
 * | a socket that never answered a `check` | 32 KiB, its `welcome` included | 500 sockets of an address: 16 MiB |
 * | a socket that answers | 64 MiB divided by the room's sockets, at most 256 KiB | up to 512 sockets: 64 MiB |
 * | a socket that answers, in a larger room | 128 KiB | 2,048 sockets, at least five addresses: 256 MiB |
 * | answers to a client's own frames | 64 KiB beyond the window, then 4413 | few: frames are counted by principal |
 * | a snapshot of presence and drafts | the names, and 256 KiB of drafts (`drafts.ts`) | only after an answer |
 *
 * The room can't take back what it has sent: closing a socket does not free it, only its peer can. So stalled bytes,
 * those of sockets that have owed an answer for some seconds or whose close is not confirmed, are counted, and from some
 * sums on new sockets are refused: first to an address that stalls, at half the room's budget to all
 * that hold anything unread, and at twice the budget to everyone.
 */

import { type Fault, fault } from "../../protocol.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What all readers of a room may hold. An object has 128 MiB for everything. */
export const ROOM_BYTES = 64 * MIB;
/** From so many stalled bytes on nobody gets a socket any more. A new one adds no more than its first window. */
export const MOST_STALLED = 2 * ROOM_BYTES;
/** From so many stalled bytes on an address gets no more sockets in a room. */
export const ADDRESS_BYTES = 4 * MIB;
/**
 * The smallest and the largest window. Each check costs a room some 40 µs, and it is sent at half a window. In a busy room
 * of 2,000, whose frames have 29 KiB, a message took 2.1 times the processor time with a window of 32 KiB, 1.4 times with
 * 64 and 1.15 times with 128, of what it took with a check a MiB.
 */
export const LEAST_WINDOW = 128 * KIB;
export const MOST_WINDOW = 256 * KIB;
/** What answers to a client's own frames may hold beyond its window. */
export const ANSWER_BYTES = 64 * KIB;
/** A socket that has owed an answer for this long counts as stalled, ms. */
export const STALLED_AFTER = 5_000;

/** The window of a socket that answers, in a room of so many. */
export function windowFor(sockets: number): number {
  return Math.min(MOST_WINDOW, Math.max(LEAST_WINDOW, Math.floor(ROOM_BYTES / Math.max(1, sockets))));
}

export interface Stalled {
  readonly address: string;
  readonly bytes: number;
}

export class MemoryBudget {
  /** Unread bytes of closed sockets, in the room and by address. */
  #closing = 0;
  readonly #closingFrom = new Map<string, number>();

  /** A socket was closed with so many unread bytes. They count until its close is confirmed. */
  closed({ address, bytes }: Stalled): void {
    this.#add(address, bytes);
  }

  /** The close of a socket is confirmed: the runtime has let go of what it had not read. */
  confirmed({ address, bytes }: Stalled): void {
    this.#add(address, -bytes);
  }

  /** Why `address` gets no new socket, beside the open sockets that have stalled; `undefined` when it gets one. */
  refuse(address: string, stalled: Iterable<Stalled>): Fault | undefined {
    let room = this.#closing;
    let own = this.#closingFrom.get(address) ?? 0;
    for (const each of stalled) {
      room += each.bytes;
      if (each.address === address) own += each.bytes;
    }
    if (own >= ADDRESS_BYTES || (own > 0 && room >= ROOM_BYTES / 2)) {
      return fault("rate_limited", "Connections from your address do not read what they were sent.", 60);
    }
    // Those who hold nothing are let in for longer: otherwise two addresses could shut a room to everyone else.
    return room >= MOST_STALLED ? fault("rate_limited", "Too many connections do not read here.", 60) : undefined;
  }

  #add(address: string, bytes: number): void {
    if (bytes === 0) return;
    this.#closing += bytes;
    const sum = (this.#closingFrom.get(address) ?? 0) + bytes;
    if (sum > 0) this.#closingFrom.set(address, sum);
    else this.#closingFrom.delete(address);
  }
}
