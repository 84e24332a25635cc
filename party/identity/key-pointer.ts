/**
 * What the object of one key (`key:<SHA-256>`) keeps: to which person the key leads. It is written when the person's
 * Limiter first accepts the key, and read only while D1 does not answer.
 *
 * In the first version this object was the key's Limiter. What it kept as that, the person's Limiter takes over from here.
 */

import type { KeyValues } from "../limits/key-values.ts";
import type { WindowGrants } from "../limits/sliding-window.ts";
import type { Fault } from "../protocol.ts";
import { UNKNOWN_KEY } from "./key-directory.ts";
import type { KeyOwner } from "./key-table.ts";

/** What the first version kept for a key. */
export interface FirstVersion {
  readonly owner: KeyOwner | "revoked" | undefined;
  readonly messages: WindowGrants;
  readonly dailyRooms: WindowGrants;
  /** Rooms in which sockets were opened with the key. */
  readonly rooms: readonly string[];
  /** ms since 1970. */
  readonly lastUsed: number;
}

interface StoredPointer {
  readonly version: 1;
  readonly person: string;
}

export class KeyPointer {
  readonly #storage: KeyValues;

  constructor(storage: KeyValues) {
    this.#storage = storage;
  }

  /** The person's id; a refusal when the key was revoked in the first version; `undefined` when nothing is known. */
  person(): string | Fault | undefined {
    const pointer = this.#storage.get<StoredPointer>("pointer");
    if (pointer) return pointer.person;
    const owner = this.#storage.get<KeyOwner | "revoked">("owner");
    return owner === "revoked" ? UNKNOWN_KEY : owner?.id;
  }

  /** What the first version kept here; `undefined` when it kept nothing, or the person's Limiter has it already. */
  firstVersion(): FirstVersion | undefined {
    const get = <T>(key: string) => this.#storage.get<T>(key);
    const owner = get<KeyOwner | "revoked">("owner");
    const [messages, dailyRooms] = [get<WindowGrants>("messages"), get<WindowGrants>("daily:rooms")];
    const [rooms, lastUsed] = [get<string[]>("rooms"), get<number>("lastUsed")];
    if ([owner, messages, dailyRooms, rooms, lastUsed].every((entry) => entry === undefined)) return undefined;
    return {
      owner,
      messages: messages ?? [],
      dailyRooms: dailyRooms ?? [],
      rooms: rooms ?? [],
      lastUsed: lastUsed ?? 0,
    };
  }

  /** Points to the person, whose Limiter now has what the first version kept here. */
  point(person: string): void {
    this.#storage.put<StoredPointer>("pointer", { version: 1, person });
    for (const entry of ["owner", "messages", "daily:rooms", "rooms", "lastUsed"]) this.#storage.delete(entry);
  }
}
