/**
 * The keys that one person has, kept by that person's Limiter: which are valid, and how one takes the place of another.
 *
 * D1 is where a change happens, in one statement. Before the statement is sent the ring notes on disk that what it knows is
 * in doubt, so that after a crash or a lost answer D1 is asked again and decides. Until D1 answers, what was valid goes on:
 * a change is told to the client only once the ring has it on disk. Changes come one after the other, and what needs D1
 * waits for its turn: an answer of D1 can't overwrite what was changed while it was under way.
 *
 * A rotation never leaves a person without a key that they hold:
 * - `swap` puts a key that the client has made, and so has already, in the place of the old one. Repeated with either key
 *   it has happened once.
 * - `offer` lets a key of the server's be valid beside the old one. The old one ends when the new one is first accepted,
 *   which shows that the client has it.
 */

import type { KeyValues } from "../limits/key-values.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { UNKNOWN_KEY } from "./key-directory.ts";
import type { KeyOwner, KeyTable } from "./key-table.ts";

export interface KeyRingDeps {
  /** The person's id. */
  readonly id: string;
  readonly table: Pick<KeyTable, "keysOf" | "swap" | "offer" | "promote" | "revoke">;
  readonly storage: KeyValues;
  /** ms since 1970. */
  now(): number;
  /** Writes the pointer from this hash to the person, for when D1 does not answer. */
  point(hash: string): Promise<void>;
  /**
   * Takes over what an earlier version has kept for the key with this hash. Gives whose it said that the key is, where it
   * knew. Done again it changes nothing.
   */
  inherit(hash: string): Promise<KeyOwner | "revoked" | undefined>;
  /** Counts a rotation; why there may not be one. */
  takeRotation(): Rotation | Fault;
  /** The key with this hash is over, or every key with `undefined`: whatever was opened with it is closed. */
  ended(hash: string | undefined): Promise<void>;
}

/** A rotation that was counted. */
export interface Rotation {
  /** It has not happened after all. */
  giveBack(): void;
}

interface Keys {
  readonly owner: KeyOwner;
  readonly current: string;
  /** Offered, and not accepted yet. */
  readonly next?: string | undefined;
}

/** A change that D1 was asked for last. Without `from` it is a revocation. */
interface Change {
  readonly from?: string;
  readonly to?: string;
}

/** How it lies in the storage, under `keys`. */
interface StoredRing {
  readonly version: 1;
  readonly keys: Keys | "revoked" | undefined;
  readonly isInDoubt: boolean;
  readonly change?: Change | undefined;
  /** The key that has its pointer. */
  readonly pointed?: string | undefined;
}

type End = (hash: string | undefined) => void;

const TAKEN = fault("conflict", "This keyHash can't be used: make another key.");

export class KeyRing {
  readonly #deps: KeyRingDeps;
  #keys: Keys | "revoked" | undefined;
  #change: Change | undefined;
  #pointed: string | undefined;
  /** There is nothing in the storage yet. */
  #isNew: boolean;
  /** D1 may have changed without an answer to say so. What is known holds until D1 answers. */
  #isInDoubt: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: KeyRingDeps) {
    this.#deps = deps;
    const stored = deps.storage.get<StoredRing>("keys");
    this.#isNew = stored === undefined;
    this.#keys = stored?.keys;
    this.#change = stored?.change;
    this.#pointed = stored?.pointed;
    this.#isInDoubt = stored?.isInDoubt ?? false;
  }

  /** Whether the key with this hash is known to be the person's. Asks nobody: `identify` may know better. */
  holds(hash: string): boolean {
    return this.#known?.current === hash;
  }

  get isRevoked(): boolean {
    return this.#keys === "revoked";
  }

  /** Accepts the key with this hash: gives whose it is, or `unauthorized`, or `unavailable` when only D1 could tell. */
  async identify(hash: string): Promise<KeyOwner | Fault> {
    if (this.isRevoked) return UNKNOWN_KEY;
    if (this.#isSure(hash)) return this.#owner;
    return this.#inTurn((end) => this.#accept(hash, end));
  }

  /** Puts the key `to` in the place of the one that is `presented`. Repeated with either of them it has happened once. */
  async swap(presented: string, to: string): Promise<KeyOwner | Fault> {
    return this.#inTurn((end) => this.#swap(presented, to, end));
  }

  /** Lets the key `next` be valid beside the one that is `presented`, which ends when `next` is first accepted. */
  async offer(presented: string, next: string): Promise<KeyOwner | Fault> {
    return this.#inTurn((end) => this.#offer(presented, next, end));
  }

  /** Ends every key of the person. If D1 does not answer, the keys go on. */
  async revoke(presented: string): Promise<Fault | undefined> {
    return this.#inTurn((end) => this.#revoke(presented, end));
  }

  async #accept(hash: string, end: End): Promise<KeyOwner | Fault> {
    if (this.#isSure(hash)) return this.#owner;
    if (this.#isNew && !this.#keys) {
      const refusal = await this.#inherit(hash);
      if (refusal) return refusal;
    }
    if (this.#isInDoubt || !this.#has(hash)) {
      const refusal = await this.#learn(end);
      // Without D1, what was known before goes on. A key that was not known then is only refused for sure without doubt.
      if (refusal && !this.#has(hash)) return this.#known && !this.#isInDoubt ? UNKNOWN_KEY : refusal;
    }
    if (!this.#has(hash)) return UNKNOWN_KEY;
    if (this.#known?.next === hash) {
      const refusal = await this.#promote(hash, end);
      if (refusal) return refusal;
    }
    await this.#point(hash);
    return this.#owner;
  }

  async #inherit(hash: string): Promise<Fault | undefined> {
    let inherited: KeyOwner | "revoked" | undefined;
    try {
      inherited = await this.#deps.inherit(hash);
    } catch (error) {
      return unavailable(error);
    }
    // Of that key alone: the person may have another by now.
    if (inherited === "revoked") return UNKNOWN_KEY;
    if (inherited?.id === this.#deps.id) this.#keys = { owner: inherited, current: hash };
    return undefined;
  }

  async #swap(presented: string, to: string, end: End): Promise<KeyOwner | Fault> {
    const owner = await this.#accept(presented, end);
    if (isFault(owner)) {
      const { from, to: last } = this.#change ?? {};
      const isRepeated = owner === UNKNOWN_KEY && from === presented && last === to && this.holds(to);
      return isRepeated ? this.#owner : owner;
    }
    if (this.holds(to)) return owner;
    const rotation = this.#deps.takeRotation();
    if (isFault(rotation)) return rotation;
    this.#doubt({ from: presented, to });
    try {
      if (!(await this.#deps.table.swap(owner.id, presented, to))) {
        rotation.giveBack();
        const refusal = await this.#learn(end);
        if (refusal) return refusal;
        return this.#has(presented) ? TAKEN : UNKNOWN_KEY;
      }
    } catch (error) {
      rotation.giveBack();
      return unavailable(error);
    }
    this.#settle({ owner, current: to });
    end(presented);
    return owner;
  }

  async #offer(presented: string, next: string, end: End): Promise<KeyOwner | Fault> {
    const owner = await this.#accept(presented, end);
    if (isFault(owner)) return owner;
    const rotation = this.#deps.takeRotation();
    if (isFault(rotation)) return rotation;
    try {
      // Nothing is forgotten before this: a key that the ring does not know yet is asked for in D1 when it is presented.
      if (!(await this.#deps.table.offer(owner.id, presented, next))) {
        rotation.giveBack();
        return (await this.#learn(end)) ?? UNKNOWN_KEY;
      }
    } catch (error) {
      rotation.giveBack();
      return unavailable(error);
    }
    this.#settle({ owner, current: presented, next });
    return owner;
  }

  /** The offered key is presented for the first time, so the client has it and the old one ends. */
  async #promote(next: string, end: End): Promise<Fault | undefined> {
    const { owner, current } = this.#known as Keys;
    this.#doubt({ from: current, to: next });
    try {
      if (!(await this.#deps.table.promote(owner.id, next))) {
        const refusal = await this.#learn(end);
        return refusal ?? (this.holds(next) ? undefined : UNKNOWN_KEY);
      }
    } catch (error) {
      return unavailable(error);
    }
    this.#settle({ owner, current: next });
    end(current);
    return undefined;
  }

  async #revoke(presented: string, end: End): Promise<Fault | undefined> {
    const owner = await this.#accept(presented, end);
    if (isFault(owner)) return owner;
    this.#doubt({});
    try {
      const at = new Date(this.#deps.now()).toISOString();
      if (!(await this.#deps.table.revoke(owner.id, presented, at))) {
        const refusal = await this.#learn(end);
        return refusal ?? (this.isRevoked ? undefined : UNKNOWN_KEY);
      }
    } catch (error) {
      return unavailable(error);
    }
    this.#settle("revoked");
    end(undefined);
    return undefined;
  }

  /** Asks D1 what is so. Why it is not known, if it is not. */
  async #learn(end: End): Promise<Fault | undefined> {
    try {
      const found = await this.#deps.table.keysOf(this.#deps.id);
      const wasInDoubt = this.#isInDoubt;
      if (!found) return UNKNOWN_KEY;
      if (found.revoked) {
        this.#settle("revoked");
        end(undefined);
        return undefined;
      }
      const { owner, current, next } = found;
      this.#settle({ owner, current, next });
      // The change happened, and what was opened with the old key may still be open.
      const from = this.#change?.from;
      if (wasInDoubt && from !== undefined && !this.#has(from)) end(from);
      return undefined;
    } catch (error) {
      return unavailable(error);
    }
  }

  /** D1 is about to change its mind about these keys: after a crash in between it must be asked again. */
  #doubt(change: Change): void {
    this.#change = change;
    this.#isInDoubt = true;
    this.#write();
  }

  #settle(keys: Keys | "revoked"): void {
    this.#keys = keys;
    this.#isInDoubt = false;
    this.#write();
  }

  async #point(hash: string): Promise<void> {
    // First of all whose it is: the first version's word for it goes with the pointer.
    if (this.#isNew) this.#write();
    if (this.#pointed === hash) return;
    try {
      await this.#deps.point(hash);
    } catch (error) {
      // Needed only while D1 does not answer: no reason to refuse a key that is valid. The next use tries again.
      logEvent("key.pointer_not_written", { error });
      return;
    }
    this.#pointed = hash;
    this.#write();
  }

  #write(): void {
    this.#isNew = false;
    this.#deps.storage.put<StoredRing>("keys", {
      version: 1,
      keys: this.#keys,
      isInDoubt: this.#isInDoubt,
      change: this.#change,
      pointed: this.#pointed,
    });
  }

  get #known(): Keys | undefined {
    return this.#keys === "revoked" ? undefined : this.#keys;
  }

  get #owner(): KeyOwner {
    return (this.#known as Keys).owner;
  }

  #has(hash: string): boolean {
    return this.#known?.current === hash || this.#known?.next === hash;
  }

  /** Whether a key is accepted without a question or anything left to do. */
  #isSure(hash: string): boolean {
    return this.holds(hash) && !this.#isInDoubt && this.#pointed === hash;
  }

  /** Does `work` after what came before it; then tells of the keys that ended by it. */
  async #inTurn<T>(work: (end: End) => Promise<T>): Promise<T> {
    const ended: (string | undefined)[] = [];
    const mine = this.#turn.then(() => work((hash) => void ended.push(hash)));
    this.#turn = mine.catch(() => undefined);
    const result = await mine;
    await Promise.all(ended.map((hash) => this.#deps.ended(hash)));
    return result;
  }
}

function unavailable(error: unknown): Fault {
  logEvent("key.unavailable", { error });
  return fault("unavailable", "Keys can't be checked at the moment.", 5);
}
