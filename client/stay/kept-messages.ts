/**
 * Messages on their way, as a tab keeps them: they outlive a reload, a move and a change of room, and go out under their
 * ids, so that each arrives once (promise 3 of docs/guarantees.md). Refused ones are not kept: their author has been told.
 */

import { parseSend } from "../../party/message-parser.ts";
import { type Answer, isFault, type Seq } from "../../party/protocol.ts";
import type { Credentials } from "./credentials.ts";
import type { NewMessage, PendingMessage } from "./outbox.ts";
import { randomId } from "./random-id.ts";
import type { KeyValueStorage } from "./storage.ts";

export interface KeptMessage {
  readonly id: string;
  readonly content: string;
  readonly replyTo?: Seq | undefined;
  readonly answer?: Answer | undefined;
  /** When it was written, ms since 1970. */
  readonly since?: number | undefined;
  /** Who sends, if the room had said so. */
  readonly sender?: string | undefined;
  /** Until then: with which credentials (`imprintOf`). */
  readonly imprint?: string | undefined;
}

/** Whose messages are kept, a connection: by name, or by its credentials until the room has said the name. */
export interface Keeper {
  readonly you: { readonly sender: string } | undefined;
  readonly credentials: Credentials | undefined;
}

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
  keep(pending: readonly PendingMessage[], { you, credentials }: Keeper): void {
    const before = this.#own;
    if (before.size === 0 && pending.length === 0) return;
    this.#own = new Set(pending.map(({ id }) => id));
    const own = pending.map(({ id, content, replyTo, answer, since }) => ({
      id,
      content,
      replyTo,
      answer,
      since,
      ...(you ? { sender: you.sender } : { imprint: imprintOf(credentials) }),
    }));
    const others = this.#read().filter(({ id }) => !before.has(id) && !this.#own.has(id));
    const all = [...others, ...own];
    this.#storage.set(this.#name, all.length > 0 ? JSON.stringify(all) : "");
  }

  /** What an earlier visit of the same person has left. It counts as pending here from now on. */
  takeOver({ you, credentials }: Keeper): NewMessage[] {
    const imprint = imprintOf(credentials);
    const left = this.#read().filter(
      (kept) => !this.#own.has(kept.id) && (kept.sender ? kept.sender === you?.sender : kept.imprint === imprint),
    );
    for (const { id } of left) this.#own.add(id);
    return left.flatMap(({ id, content, replyTo, answer, since = Date.now() }) => {
      const parsed = parseSend({ id, content, replyTo });
      return isFault(parsed) ? [] : { ...parsed, answer, since };
    });
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

/**
 * Tells credentials from others without giving them away: 16 bits, from which nothing can be guessed. Two in a row are the
 * same person's unless they differ.
 */
function imprintOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials) return undefined;
  // A token is another each time: whose these are is known once the room has said a name.
  if ("token" in credentials) return randomId();
  let hash = 7;
  for (const character of JSON.stringify(credentials)) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return hash.toString(36);
}
