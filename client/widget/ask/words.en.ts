/** What is told of questions to people, in English: it comes with the messages, and not with every page. */

import type { Strings } from "../strings/en.ts";
import { plurals } from "../strings/plurals.ts";

const plural = plurals("en");

const words = {
  asks: (sender: string, text: string, options: string) => `${sender} asks: ${text} ${options}`,
  wanted: (count: number) => plural(count, { one: "A question for you", other: "# questions for you" }),
  options: "Answers",
  people: "People with a key can answer",
  anyone: "Anyone can answer",
  only: (names: string) => `${names} can answer`,
  left: (time: string) => `${time} left`,
  decided: "Decided:",
  nobody: "Nobody answered in time.",
  faster: (sender: string, option: string) => `${sender} was faster: ${option}`,
  somebody: "somebody",
};

export type AskWords = typeof words;

/** The words in the language of `strings`. */
export const askWords = ({ ask }: Strings): AskWords => ask ?? words;
