/**
 * What a screen reader says of the log: each finished message by others once, politely. A burst is summed up, so that the
 * person does not listen for a minute to what took a second.
 */

import type { Message } from "../../../party/protocol.ts";
import { askWords } from "../ask/words.en.ts";
import { words } from "../prose/words.ts";
import type { Strings } from "../strings/strings.ts";

/** Messages are gathered for this long, ms. */
const GATHERED_FOR = 400;
/** More messages than these are only counted. */
const MOST_MESSAGES = 3;
/** Characters of a message of which the words are read out. */
const MOST_CHARACTERS = 300;

export interface AnnouncerDeps {
  say(text: string): void;
  strings(): Strings;
}

export class Announcer {
  readonly #deps: AnnouncerDeps;
  #messages: Message[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
  }

  /** A message has come. */
  add(message: Message): void {
    this.#messages.push(message);
    this.#timer ??= setTimeout(() => this.#speak(), GATHERED_FOR);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#messages = [];
  }

  #speak(): void {
    const messages = this.#messages;
    this.stop();
    const strings = this.#deps.strings();
    this.#deps.say(
      messages.length > MOST_MESSAGES
        ? strings.newMessages(messages.length)
        : messages.map((message) => sentence(message, strings)).join("\n"),
    );
  }
}

/** A question to people is told with the answers that it offers. */
function sentence({ sender, content, ask }: Message, strings: Strings): string {
  if (!ask) return strings.said(sender, spoken(content));
  const options = ask.options.map(({ label }) => label).join(", ");
  return askWords(strings).asks(sender, spoken(content), options);
}

function spoken(content: string): string {
  return words(content.slice(0, MOST_CHARACTERS));
}
