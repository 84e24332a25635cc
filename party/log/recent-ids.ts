/**
 * Which (sender, id) pairs the last few thousand messages carry: what makes a retry free (promise 3).
 *
 * An index in SQLite would cost one more row written for each message; so the pairs are kept in memory as one number
 * each, by seq. A number only nominates: the journal's row decides, so a collision costs a look-up and nothing else.
 * The numbers travel through a restart as one blob, because reading thousands of rows at each wake would not be free.
 */

import type { Seq } from "../protocol.ts";

/** At least this many of the newest messages are recognised. */
export const RECENT = 4096;

export class RecentIds {
  /** The numbers of the messages `#first` … `#first + #numbers.length - 1`. */
  #numbers: number[] = [];
  #first: Seq = 1;
  readonly #seqs = new Map<number, Seq | Seq[]>();

  /** The newest seq that is in here; 0 before any. */
  get last(): Seq {
    return this.#first + this.#numbers.length - 1;
  }

  /** Adds the message `seq`, the one after `last`; the first of all may have any seq. */
  add(seq: Seq, sender: string, id: string): void {
    this.#push(seq, pairNumber(sender, id));
  }

  /** The seqs, newest first, that may be the message `id` of `sender`. Nearly always none or the one. */
  candidates(sender: string, id: string): readonly Seq[] {
    const found = this.#seqs.get(pairNumber(sender, id));
    if (found === undefined) return [];
    return typeof found === "number" ? [found] : found.toReversed();
  }

  /** The newest `RECENT` numbers as bytes, for `load`. */
  dump(): ArrayBuffer {
    const kept = this.#numbers.slice(-RECENT);
    const dump = new Float64Array(kept.length + 1);
    dump[0] = this.last - kept.length + 1;
    dump.set(kept, 1);
    return dump.buffer;
  }

  /** Takes up what an earlier `dump` wrote. */
  load(dump: ArrayBuffer): void {
    const [first, ...numbers] = new Float64Array(dump);
    if (first === undefined) return;
    for (const [index, number] of numbers.entries()) this.#push(first + index, number);
  }

  #push(seq: Seq, number: number): void {
    if (this.#numbers.length === 0) this.#first = seq;
    this.#numbers.push(number);
    const known = this.#seqs.get(number);
    if (known === undefined) this.#seqs.set(number, seq);
    else this.#seqs.set(number, typeof known === "number" ? [known, seq] : [...known, seq]);
    // In bulk, so that forgetting costs next to nothing a message.
    if (this.#numbers.length >= 2 * RECENT) this.#forgetOldest(RECENT);
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

/** A 53-bit number of a pair: two multiply-and-rotate lanes, mixed at the end. Fast, and not meant to resist an attacker. */
function pairNumber(sender: string, id: string): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
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
