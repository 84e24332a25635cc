/** How far a command is: one line that is written over on a terminal, and elsewhere a line now and then. */

/** On a terminal so often, ms, and elsewhere so often. */
const SHOWN_EVERY = { terminal: 100, elsewhere: 10_000 };

export class Progress {
  readonly #isTerminal = process.stdout.isTTY === true;
  #shownAt = Date.now();
  #isOpen = false;

  /** Shows `line`, unless another was shown a moment ago. */
  show(line: () => string): void {
    const now = Date.now();
    if (now - this.#shownAt < SHOWN_EVERY[this.#isTerminal ? "terminal" : "elsewhere"]) return;
    this.#shownAt = now;
    this.#isOpen = this.#isTerminal;
    if (this.#isTerminal) process.stdout.write(`\r\x1b[K${line().slice(0, (process.stdout.columns || 80) - 1)}`);
    else console.log(line());
  }

  /** Takes the line away, where it is one that is written over. */
  clear(): void {
    if (this.#isOpen) process.stdout.write("\r\x1b[K");
    this.#isOpen = false;
  }
}

/** A number with its digits in groups. */
export const shown = (count: number): string => count.toLocaleString("en-US");

/** `3 rooms`, `1 room`. */
export const counted = (count: number, what: string): string => `${shown(count)} ${what}${count === 1 ? "" : "s"}`;
