/**
 * Messages that are still being written: an agent's tokens, or "is writing". In memory only, never stored.
 *
 * However fast an author appends, the audience hears of a draft at most twenty times a second. A draft ends when it is
 * sent, when its author goes, when nothing has come for a while, and when it is as long as a message may be.
 */

import type { DraftChange, Fault } from "../protocol.ts";
import { fault, LIMITS, utf8Length } from "../protocol.ts";

/** The audience hears of drafts this often at most, ms. */
export const DRAFT_INTERVAL = 50;
/** A draft ends when nothing has been appended for this long, ms. */
export const DRAFT_TIMEOUT = 45_000;
/** Drafts that one author may have under way in a room. */
const DRAFTS_PER_AUTHOR = 4;
/** Drafts under way in a room. */
const DRAFTS_PER_ROOM = 200;

interface Draft {
  readonly id: string;
  readonly sender: string;
  /** The connection that it comes over. */
  readonly connection: object | undefined;
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

  /**
   * Appends to the draft `id` of `sender`, starting it if need be. A refusal ends it. Over another connection it begins
   * anew: whoever comes back says the whole of it, and the room may not have noticed yet that they were gone.
   */
  append(sender: string, id: string, append: string, now: number, connection?: object): Fault | undefined {
    const key = draftKey(sender, id);
    if (this.#drafts.get(key)?.connection !== connection) this.end(sender, id);
    const draft = this.#drafts.get(key) ?? this.#start(sender, id, now, connection);
    if ("fault" in draft) return draft;
    const bytes = draft.bytes + utf8Length(append);
    if (bytes > LIMITS.contentBytes) {
      this.end(sender, id);
      return fault("too_large", `A draft ends at ${LIMITS.contentBytes} bytes of UTF-8.`);
    }
    draft.bytes = bytes;
    draft.untold += append;
    draft.lastAppend = now;
    if (append !== "" || !draft.known) this.#dirty = true;
    return undefined;
  }

  /** Whether nothing has been written of the draft over this connection: it is not there, or says no more than that. */
  isEmpty(sender: string, id: string, connection?: object): boolean {
    const draft = this.#drafts.get(draftKey(sender, id));
    return draft?.connection !== connection || (draft?.bytes ?? 0) === 0;
  }

  /** Ends a draft without a message, which the audience hears. */
  end(sender: string, id: string): void {
    const draft = this.#drafts.get(draftKey(sender, id));
    if (!draft) return;
    this.#drafts.delete(draftKey(sender, id));
    if (draft.known) this.#ended.push({ id, sender, end: true });
  }

  /** Ends all drafts of `sender`. */
  endAll(sender: string): void {
    for (const draft of [...this.#drafts.values()]) if (draft.sender === sender) this.end(sender, draft.id);
  }

  /** The message has come that replaces this draft; the audience sees as much from the message. */
  replace(sender: string, id: string): void {
    this.#drafts.delete(draftKey(sender, id));
  }

  /** Ends drafts to which nothing has been appended for too long. */
  expire(now: number): void {
    for (const draft of [...this.#drafts.values()]) {
      if (now - draft.lastAppend >= DRAFT_TIMEOUT) this.end(draft.sender, draft.id);
    }
  }

  /** When the next draft would expire, in ms since 1970; `undefined` without drafts. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const { lastAppend } of this.#drafts.values()) {
      if (next === undefined || lastAppend + DRAFT_TIMEOUT < next) next = lastAppend + DRAFT_TIMEOUT;
    }
    return next;
  }

  /** When the audience may hear of changes, in ms since 1970; `undefined` when there are none. */
  dueAt(): number | undefined {
    if (this.#ended.length > 0) return 0;
    return this.#dirty ? this.#lastTold + DRAFT_INTERVAL : undefined;
  }

  /** The drafts that the audience knows, each with the text that it has. What comes after it makes it whole. */
  told(): DraftChange[] {
    const known = [...this.#drafts.values()].filter((draft) => draft.known);
    return known.map(({ id, sender, told }) => ({ id, sender, append: told }));
  }

  /** What the audience has not heard yet and may now; it is told with this. */
  takeChanges(now: number): DraftChange[] {
    const due = this.dueAt();
    if (due === undefined || due > now) return [];
    const changes = this.#ended;
    this.#ended = [];
    if (!this.#dirty || this.#lastTold + DRAFT_INTERVAL > now) return changes;
    for (const draft of this.#drafts.values()) {
      if (draft.untold === "" && draft.known) continue;
      changes.push({ id: draft.id, sender: draft.sender, append: draft.untold });
      draft.told += draft.untold;
      draft.untold = "";
      draft.known = true;
    }
    this.#dirty = false;
    this.#lastTold = now;
    return changes;
  }

  #start(sender: string, id: string, now: number, connection: object | undefined): Draft | Fault {
    if (this.#drafts.size >= DRAFTS_PER_ROOM) return fault("rate_limited", "Too many drafts are under way here.", 5);
    let own = 0;
    for (const draft of this.#drafts.values()) if (draft.sender === sender) own++;
    if (own >= DRAFTS_PER_AUTHOR) {
      return fault("rate_limited", `You have ${DRAFTS_PER_AUTHOR} drafts under way; finish one first.`, 5);
    }
    const draft = { id, sender, connection, told: "", untold: "", bytes: 0, lastAppend: now, known: false };
    this.#drafts.set(draftKey(sender, id), draft);
    return draft;
  }
}

const draftKey = (sender: string, id: string): string => `${sender} ${id}`;
