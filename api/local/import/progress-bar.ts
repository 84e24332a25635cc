/** How far a long command is: a bar on a terminal, a line for each tenth elsewhere. */

const WIDTH = 30;

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class ProgressBar {
  readonly #output: Output;
  #shown = "";
  #tenth = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** `done` of `all` of `what` are dealt with. */
  show(what: string, done: number, all: number): void {
    const part = all > 0 ? Math.min(1, done / all) : 1;
    if (this.#output.isTTY) this.#draw(what, part);
    else this.#tell(what, part);
  }

  /** What was shown is over: the next line begins at the margin. */
  end(): void {
    if (this.#output.isTTY && this.#shown !== "") this.#output.write("\r\u001b[K");
    [this.#shown, this.#tenth] = ["", 0];
  }

  #tell(what: string, part: number): void {
    const tenth = Math.floor(part * 10);
    const line = `${what}: ${tenth * 10} %`;
    if (line === this.#shown || tenth === this.#tenth) return;
    [this.#shown, this.#tenth] = [line, tenth];
    this.#output.write(`${line}\n`);
  }

  #draw(what: string, part: number): void {
    const filled = Math.round(part * WIDTH);
    const bar = `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}`;
    const line = `${what} ${bar} ${Math.floor(part * 100)} %`;
    if (line !== this.#shown) this.#output.write(`\r\u001b[K${line}`);
    this.#shown = line;
  }
}
