/**
 * How many sockets each address has in a room, and what closed ones still hold. A socket that the room has closed is not
 * gone: until its peer confirms, or the network gives up, the runtime keeps it with what it has not read. So it counts
 * for its address until then (promise 9, docs/guarantees.md).
 */

import type { Fault } from "../protocol.ts";
import { MemoryBudget, type Stalled } from "./flow/memory-budget.ts";

export class SocketLedger {
  readonly #fromAddress = new Map<string, number>();
  readonly #closing = new Map<WebSocket, Stalled>();
  readonly #budget = new MemoryBudget();

  /** Counts a socket in. */
  enter(address: string): void {
    this.#fromAddress.set(address, this.sizeFrom(address) + 1);
  }

  /** Notes that a socket was closed, with so many unread bytes. It counts on. */
  close(socket: WebSocket, closing: Stalled): void {
    this.#closing.set(socket, closing);
    this.#budget.closed(closing);
  }

  /** Whether a socket was closed here and its close is not confirmed. */
  isClosing(socket: WebSocket): boolean {
    return this.#closing.has(socket);
  }

  /** The close of a socket is confirmed: it counts no longer. Does nothing for one that was not closed here. */
  confirm(socket: WebSocket): void {
    const closing = this.#closing.get(socket);
    if (!closing) return;
    this.#closing.delete(socket);
    this.#budget.confirmed(closing);
    const count = this.sizeFrom(closing.address) - 1;
    if (count > 0) this.#fromAddress.set(closing.address, count);
    else this.#fromAddress.delete(closing.address);
  }

  /** Confirms every closed socket that the runtime does not list any more. */
  reconcile(listed: Iterable<WebSocket>): void {
    if (this.#closing.size === 0) return;
    const live = new Set(listed);
    for (const socket of [...this.#closing.keys()]) if (!live.has(socket)) this.confirm(socket);
  }

  /** How many sockets `address` has, closing ones among them. */
  sizeFrom(address: string): number {
    return this.#fromAddress.get(address) ?? 0;
  }

  /** Why `address` gets no new socket, beside the open sockets that have stalled; `undefined` when it gets one. */
  refuse(address: string, stalled: Iterable<Stalled>): Fault | undefined {
    return this.#budget.refuse(address, stalled);
  }
}
