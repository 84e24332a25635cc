/**
 * Messages on their way, as the tab keeps them: they outlive a reload, a move and a change of room, and go out under
 * their ids, so that each arrives once (promise 3).
 */

import type { Seq } from "../../../party/protocol.ts";
import type { PendingMessage, RoomClient } from "../../room/index.ts";
import { tabMemory } from "../memory.ts";

interface KeptMessage {
  readonly id: string;
  readonly content: string;
  readonly replyTo?: Seq | undefined;
  /** Who sends, if the room had said so. */
  readonly sender?: string | undefined;
}

export class KeptMessages {
  readonly #name: string;
  /** What this element has sent. Another one of the same room may have left the rest, and keeps it. */
  readonly #own = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Keeps what is pending now, until the room has it. */
  keep(pending: readonly PendingMessage[], sender: string | undefined): void {
    for (const { id } of pending) this.#own.add(id);
    if (this.#own.size === 0) return;
    const own = pending.map(({ id, content, replyTo }) => ({ id, content, replyTo, sender }));
    const all = [...this.#read().filter(({ id }) => !this.#own.has(id)), ...own];
    tabMemory.keep(this.#name, all.length > 0 ? JSON.stringify(all) : "");
  }

  /** Sends what an earlier visit has left, if it is still the same person who sends. */
  sendLeft(client: RoomClient, sender: string): void {
    for (const { id, content, replyTo, sender: author } of this.#read()) {
      if (this.#own.has(id) || (author !== undefined && author !== sender)) continue;
      this.#own.add(id);
      client.send(content, { id, ...(replyTo !== undefined && { replyTo }) }).catch(() => {});
    }
  }

  #read(): KeptMessage[] {
    try {
      return JSON.parse(tabMemory.recall(this.#name) ?? "[]") as KeptMessage[];
    } catch {
      return [];
    }
  }
}
