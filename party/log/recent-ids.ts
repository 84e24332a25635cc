/**
 * Which (sender, id) pairs the last few thousand messages carry: what makes a retry free (promise 3,
 * docs/guarantees.md).
 *
 * An index in SQLite would cost one more row written for each message. So the pairs are kept in memory as one number
 * each, by seq. A number only nominates: the message itself decides, so a collision costs a look-up and nothing else.
 * The numbers outlive a restart as one blob, because reading thousands of rows at each wake would not be free.
 */

import type { Seq } from "../protocol.ts";

/** At least this many of the newest messages are recognised. */
export const RECENT = 4096;

/** The form of a dump. Negative, so that no seq is taken for it: the first form had no version and began with a seq. */
const DUMP_VERSION = -2;

/** In the place of a message whose pair is not known. No pair has this number. */
const UNKNOWN = -1;

/** Two random 32-bit numbers. */
export type Seed = readonly [number, number];

export class RecentIds {
  /** The numbers of the messages `#first` … `#first + #numbers.length - 1`. */
  #numbers: number[] = [];
  #first: Seq = 1;
  readonly #seqs = new Map<number, Seq | Seq[]>();
  readonly #seed: Seed;

  /**
   * An empty one. The `seed` goes into every number and travels with the dump. It is random, because ids are public and
   * chosen by clients: with known numbers a client could give thousands of messages the same one, and make each look-up
   * slow.
   */
  constructor(seed: Seed = randomSeed()) {
    this.#seed = seed;
  }

  /**
   * What `dump` wrote, as far as `upTo`; `undefined` when `dump` is of another form, and must be built from the messages
   * instead.
   */
  static from(dump: ArrayBuffer, upTo: Seq = Number.POSITIVE_INFINITY): RecentIds | undefined {
    if (dump.byteLength % 8 !== 0) return undefined;
    const [version, seedA, seedB, first, ...numbers] = new Float64Array(dump);
    if (version !== DUMP_VERSION || seedA === undefined || seedB === undefined || first === undefined) return undefined;
    const recent = new RecentIds([seedA, seedB]);
    for (const [index, number] of numbers.entries()) if (first + index <= upTo) recent.#push(first + index, number);
    return recent;
  }

  /** The newest seq that is in here; 0 before any. */
  get last(): Seq {
    return this.#numbers.length === 0 ? 0 : this.#first + this.#numbers.length - 1;
  }

  /**
   * Adds the message `seq`, which must be the one after `last`; the first of all may have any seq.
   *
   * Throws a `RangeError` for any other: from there on each pair would be kept under a wrong seq, and retries would be
   * stored twice.
   */
  add(seq: Seq, sender: string, id: string): void {
    this.#push(seq, pairNumber(this.#seed, sender, id));
  }

  /** Notes that the pairs from `last + 1` up to `seq` are not known, because no store has these messages any more. */
  passOver(seq: Seq): void {
    if (this.#numbers.length === 0) return;
    if (seq - this.last >= RECENT) {
      // Nothing that is in here will be among the newest.
      this.#numbers = [];
      this.#seqs.clear();
    } else while (this.last < seq) this.#push(this.last + 1, UNKNOWN);
  }

  /** Notes the pairs of older messages, where they belong to the newest `RECENT` and are not known. Whether any did. */
  learn(pairs: readonly { readonly seq: Seq; readonly sender: string; readonly id: string }[]): boolean {
    const { last } = this;
    const isUnknown = (seq: Seq) => seq < this.#first || this.#numbers[seq - this.#first] === UNKNOWN;
    const added = pairs.filter(({ seq }) => seq > last - RECENT && seq <= last && isUnknown(seq));
    if (added.length === 0) return false;
    const numbers = new Map(this.#numbers.map((number, index) => [this.#first + index, number]));
    for (const { seq, sender, id } of added) numbers.set(seq, pairNumber(this.#seed, sender, id));
    const first = Math.min(this.#first, ...added.map(({ seq }) => seq));
    this.#numbers = [];
    this.#seqs.clear();
    for (let seq = first; seq <= last; seq++) this.#push(seq, numbers.get(seq) ?? UNKNOWN);
    return true;
  }

  /** The seqs, newest first, that may be the message `id` of `sender`. Nearly always none or the one. */
  candidates(sender: string, id: string): readonly Seq[] {
    const found = this.#seqs.get(pairNumber(this.#seed, sender, id));
    if (found === undefined) return [];
    return typeof found === "number" ? [found] : found.toReversed();
  }

  /** The newest `RECENT` numbers up to `upTo` as bytes, for `from`. */
  dump(upTo: Seq = this.last): ArrayBuffer {
    const end = Math.max(0, this.#numbers.length - Math.max(0, this.last - upTo));
    const kept = this.#numbers.slice(Math.max(0, end - RECENT), end);
    const head = [DUMP_VERSION, ...this.#seed, this.#first + end - kept.length];
    const dump = new Float64Array(head.length + kept.length);
    dump.set(head);
    dump.set(kept, head.length);
    return dump.buffer;
  }

  #push(seq: Seq, number: number): void {
    if (this.#numbers.length === 0) this.#first = seq;
    else if (seq !== this.last + 1) throw new RangeError(`Message ${seq} does not follow ${this.last}.`);
    this.#numbers.push(number);
    if (number !== UNKNOWN) this.#note(number, seq);
    // In bulk, so that forgetting costs next to nothing a message.
    if (this.#numbers.length >= 2 * RECENT) this.#forgetOldest(RECENT);
  }

  #note(number: number, seq: Seq): void {
    const known = this.#seqs.get(number);
    if (known === undefined) this.#seqs.set(number, seq);
    else this.#seqs.set(number, typeof known === "number" ? [known, seq] : [...known, seq]);
  }

  #forgetOldest(count: number): void {
    for (let index = 0; index < count; index++) {
      const number = this.#numbers[index] as number;
      const known = this.#seqs.get(number);
      const left = Array.isArray(known) ? known.filter((seq) => seq !== this.#first + index) : [];
      if (left.length === 0) this.#seqs.delete(number);
      else this.#seqs.set(number, left);
    }
    this.#numbers = this.#numbers.slice(count);
    this.#first += count;
  }
}

function randomSeed(): Seed {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  return [a as number, b as number];
}

/** A 53-bit number of a pair: two multiply-and-rotate lanes that begin with the seed, mixed at the end. */
function pairNumber(seed: Seed, sender: string, id: string): number {
  let a = 0x9e3779b9 ^ seed[0];
  let b = 0x85ebca6b ^ seed[1];
  const text = `${sender} ${id}`;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x5bd1e995);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ unit, 0x1b873593);
    b = (b << 17) | (b >>> 15);
  }
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d) ^ Math.imul(b ^ (b >>> 15), 0x846ca68b);
  b = Math.imul(b ^ (b >>> 16), 0x7feb352d) ^ Math.imul(a ^ (a >>> 15), 0x846ca68b);
  return (b >>> 0) * 0x200000 + (a >>> 11);
}
