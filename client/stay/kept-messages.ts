/**
 * Messages on their way, as a tab keeps them: they outlive a reload, a move and a change of room, and go out under their
 * ids, so that each arrives once (promise 3 of docs/guarantees.md). Refused ones are not kept: their author has been told.
 */

import type { Seq } from "../../party/protocol.ts";
import type { PendingMessage } from "./outbox.ts";
import type { KeyValueStorage } from "./storage.ts";

export interface KeptMessage {
  readonly id: string;
  readonly content: string;
  readonly replyTo?: Seq | undefined;
  /** Who sends, if the room had said so. */
  readonly sender?: string | undefined;
  /** Until then: with which credentials (`imprintOf`). */
  readonly imprint?: string | undefined;
}

/** Whose messages are kept: by name, or by their credentials until the room has said the name. */
export type Keeper = Pick<KeptMessage, "sender" | "imprint">;

export class KeptMessages {
  readonly #storage: KeyValueStorage;
  readonly #name: string;
  /** What is pending here. Another stay in the same room may have left the rest, and keeps it. */
  #own = new Set<string>();

  /** `name`: under which the storage keeps them. */
  constructor(storage: KeyValueStorage, name: string) {
    this.#storage = storage;
    this.#name = name;
  }

  /** Keeps what is pending now, and forgets what is not any more. */
  keep(pending: readonly PendingMessage[], { sender, imprint }: Keeper): void {
    const before = this.#own;
    if (before.size === 0 && pending.length === 0) return;
    this.#own = new Set(pending.map(({ id }) => id));
    const own = pending.map(({ id, content, replyTo }) => ({
      id,
      content,
      replyTo,
      ...(sender ? { sender } : { imprint }),
    }));
    const others = this.#read().filter(({ id }) => !before.has(id) && !this.#own.has(id));
    const all = [...others, ...own];
    this.#storage.set(this.#name, all.length > 0 ? JSON.stringify(all) : "");
  }

  /** What an earlier visit of the same person has left. It counts as pending here from now on. */
  takeOver({ sender, imprint }: Keeper): KeptMessage[] {
    const left = this.#read().filter(
      (kept) => !this.#own.has(kept.id) && (kept.sender ? kept.sender === sender : kept.imprint === imprint),
    );
    for (const { id } of left) this.#own.add(id);
    return left;
  }

  #read(): KeptMessage[] {
    try {
      const kept: unknown = JSON.parse(this.#storage.get(this.#name) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }
}
