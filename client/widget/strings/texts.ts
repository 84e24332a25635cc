/** What one element says: the texts of the language around it, with its page's own in place of some. */

import { languageAround } from "./language.ts";
import { en, loadStrings, type Strings, withOwn } from "./strings.ts";

export class Texts {
  current: Strings = en;
  readonly #changed: () => void;
  #own: Partial<Strings> | undefined;
  #language = en;
  /** The language that was asked for last. */
  #loading: Promise<Strings> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get own(): Partial<Strings> | undefined {
    return this.#own;
  }

  set own(strings: Partial<Strings> | undefined) {
    this.current = withOwn(this.#language, strings);
    this.#own = strings;
    this.#changed();
  }

  /** Takes those of the language around `element`; of several that were asked for, the last, whichever comes first. */
  async follow(element: HTMLElement): Promise<void> {
    const loading = loadStrings(languageAround(element) || navigator.language);
    this.#loading = loading;
    const language = await loading;
    if (loading !== this.#loading) return;
    this.#language = language;
    this.own = this.#own;
  }
}
