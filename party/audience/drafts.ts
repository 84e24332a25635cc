/**
 * Messages that are still being written: an agent's tokens, or "is writing". In memory only, never stored.
 *
 * However fast an author appends, the audience hears of a draft at most twenty times a second. A draft ends when it is
 * sent, when its author goes or is muted, when nothing has come for a while, when it is as long as a message may be, and
 * when the room falls asleep. Nothing here keeps a room awake: who holds the drafts looks now and then which have expired.
 */

import type { Participant } from "../identity/sender.ts";
import { utf8Length } from "../message-parser.ts";
import type { DraftChange, Fault, Seq } from "../protocol.ts";
import { fault, LIMITS } from "../protocol.ts";

/** The audience hears of drafts this often at most, ms. */
export const DRAFT_INTERVAL = 50;
/** A draft has expired when nothing has been appended for this long, ms. */
export const DRAFT_TIMEOUT = 45_000;

/**
 * Drafts under way at a time, empty ones among them: of one author, of one principal (a key with its agents, or all
 * guests of an address), and in the room.
 */
export const MOST_DRAFTS = { author: 4, principal: 8, room: 200 } as const;

/** Bytes of all drafts under way of a principal, and in the room: every newcomer is sent them. */
export const DRAFT_BYTES = { principal: 64 * 1024, room: 256 * 1024 } as const;

/** Who writes a draft, and over which connection. */
export interface Author extends Participant {
  readonly connection: object;
}

interface Draft {
  readonly id: string;
  readonly author: Author;
  /** The message that it answers. */
  readonly replyTo: Seq | undefined;
  /** What the audience has. */
  told: string;
  /** What it does not have yet. */
  untold: string;
  bytes: number;
  lastAppend: number;
  /** Whether the audience has heard of this draft at all. */
  known: boolean;
}

export class Drafts {
  readonly #drafts = new Map<string, Draft>();
  #ended: DraftChange[] = [];
  #lastTold = 0;
  #dirty = false;
  #version = 0;

  /** Grows whenever `told` changes. */
  get version(): number {
    return this.#version;
  }

  /**
   * Appends to the draft `id` of `author`, beginning it if need be. A refusal ends it. Over another connection it begins
   * anew: an author who comes back says the whole of it, and the room may not have noticed yet that they were gone.
   * `replyTo` counts when it begins.
   */
  append(author: Author, id: string, append: string, now: number, replyTo?: Seq): Fault | undefined {
    if (!this.isUnderWay(author, id)) this.end(author.sender, id);
    const draft = this.#drafts.get(draftKey(author.sender, id)) ?? this.#begin(author, id, now, replyTo);
    if ("fault" in draft) return draft;
    const added = utf8Length(append);
    const refusal = this.#refuseText(draft, added);
    if (refusal) {
      this.end(author.sender, id);
      return refusal;
    }
    draft.bytes += added;
    draft.untold += append;
    draft.lastAppend = now;
    if (append !== "" || !draft.known) this.#dirty = true;
    return undefined;
  }

  /** Whether `author` has begun the draft `id` over this connection, and it has not ended. */
  isUnderWay({ sender, connection }: Pick<Author, "sender" | "connection">, id: string): boolean {
    return this.#drafts.get(draftKey(sender, id))?.author.connection === connection;
  }

  /** The last `length` characters of the draft `id` of `sender`. */
  endOf(sender: string, id: string, length: number): string {
    const draft = this.#drafts.get(draftKey(sender, id));
    return draft ? (draft.told.slice(-length) + draft.untold).slice(-length) : "";
  }

  /** The ids of the drafts that were begun over `connection` and are under way. */
  idsOver(connection: object): string[] {
    return [...this.#drafts.values()].filter(({ author }) => author.connection === connection).map(({ id }) => id);
  }

  /** Ends a draft without a message, which the audience hears. */
  end(sender: string, id: string): void {
    const draft = this.#drafts.get(draftKey(sender, id));
    if (!draft) return;
    this.#drafts.delete(draftKey(sender, id));
    if (draft.known) this.lost(sender, id);
  }

  /** Ends a draft that is not known here any more and that the audience may have. */
  lost(sender: string, id: string): void {
    this.#ended.push({ id, sender, end: true });
    this.#version++;
  }

  /** Ends all drafts of the authors for whom `isOver` holds. */
  endWhere(isOver: (author: Author) => boolean): void {
    for (const { author, id } of [...this.#drafts.values()]) if (isOver(author)) this.end(author.sender, id);
  }

  /** The message has come that replaces this draft; the audience sees as much from the message. */
  replace(sender: string, id: string): void {
    if (this.#drafts.delete(draftKey(sender, id))) this.#version++;
  }

  /** Ends drafts to which nothing has been appended for too long. */
  expire(now: number): void {
    for (const { author, id, lastAppend } of [...this.#drafts.values()]) {
      if (now - lastAppend >= DRAFT_TIMEOUT) this.end(author.sender, id);
    }
  }

  /** When the audience may hear of changes, in ms since 1970; `undefined` when there are none. */
  dueAt(): number | undefined {
    if (this.#ended.length > 0) return 0;
    return this.#dirty ? this.#lastTold + DRAFT_INTERVAL : undefined;
  }

  /** The drafts that the audience knows, each with the text that it has. What comes after it makes it whole. */
  told(): DraftChange[] {
    const known = [...this.#drafts.values()].filter((draft) => draft.known);
    return known.map((draft) => pieceOf(draft, draft.told));
  }

  /** What the audience has not heard yet and may now; it is told with this. */
  takeChanges(now: number): DraftChange[] {
    const due = this.dueAt();
    if (due === undefined || due > now) return [];
    this.#version++;
    const changes = this.#ended;
    this.#ended = [];
    if (!this.#dirty || this.#lastTold + DRAFT_INTERVAL > now) return changes;
    for (const draft of this.#drafts.values()) {
      if (draft.untold === "" && draft.known) continue;
      changes.push(pieceOf(draft, draft.untold));
      draft.told += draft.untold;
      draft.untold = "";
      draft.known = true;
    }
    this.#dirty = false;
    this.#lastTold = now;
    return changes;
  }

  #begin(author: Author, id: string, now: number, replyTo: Seq | undefined): Draft | Fault {
    this.expire(now);
    const own = this.#ofPrincipal(author.principal);
    if (own.filter((draft) => draft.author.sender === author.sender).length >= MOST_DRAFTS.author) {
      return tooMany(`You have ${MOST_DRAFTS.author} drafts under way; finish one first.`);
    }
    if (own.length >= MOST_DRAFTS.principal) {
      return tooMany(`You, your agents or your address have ${MOST_DRAFTS.principal} drafts under way.`);
    }
    if (this.#drafts.size >= MOST_DRAFTS.room) return tooMany("Too many drafts are under way here.");
    const draft = { id, author, replyTo, told: "", untold: "", bytes: 0, lastAppend: now, known: false };
    this.#drafts.set(draftKey(author.sender, id), draft);
    return draft;
  }

  /** Why a draft may not become longer by so many bytes. */
  #refuseText({ author, bytes }: Draft, added: number): Fault | undefined {
    if (bytes + added > LIMITS.contentBytes) {
      return fault("too_large", `A draft ends at ${LIMITS.contentBytes} bytes of UTF-8.`);
    }
    if (sumOfBytes(this.#ofPrincipal(author.principal)) + added > DRAFT_BYTES.principal) {
      return tooMany(`You, your agents or your address have ${DRAFT_BYTES.principal} bytes of drafts under way.`);
    }
    if (sumOfBytes([...this.#drafts.values()]) + added > DRAFT_BYTES.room) {
      return tooMany("Too much is being written here at a time.");
    }
    return undefined;
  }

  #ofPrincipal(principal: string): Draft[] {
    return [...this.#drafts.values()].filter(({ author }) => author.principal === principal);
  }
}

const tooMany = (message: string): Fault => fault("rate_limited", message, 5);

const pieceOf = ({ id, author: { sender }, replyTo }: Draft, append: string): DraftChange => ({
  id,
  sender,
  append,
  ...(replyTo !== undefined && { replyTo }),
});

const sumOfBytes = (drafts: readonly Draft[]): number => drafts.reduce((sum, { bytes }) => sum + bytes, 0);

const draftKey = (sender: string, id: string): string => `${sender} ${id}`;
