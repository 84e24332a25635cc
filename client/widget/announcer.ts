/**
 * What a screen reader says of the log: each finished message of somebody else once, politely. A burst is summed up, so
 * that nobody listens for a minute to what took a second.
 */

const GATHER = 400;
const SPOKEN = 3;

export interface AnnouncerDeps {
  say(text: string): void;
  /** What is said instead of `count` messages. */
  sum(count: number): string;
}

export class Announcer {
  readonly #deps: AnnouncerDeps;
  #texts: (() => string)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
  }

  /** A message has come. `text` is asked for what to say of it, unless it is only counted. */
  add(text: () => string): void {
    this.#texts.push(text);
    this.#timer ??= setTimeout(() => this.#speak(), GATHER);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#texts = [];
  }

  #speak(): void {
    const texts = this.#texts;
    this.#texts = [];
    this.#timer = undefined;
    this.#deps.say(texts.length > SPOKEN ? this.#deps.sum(texts.length) : texts.map((text) => text()).join("\n"));
  }
}
