/** An erasure: one entry of the log, by which everything that a sender has said up to a seq is gone. What is left of it. */

import { type Seq, takesSender } from "../protocol.ts";
import { chosenBy, isSaid, type StoredMessage } from "./stored-message.ts";

export interface Erasure {
  /** Its own place in the log. */
  readonly seq: Seq;
  /** The last message that it may take. */
  readonly upTo: Seq;
  /** Whose messages it takes. A person's agents' are among them. */
  readonly sender: string;
}

/** What of a message an erasure changes, or depends on. */
type Erasable = Pick<StoredMessage, "seq" | "id" | "kind" | "sender" | "content" | "ref" | "closed">;

/** The erasures among `messages`. */
export function erasuresIn(messages: readonly Erasable[]): Erasure[] {
  return messages.flatMap(({ seq, kind, content, ref }) =>
    kind === "erasure" && ref !== null ? [{ seq, upTo: ref, sender: content }] : [],
  );
}

/** Whether `erasure` takes a message. */
export const takes = ({ upTo, sender }: Erasure, message: Pick<StoredMessage, "seq" | "sender">): boolean =>
  message.seq <= upTo && takesSender(sender, message.sender);

/** Whether it is what an erasure has left. */
export const isTombstone = ({ sender }: Pick<StoredMessage, "sender">): boolean => sender === "";

/**
 * What an erasure leaves of a message: its place and its time. The id was chosen by the sender, so it goes, too. A deletion
 * keeps what it deletes, an erasure whom it has erased, an answer what it has decided, and an expiry what has ended: they go
 * on taking effect.
 */
export function tombstone<Message extends Erasable>(message: Message): Message {
  const { seq, kind, ref } = message;
  if (!isSaid(kind)) return { ...message, sender: "" };
  const left = chosenBy(kind) === undefined ? null : ref;
  return { ...withoutClosing(message), id: `erased:${seq}`, sender: "", content: "", ref: left };
}

/** A message without what has closed it: what has no words is no ask any more. */
export function withoutClosing<Message extends Pick<StoredMessage, "closed">>(message: Message): Message {
  const { closed: _, ...left } = message;
  return left as Message;
}

/** A message as it is after `erasures`. */
export function withErasures<Message extends Erasable>(message: Message, erasures: readonly Erasure[]): Message {
  if (erasures.some((erasure) => takes(erasure, message))) return tombstone(message);
  const { closed } = message;
  const isTaken =
    closed && "by" in closed && erasures.some((erasure) => takes(erasure, { seq: closed.seq, sender: closed.by }));
  return isTaken ? { ...message, closed: { ...closed, by: "" } } : message;
}

/** Who has written `messages`, each once. What was erased was written by nobody, and an erasure is nothing that is said. */
export const sendersOf = (messages: readonly Pick<StoredMessage, "kind" | "sender">[]): string[] => {
  const said = messages.filter((message) => message.kind !== "erasure" && !isTombstone(message));
  return [...new Set(said.map(({ sender }) => sender))];
};

/** The same as `takesSender` in SQL, of the column `who`; its parameters, from this one on, are `takenNames`. */
export const isTaken = (first: number, who = "sender"): string =>
  `(${who} = ?${first} OR (${who} > ?${first + 1} AND ${who} < ?${first + 2}))`;

/** An agent's name begins with their person's and `/`, and `0` comes after that. */
export const takenNames = (sender: string): string[] => [sender, `${sender}/`, `${sender}0`];
