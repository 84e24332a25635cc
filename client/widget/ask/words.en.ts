/** What is told of questions to people in English, but for their cards: it comes with the messages, and not with every page. */

import type { Strings } from "../strings/en.ts";
import { plurals } from "../strings/plurals.ts";

const plural = plurals("en");

const words = {
  asks: (sender: string, text: string, options: string) => `${sender} asks: ${text} ${options}`,
  wanted: (count: number) => plural(count, { one: "A question for you", other: "# questions for you" }),
};

export type AskWords = typeof words;

/** The words in the language of `strings`. */
export const askWords = ({ ask }: Strings): AskWords => ask ?? words;
