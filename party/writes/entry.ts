/** A message on its way into the log: what it is while it waits, and what its author is told in the end. */

import { asksTheSame } from "../asks/ask.ts";
import type { Participant } from "../identity/sender.ts";
import { isTombstone } from "../log/erasure.ts";
import type { StoredMessage, Unplaced } from "../log/stored-message.ts";
import { chosenBy, isSaid } from "../log/stored-message.ts";
import { type Fault, fault, type Quota } from "../protocol.ts";

/** What an author is told: the message, whether it was there before, and the quota that is left; or the refusal. */
export type Outcome =
  | { readonly message: StoredMessage; readonly repeated: boolean; readonly quota?: Quota | undefined }
  | Fault;

/** One message that wants a place in the log. */
export interface Entry {
  readonly participant: Participant;
  /** The origin of the page that it comes from, where that is a foreign one. */
  readonly origin: string | undefined;
  readonly message: Unplaced;
  /** It was held, and a moderator wants it to have its place: it was paid for, and no rule keeps it back. */
  readonly approved?: true;
  /** Of what is done to others: why its author may not do it. Asked when it gets its place, which may be seconds later. */
  refuse?(): Fault | undefined;
  /** Tells the author. Called exactly once. */
  settle(outcome: Outcome): void;
}

/** An entry that its author's Limiter has admitted, with the quota that is left to the author. */
export interface Admitted {
  readonly entry: Entry;
  readonly quota: Quota | undefined;
}

/** Whether a message takes a place in its author's quota. A deletion takes none: its author's key must hold, that is all. */
export const costs = ({ message }: Entry): boolean => isSaid(message.kind);

/** Names a message within a room: (sender, id). No sender has a space in it. */
export const messageName = ({ sender, id }: Pick<Unplaced, "sender" | "id">): string => `${sender} ${id}`;

/**
 * What the author of `entry` is told when the log has a message of that name already: the same message again is its
 * `seq`, and another one is a conflict. A deleted message has lost its content, so any content is the same; and the text of
 * an answer is the room's, which may not know it any more.
 */
export function repetition({ message }: Entry, earlier: StoredMessage): Outcome {
  const { id, kind, ref } = message;
  // Of what was erased nothing is left to compare with.
  if (isTombstone(earlier)) return { message: earlier, repeated: true };
  const isDeleted = isSaid(earlier.kind) && earlier.content === "" && chosenBy(earlier.kind) === chosenBy(kind);
  const isSame = earlier.kind === kind && (chosenBy(kind) !== undefined || saysTheSame(message, earlier));
  const same = ((isDeleted && isSaid(kind)) || isSame) && earlier.ref === ref;
  if (same) return { message: earlier, repeated: true };
  const refusal = fault("conflict", `You have sent another message with the id ${id} (seq ${earlier.seq}).`);
  return { ...refusal, seq: earlier.seq };
}

/** Whether two texts, or two asks, are the same to who sends one of them again. */
export function saysTheSame(
  { kind, content }: Pick<Unplaced, "kind" | "content">,
  earlier: { content: string },
): boolean {
  if (content === earlier.content) return true;
  return kind === "ask" && content !== "" && earlier.content !== "" && asksTheSame(content, earlier.content);
}
