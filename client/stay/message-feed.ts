/**
 * The messages of a stay as a loop reads them: once, in order, also what came while nobody read. What does not fit in
 * memory, or was missed in a break that was too long for the connection, is read from the room's log, page by page.
 */

import type { Message, Seq } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import type { Cursor, CursorStore } from "./cursor.ts";
import type { Page, PageRequest } from "./page.ts";
import { passes, passesAfter, RoomError } from "./room-error.ts";
import type { ConnectionEvent } from "./room-event.ts";

export interface MessageFeedDeps {
  readonly clock: Clock;
  page(request: PageRequest): Promise<Page>;
  /** Where the cursor outlives the stay. */
  readonly store?: CursorStore | undefined;
}

/** Messages that wait in memory for the loop. What comes beyond is read from the log later. */
const MOST_WAITING = 1_000;
/** Messages of one page. */
const PAGE = 200;
/** How long a connection may take to be told of what a page has told already, ms. */
const RESET_WITHIN = 1_000;
/** How long the cursor may lag behind messages that the loop was not given, ms. */
const SAVED_WITHIN = 1_000;

/** What a feed reads of a `welcome`. */
interface Beginning {
  readonly epoch: string;
  readonly head: Seq;
  readonly messages: readonly Message[];
}

export class MessageFeed {
  readonly #deps: MessageFeedDeps;
  /** The last message that was handled or passed over. */
  #cursor: Cursor | undefined;
  /** The last seq that was taken out of what waits, within `#epoch`. */
  #read: Seq = 0;
  #epoch = "";
  /** The newest seq that is known of. */
  #head: Seq = 0;
  /** Messages after `#read`, in order; those that did not fit are missing among them. */
  #waiting: Message[] = [];
  #isRead = false;
  #wake = () => {};
  #ended: { readonly error: RoomError | undefined } | undefined;
  /** The write that is under way, and what went wrong with one that nobody waited for. */
  #saving: Promise<void> = Promise.resolve();
  #saveError: unknown;
  #stopSaving: (() => void) | undefined;

  /** `from`: the cursor of an earlier stay. */
  constructor(deps: MessageFeedDeps, from?: Cursor) {
    this.#deps = deps;
    this.#cursor = from;
    this.#read = from?.after ?? 0;
    this.#epoch = from?.epoch ?? "";
  }

  /** Takes what the connection tells. */
  hear(event: ConnectionEvent): void {
    if (event.type === "welcome") this.#begin(event.welcome, event.resumed);
    else if (event.type === "messages") this.#add(event.messages);
    this.#wake();
  }

  /** There is nothing more to come: left, or closed by the room for the reason `error`. */
  end(error?: RoomError): void {
    this.#ended ??= { error };
    this.#waiting = [];
    this.#wake();
  }

  /**
   * The messages after the cursor for which `isWanted`. The cursor moves behind a message when the next one is asked for: when
   * the body of the loop is done with it. A loop that is left by `break` or by an error does not move it.
   *
   * @throws RoomError why the room has closed the connection; what the cursor's store throws.
   */
  async *read(isWanted: (message: Message) => boolean, signal?: AbortSignal): AsyncGenerator<Message, void, undefined> {
    if (this.#isRead) throw new RoomError("invalid", "A stay has one loop over its messages at a time.");
    this.#isRead = true;
    const wake = () => this.#wake();
    signal?.addEventListener("abort", wake);
    try {
      for (;;) {
        const message = await this.#next(signal);
        if (!message) return;
        if (isWanted(message)) {
          yield message;
          this.#pass(message);
          await this.save();
        } else {
          this.#pass(message);
          this.#saveSoon();
        }
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#isRead = false;
    }
  }

  /** Saves the cursor, unless that was done. */
  async save(): Promise<void> {
    this.#stopSaving?.();
    this.#stopSaving = undefined;
    const { store } = this.#deps;
    const cursor = this.#cursor;
    if (!store || !cursor) return;
    // One after the other: an older cursor that is written last would be the one that is found.
    const saved = this.#saving.catch(() => {}).then(() => store.save(cursor));
    this.#saving = saved;
    await saved;
  }

  #begin({ epoch, head, messages }: Beginning, resumed: boolean): void {
    if (resumed) return;
    if (!this.#cursor) {
      // The stay begins here: what was said before is history.
      this.#cursor = { after: head, epoch, at: messages.at(-1)?.createdAt };
      this.#read = this.#head = head;
    } else if (epoch !== this.#epoch) {
      // Seqs mean other messages now. What was handled is known by its time, which never goes back.
      this.#waiting = [];
      this.#read = this.#head = (messages[0]?.seq ?? head + 1) - 1;
    }
    this.#epoch = epoch;
  }

  #add(messages: readonly Message[]): void {
    this.#head = Math.max(this.#head, messages.at(-1)?.seq ?? 0);
    if (this.#ended) return;
    const last = this.#waiting.at(-1)?.seq ?? this.#read;
    const fresh = messages.filter(({ seq }) => seq > last);
    this.#waiting.push(...fresh.slice(0, Math.max(0, MOST_WAITING - this.#waiting.length)));
  }

  /** The next message that was not handled; `undefined` when there is none to come. */
  async #next(signal: AbortSignal | undefined): Promise<Message | undefined> {
    for (;;) {
      if (this.#saveError) {
        const error = this.#saveError;
        this.#saveError = undefined;
        throw error;
      }
      if (signal?.aborted) return undefined;
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return undefined;
      const next = this.#waiting[0];
      if (next?.seq === this.#read + 1) {
        this.#waiting.shift();
        this.#read = next.seq;
        if (!this.#wasHandled(next)) return next;
      } else if (this.#read < this.#head) await this.#fill(signal);
      else await this.#woken();
    }
  }

  /** Until something has come, or has ended. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #sleep(duration: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#deps;
    const until = clock.now() + duration;
    const cancel = clock.after(duration, () => this.#wake());
    while (clock.now() < until && !this.#ended && !signal?.aborted) await this.#woken();
    cancel();
  }

  /** Reads what is missing before what waits. */
  async #fill(signal: AbortSignal | undefined): Promise<void> {
    const [after, epoch] = [this.#read, this.#epoch];
    let page: Page;
    try {
      page = await this.#deps.page({ after, epoch, limit: PAGE, signal });
    } catch (error) {
      if (signal?.aborted || this.#ended) return;
      if (!(error instanceof RoomError) || !passes(error.code)) throw error;
      return this.#sleep(passesAfter(error), signal);
    }
    if (epoch !== this.#epoch) return;
    // The log has begun anew, which the connection is about to be told, too.
    if (page.reset) return this.#sleep(RESET_WITHIN, signal);
    const first = this.#waiting[0]?.seq ?? Number.POSITIVE_INFINITY;
    const missing = page.messages.filter(({ seq }) => seq > this.#read && seq < first);
    // What the log does not have any more can't be waited for.
    if (missing.length === 0) this.#read = Math.min(first - 1, this.#head);
    this.#waiting.unshift(...missing);
  }

  /** Whether an earlier loop has handled it, in whatever history of the room. */
  #wasHandled({ seq, createdAt }: Message): boolean {
    const { after, epoch, at } = this.#cursor ?? {};
    if (epoch === undefined || epoch === this.#epoch || at === undefined || after === undefined) return false;
    return createdAt < at || (createdAt === at && seq <= after);
  }

  #pass({ seq, createdAt }: Message): void {
    this.#cursor = { after: seq, epoch: this.#epoch, at: createdAt };
  }

  #saveSoon(): void {
    if (!this.#deps.store || this.#stopSaving) return;
    this.#stopSaving = this.#deps.clock.after(SAVED_WITHIN, () => {
      this.save().catch((error) => {
        this.#saveError = error;
        this.#wake();
      });
    });
  }
}
