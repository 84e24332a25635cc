/** Client addresses, one after the other, so that a crowd is not taken for one visitor. */

/** Addresses of one process: those of 10.0.0.0/8, which no client of a public server has. */
export class Addresses {
  #next = 1;

  /** An address that has not been given out yet. */
  next(): string {
    const number = this.#next++;
    return `10.${(number >> 16) & 0xff}.${(number >> 8) & 0xff}.${number & 0xff}`;
  }
}
