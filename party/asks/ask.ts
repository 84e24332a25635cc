/**
 * An ask as the room keeps it. In the log it is an entry of the kind `ask`, whose content is JSON of the question and of
 * what may be answered by whom. An answer is one of the kind `answer:<option>`: which option was chosen outlives the words
 * of both, so that a decision stays what it was.
 */

import { ASK_OPEN, type Ask, type AskClosed, type AskOption, type Message, type Seq } from "../protocol.ts";
import type { HeldAsk } from "../room-rpc.ts";

/** The version of an ask's stored form, as its `v` has it. */
const FORM = 1;

/** What may be answered, and by whom, as who asks has said it. */
export interface AskTerms {
  readonly options: readonly AskOption[];
  readonly from: "people" | readonly string[];
  readonly guests?: true;
  /** ISO 8601; absent: `ASK_OPEN.usual` from when the ask gets its place. */
  readonly until?: string;
}

/** An ask that is open. */
export interface OpenAsk extends Omit<AskTerms, "until"> {
  readonly seq: Seq;
  /** Who asks. */
  readonly sender: string;
  /** ms since 1970: nobody can answer from then on. */
  readonly until: number;
}

/** What has closed an ask. */
export interface Closing {
  /** The ask. */
  readonly ask: Seq;
  readonly by: AskClosed;
}

/** The content of the log's entry. The same terms give the same text, so that a retry is recognised by it. */
export function askContent(question: string, terms: AskTerms): string {
  return JSON.stringify({ v: FORM, question, ...ordered(terms) });
}

/** What the content of an entry says. Throws for a form that this server does not know. */
export function readAsk(content: string): { readonly question: string; readonly terms: AskTerms } {
  const { v, question, ...terms } = JSON.parse(content) as AskTerms & { v: number; question: string };
  if (v !== FORM) throw new Error(`An ask has form ${v}, and this server knows form ${FORM}.`);
  return { question, terms };
}

/**
 * Whether two contents ask the same. Until when is left out: a program that asks again after a restart counts its time from
 * then, and means the ask that it has made.
 */
export function asksTheSame(content: string, other: string): boolean {
  const [one, two] = [readAsk(content), readAsk(other)];
  return one.question === two.question && termsText(one.terms) === termsText(two.terms);
}

/** Until when an ask that got its place at `at` is open. Both in ms since 1970. */
export const openUntil = ({ until }: Pick<AskTerms, "until">, at: number): number =>
  until === undefined ? at + ASK_OPEN.usual : Date.parse(until);

/** What people read of an ask: its question and the labels. What is looked at before others see it. */
export const visibleText = (content: string): string => {
  const { question, terms } = readAsk(content);
  return [question, ...terms.options.map(({ label }) => label)].join("\n");
};

/** An ask as clients see it. */
export function toAsk(terms: AskTerms, at: number, closed: AskClosed | undefined): Ask {
  const { options, from, guests } = terms;
  return {
    options: options.map(({ id, label }) => ({ id, label })),
    from: from === "people" ? from : [...from],
    ...(guests && { guests }),
    until: new Date(openUntil(terms, at)).toISOString(),
    ...(closed && { closed }),
  };
}

/** An ask that waits for a moderator. */
export function toHeldAsk(terms: AskTerms): HeldAsk {
  const { until: _, ...ask } = toAsk(terms, 0, undefined);
  return { ...ask, ...(terms.until !== undefined && { until: terms.until }) };
}

/** The terms of an ask as clients see it, which got its place at `at`, ms since 1970. */
export function termsOf({ options, from, guests, until }: Ask, at: number): AskTerms {
  const isUsual = Date.parse(until) === at + ASK_OPEN.usual;
  return { options, from, ...(guests && { guests }), ...(!isUsual && { until }) };
}

/** Whose names stand in a message: its sender, whom it asks, and who has answered it. */
export const peopleIn = ({ sender, ask }: Pick<Message, "sender" | "ask">): string[] => {
  const asked = ask && ask.from !== "people" ? ask.from : [];
  return [sender, ...asked, ...(ask?.closed && "by" in ask.closed ? [ask.closed.by] : [])];
};

/** What keeps an ask's terms while it is open, beside its place, its sender and its time. */
export const termsText = ({ options, from, guests }: Omit<AskTerms, "until">): string =>
  JSON.stringify({ v: FORM, ...ordered({ options, from, ...(guests && { guests }) }) });

/** The terms of such a text. */
export function readTerms(text: string): Omit<AskTerms, "until"> {
  const { v, ...terms } = JSON.parse(text) as Omit<AskTerms, "until"> & { v: number };
  if (v !== FORM) throw new Error(`An open ask has form ${v}, and this server knows form ${FORM}.`);
  return terms;
}

function ordered({ options, from, guests, until }: AskTerms): AskTerms {
  return {
    options: options.map(({ id, label }) => ({ id, label })),
    from,
    ...(guests && { guests }),
    ...(until !== undefined && { until }),
  };
}
