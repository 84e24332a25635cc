/**
 * How far a long command is. On a terminal one line is written over, with a bar where the end is known. Elsewhere there is
 * a line for each tenth of the way, or, where the end is not known, one now and then.
 */

/** On a terminal so often, ms, and elsewhere so often. */
const SHOWN_EVERY = { terminal: 100, elsewhere: 10_000 };
/** Characters of the bar. */
const WIDTH = 30;

/** Where it is shown: of `process.stdout`. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  readonly #output: Output;
  readonly #now: () => number;
  #shownAt: number;
  #isOpen = false;
  #tenth = 0;

  /** `now` in ms. */
  constructor(output: Output = process.stdout, now: () => number = Date.now) {
    this.#output = output;
    this.#now = now;
    this.#shownAt = now();
  }

  /** Shows `line` when it is time, and with it which part of all is done, from 0 to 1, where that is known. */
  show(line: () => string, part?: number): void {
    if (this.#output.isTTY) this.#draw(line, part);
    else if (part === undefined) this.#tellSometimes(line);
    else this.#tellTenth(line, part);
  }

  /** What was shown is over: the next line begins at the margin. */
  end(): void {
    if (this.#isOpen) this.#output.write("\r\u001b[K");
    [this.#isOpen, this.#tenth] = [false, 0];
  }

  #draw(line: () => string, part: number | undefined): void {
    if (!this.#isTime(SHOWN_EVERY.terminal)) return;
    this.#isOpen = true;
    const text = part === undefined ? line() : `${line()} ${barOf(part)} ${percent(part)}`;
    this.#output.write(`\r\u001b[K${text.slice(0, (this.#output.columns || 80) - 1)}`);
  }

  #tellSometimes(line: () => string): void {
    if (this.#isTime(SHOWN_EVERY.elsewhere)) this.#output.write(`${line()}\n`);
  }

  #tellTenth(line: () => string, part: number): void {
    const tenth = Math.floor(Math.min(1, part) * 10);
    if (tenth === this.#tenth) return;
    this.#tenth = tenth;
    this.#output.write(`${line()}: ${percent(tenth / 10)}\n`);
  }

  #isTime(every: number): boolean {
    const now = this.#now();
    if (now - this.#shownAt < every) return false;
    this.#shownAt = now;
    return true;
  }
}

/** Which part `done` of `all` is. All of nothing is done. */
export const partOf = (done: number, all: number): number => (all > 0 ? Math.min(1, done / all) : 1);

const percent = (part: number): string => `${Math.floor(Math.min(1, part) * 100 + 1e-9)} %`;

function barOf(part: number): string {
  const filled = Math.round(Math.min(1, part) * WIDTH);
  return `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}`;
}

/** A number with its digits in groups. */
export const shown = (count: number): string => count.toLocaleString("en-US");

/** `3 rooms`, `1 room`. */
export const counted = (count: number, what: string): string => `${shown(count)} ${what}${count === 1 ? "" : "s"}`;
