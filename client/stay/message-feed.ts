/**
 * The messages of a stay as a loop reads them: once, in order, also what came while nobody read. What does not fit in
 * memory, or was missed in a break that was too long for the connection, is read from the room's log, page by page.
 */

import type { Message, Seq } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import type { Cursor, CursorStore } from "./cursor.ts";
import type { Page, PageRange, PageRequest } from "./page.ts";
import { passes, passesAfter, RoomError } from "./room-error.ts";
import type { ConnectionEvent } from "./room-event.ts";
import { withChanges } from "./with-changes.ts";

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
  /** In a new history: what was not handled begins before this seq, it is not known yet where. */
  #before: Seq | undefined;
  /** What was to be read next is gone because of its age: what is left begins before this seq, it is not known yet where. */
  #left: Seq | undefined;
  /** Ends the loop that reads. */
  #loop: AbortController | undefined;
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

  /** The room is asked again after it had closed the stay. What came meanwhile is read from the log. */
  reopen(): void {
    this.#ended = undefined;
  }

  /**
   * The messages after the cursor for which `isWanted`. The cursor moves behind a message when the next one is asked for: when
   * the body of the loop is done with it. A loop that is left by `break` or by an error does not move it. One loop reads at a
   * time: a later one takes over, also from one that was dropped without a word.
   *
   * @throws RoomError why the room has closed the connection; `invalid`, when a later loop has taken over; what the cursor's
   *   store throws.
   */
  read(isWanted: (message: Message) => boolean, signal?: AbortSignal): AsyncGenerator<Message, void, undefined> {
    const over = new AbortController();
    const loop = this.#readUntil(over, isWanted, signal);
    const end = loop.return.bind(loop);
    // By itself a generator that waits for a message hears of its end only when one has come.
    loop.return = (value) => {
      over.abort();
      return end(value);
    };
    return loop;
  }

  async *#readUntil(
    over: AbortController,
    isWanted: (message: Message) => boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Message, void, undefined> {
    const stop = () => over.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    over.signal.addEventListener("abort", () => this.#wake());
    this.#loop?.abort(new RoomError("invalid", "A later loop reads the messages of this stay."));
    this.#loop = over;
    try {
      for (;;) {
        const message = await this.#next(over.signal);
        if (!message) return;
        // A new history may begin while the body runs: its seqs are not those of this message.
        const cursor = { after: message.seq, epoch: this.#epoch, at: message.createdAt };
        const isGiven = isWanted(message);
        if (isGiven) yield message;
        if (this.#loop !== over) continue;
        this.#cursor = cursor;
        if (isGiven) await this.save();
        else this.#saveSoon();
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      if (this.#loop === over) this.#loop = undefined;
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
      this.#left = undefined;
      this.#before = messages[0]?.seq ?? head + 1;
      this.#read = this.#head = this.#before - 1;
    }
    this.#epoch = epoch;
  }

  #add(messages: readonly Message[]): void {
    this.#head = Math.max(this.#head, messages.at(-1)?.seq ?? 0);
    if (this.#ended) return;
    const last = this.#waiting.at(-1)?.seq ?? this.#read;
    const fresh = messages.filter(({ seq }) => seq > last).slice(0, Math.max(0, MOST_WAITING - this.#waiting.length));
    // What is deleted or erased before the loop comes to it is not read any more.
    this.#waiting = [...withChanges([...this.#waiting, ...fresh], messages)];
  }

  /** The next message that was not handled; `undefined` when there is none to come. */
  async #next(signal: AbortSignal): Promise<Message | undefined> {
    for (;;) {
      if (this.#saveError) {
        const error = this.#saveError;
        this.#saveError = undefined;
        throw error;
      }
      if (signal.reason instanceof RoomError) throw signal.reason;
      if (signal.aborted) return undefined;
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return undefined;
      const next = this.#waiting[0];
      if (this.#before !== undefined) await this.#goBack(this.#before, signal);
      else if (this.#left !== undefined) await this.#findLeft(this.#left, signal);
      else if (next?.seq === this.#read + 1) {
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

  async #sleep(duration: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const until = clock.now() + duration;
    for (let left = duration; left > 0 && !this.#ended && !signal.aborted; left = until - clock.now()) {
      const cancel = clock.after(left, () => this.#wake());
      await this.#woken();
      cancel();
    }
  }

  /** Reads what is missing before what waits. */
  async #fill(signal: AbortSignal): Promise<void> {
    const page = await this.#page({ after: this.#read }, signal);
    if (!page) return;
    const first = this.#waiting[0]?.seq ?? Number.POSITIVE_INFINITY;
    const missing = page.filter(({ seq }) => seq > this.#read && seq < first);
    // What the log does not have any more can't be waited for.
    if (missing.length === 0) this.#read = Math.min(first - 1, this.#head);
    // The page may be older than what waits.
    this.#waiting.unshift(...withChanges(missing, this.#waiting));
  }

  /**
   * Looks for the last message that was handled in the log before `before`, a page at a time. What lies between is read again
   * when the loop comes to it: it may be more than fits in memory.
   */
  async #goBack(before: Seq, signal: AbortSignal): Promise<void> {
    const { after = 0, at } = this.#cursor ?? {};
    const [oldest] = this.#waiting;
    if (at === undefined) {
      // Nothing tells which message it was: most likely it has kept its seq.
      this.#read = after <= this.#head ? after : 0;
      this.#waiting = this.#waiting.filter(({ seq }) => seq > this.#read);
      this.#before = undefined;
    } else if (before <= 1 || (oldest && this.#wasHandled(oldest))) this.#before = undefined;
    else {
      const page = await this.#page({ before }, signal);
      if (!page) return;
      const handled = page.findLast((message) => this.#wasHandled(message));
      this.#read = handled?.seq ?? (page[0]?.seq ?? before) - 1;
      // The log may begin later than with its first message.
      this.#before = handled || page.length === 0 ? undefined : this.#read + 1;
    }
  }

  /** Looks for the beginning of what is left of the log before `before`, a page at a time. */
  async #findLeft(before: Seq, signal: AbortSignal): Promise<void> {
    const page = await this.#page({ before }, signal);
    if (!page) return;
    this.#left = page[0]?.seq;
    if (page.length === 0) this.#read = Math.max(this.#read, before - 1);
  }

  /** A page of the log; `undefined` when it has to be asked for again, or is not wanted any more. */
  async #page(range: PageRange, signal: AbortSignal): Promise<readonly Message[] | undefined> {
    const epoch = this.#epoch;
    let page: Page;
    try {
      page = await this.#deps.page({ ...range, epoch, limit: PAGE, signal });
    } catch (error) {
      if (signal.aborted || this.#ended) return undefined;
      if (!(error instanceof RoomError) || !passes(error.code)) throw error;
      await this.#sleep(passesAfter(error), signal);
      return undefined;
    }
    if (page.reset && page.epoch === epoch && (range.after ?? page.head) < page.head) {
      this.#left = page.messages[0]?.seq ?? page.head + 1;
      return undefined;
    }
    // The connection has told of a new history meanwhile, or is about to.
    if (page.reset && epoch === this.#epoch) await this.#sleep(RESET_WITHIN, signal);
    return page.reset || epoch !== this.#epoch ? undefined : page.messages;
  }

  /** Whether an earlier loop has handled it, in whatever history of the room. */
  #wasHandled({ seq, createdAt }: Message): boolean {
    const { after, epoch, at } = this.#cursor ?? {};
    if (epoch === undefined || epoch === this.#epoch || at === undefined || after === undefined) return false;
    return createdAt < at || (createdAt === at && seq <= after);
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
