/** A message as it is stored, in the room and in D1, and as clients see it. */

import { askContent, readAsk, termsOf, toAsk, visibleText } from "../asks/ask.ts";
import type { AskClosed, Message, MessageKind, Seq } from "../protocol.ts";

/**
 * What an entry of the log is. For clients an ask and an answer are texts with a field more; `asks/ask.ts` says how they
 * are stored.
 */
export type StoredKind = MessageKind | "ask" | `answer:${string}`;

/**
 * A message that has no place in the order yet. `ref` is what it answers (`text`, `ask`, `answer:…`), deletes (`deletion`),
 * ends (`expiry`), or up to where it erases (`erasure`); the content of an `erasure` is the name of the sender who is
 * erased.
 */
export interface Unplaced {
  readonly id: string;
  readonly kind: StoredKind;
  readonly sender: string;
  readonly content: string;
  readonly ref: Seq | null;
}

/** A message with its place; `at` in ms since 1970. */
export interface StoredMessage extends Unplaced {
  readonly seq: Seq;
  readonly at: number;
  /** Of an ask: what has closed it. It is read of the entry that has. */
  readonly closed?: AskClosed;
}

const ANSWER = "answer:";

/** The kind of an answer that chooses `option`. */
export const answerKind = (option: string): StoredKind => `${ANSWER}${option}`;

/** The option that an answer chooses; `undefined` of any other entry. */
export const chosenBy = (kind: StoredKind): string | undefined =>
  kind.startsWith(ANSWER) ? kind.slice(ANSWER.length) : undefined;

/** Whether an entry is something that its sender has said, and not something that was done. */
export const isSaid = (kind: StoredKind): boolean => kind === "text" || kind === "ask" || kind.startsWith(ANSWER);

/** Whether it is an ask that was neither deleted nor erased. */
export const isLiveAsk = ({ kind, content }: Pick<StoredMessage, "kind" | "content">): boolean =>
  kind === "ask" && content !== "";

/** What people read of it. */
export const textOf = ({ kind, content }: Pick<StoredMessage, "kind" | "content">): string =>
  kind === "ask" && content !== "" ? visibleText(content) : content;

/** Its content as clients see it: of an ask the question alone. */
export const contentOf = ({ kind, content }: Pick<StoredMessage, "kind" | "content">): string =>
  kind === "ask" && content !== "" ? readAsk(content).question : content;

/** What clients see of a stored message. An empty text can't be sent, so an empty one has been deleted. */
export function toMessage({ seq, id, kind, sender, content, ref, at, closed }: StoredMessage): Message {
  const createdAt = new Date(at).toISOString();
  if (kind === "erasure") {
    const upTo = ref === null ? {} : { upTo: ref };
    return { seq, id, kind, sender, content: "", createdAt, ...upTo, erased: content };
  }
  if (kind === "deletion" || kind === "expiry") {
    // Clients that know no expiry take every entry with a target for a deletion, and would show the ask as deleted.
    const about = kind === "deletion" ? { target: ref ?? 0 } : { replyTo: ref ?? 0 };
    return { seq, id, kind, sender, content, createdAt, ...(ref !== null && about) };
  }
  const option = chosenBy(kind);
  const asked = kind === "ask" && content !== "" ? readAsk(content) : undefined;
  return {
    seq,
    id,
    kind: "text",
    sender,
    content: asked ? asked.question : content,
    createdAt,
    ...(ref !== null && { replyTo: ref }),
    ...(content === "" && { deleted: true as const }),
    ...(asked && { ask: toAsk(asked.terms, at, closed) }),
    ...(option !== undefined && ref !== null && { answer: { target: ref, option } }),
  };
}

/** The same message, as it is stored. Of an ask that was deleted nothing says that it was one. */
export function fromMessage(message: Message): StoredMessage {
  const { seq, id, kind, sender, content, createdAt, replyTo, target, erased, upTo, ask, answer } = message;
  const stored = { seq, id, kind, sender, content: erased ?? content, ref: replyTo ?? target ?? upTo ?? null };
  const at = Date.parse(createdAt);
  if (answer) return { ...stored, kind: answerKind(answer.option), ref: answer.target, at };
  if (ask) return { ...stored, kind: "ask", content: askContent(content, termsOf(ask, at)), at };
  return { ...stored, at };
}
