/** What the card of a question says in English: it comes with the first card. */

import type { Strings } from "../strings/en.ts";

const words = {
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

export type CardWords = typeof words;

/** The words in the language of `strings`. */
export const cardWords = ({ ask }: Strings): CardWords => ask ?? words;
