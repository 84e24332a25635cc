/** A message as it is stored, in the room and in D1, and as clients see it. */

import type { Message, MessageKind, Seq } from "../protocol.ts";

/**
 * A message that has no place in the order yet. `ref` is what it answers (`text`), deletes (`deletion`), or up to where it
 * erases (`erasure`); the content of an `erasure` is the name of the sender who is erased.
 */
export interface Unplaced {
  readonly id: string;
  readonly kind: MessageKind;
  readonly sender: string;
  readonly content: string;
  readonly ref: Seq | null;
}

/** A message with its place; `at` in ms since 1970. */
export interface StoredMessage extends Unplaced {
  readonly seq: Seq;
  readonly at: number;
}

/** The columns of a message in the room's SQLite. */
export const MESSAGE_COLUMNS = "seq, id, kind, sender, content, ref, at";

/** A message as the room's SQLite gives it. */
export type MessageRow = {
  seq: number;
  id: string;
  kind: MessageKind;
  sender: string;
  content: string;
  ref: number | null;
  at: number;
};

/** What `ref` is called in a message of each kind. */
const REF = { text: "replyTo", deletion: "target", erasure: "upTo", expiry: "target" } as const;

/** What clients see of a stored message. An empty text can't be sent, so an empty one has been deleted. */
export function toMessage({ seq, id, kind, sender, content, ref, at }: StoredMessage): Message {
  const message: Message = { seq, id, kind, sender, content, createdAt: new Date(at).toISOString() };
  if (ref !== null) message[REF[kind]] = ref;
  if (kind === "erasure") {
    message.content = "";
    message.erased = content;
  }
  if (kind === "text" && content === "") message.deleted = true;
  return message;
}
