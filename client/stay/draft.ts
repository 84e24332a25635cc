/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A message that is being written, for everybody to see. Its pieces are gathered, so that a token is not a frame; it is
 * bounded by what a message may hold, and lapses here when the room has let it lapse.
 */

import { exceedsBytes, utf8Length } from "../../party/message-parser.ts";
import type { DraftChange, DraftFrame, Seq } from "../../party/protocol.ts";
import { LIMITS } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import type { SentMessage } from "./outbox.ts";
import { RoomError } from "./room-error.ts";

/** Pieces are gathered for this long, ms: 20 frames a second at most. */
const EVERY = 50;
/** A room lets a draft lapse after this long without a piece, ms. */
const LAPSES = 45_000;

/** How long a call waits. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface DraftDeps {
  readonly clock: Clock;
  /** Whether the room can be told now. */
  isReady(): boolean;
  say(frame: DraftFrame): void;
  /** Sends the finished message. */
  send(content: string, signal: AbortSignal | undefined): Promise<SentMessage>;
  /** It is to hear of the connection, and of the room: it begins, or is gone on with after it has lapsed. */
  begun(draft: Draft): void;
  /** There is nothing more to tell of this draft. */
  over(draft: Draft): void;
}

export class Draft {
  /** The id that the message has or will have. */
  readonly id: string;
  /** The message that it answers. */
  readonly replyTo: Seq | undefined;

  readonly #deps: DraftDeps;
  #text = "";
  #bytes = 0;
  /** Something of what was written was not kept: it was too long already. */
  #isCut = false;
  /** Characters of the text that the room has been told over this connection. */
  #told = 0;
  /** The others see it, as far as is known here. */
  #isShown = false;
  /** That somebody writes was said, and is to be told. */
  #sign = false;
  /** The room has refused a piece on this connection: what followed it would stand in the wrong place. */
  #isRefused = false;
  /** The room has told that the draft has ended, and has been told the whole of it again since. */
  #hasEnded = false;
  #isRestarted = false;
  #wroteAt: number;
  #saidAt = 0;
  #cancel: (() => void) | undefined;
  #over: "ended" | "aborted" | undefined;

  constructor(id: string, replyTo: Seq | undefined, deps: DraftDeps) {
    this.id = id;
    this.replyTo = replyTo;
    this.#deps = deps;
    this.#wroteAt = deps.clock.now();
    deps.begun(this);
  }

  /** What was written so far; of what is too long, the beginning. */
  get text(): string {
    return this.#text;
  }

  /** Bytes of UTF-8 that still fit into one message; below 0 it is too long to be sent as it is. */
  get bytesLeft(): number {
    return LIMITS.contentBytes - this.#bytes;
  }

  /** Whether the room has let it lapse: nothing was written for 45 s. It can still be ended. */
  get hasLapsed(): boolean {
    return this.#deps.clock.now() - this.#wroteAt >= LAPSES;
  }

  /**
   * Writes a piece. The others see it within 50 ms; an empty one says only that somebody writes. What is longer than a
   * message may be is not shown, and `end()` without a text of its own is then refused with `too_large`.
   *
   * @throws RoomError `invalid`: the draft has ended.
   */
  write(piece: string): void {
    if (this.#over) throw this.#isOver();
    if (this.hasLapsed) this.#restart();
    this.#wroteAt = this.#deps.clock.now();
    if (piece === "") this.#sign = true;
    // A character that comes by halves: each half alone counts as much as three bytes, both together as four.
    if (/^[\udc00-\udfff]/.test(piece) && /[\ud800-\udbff]$/.test(this.#text)) this.#bytes -= 2;
    // As much as shows that it is too long: the rest would only fill memory.
    if (this.bytesLeft >= 0) this.#text += piece;
    else this.#isCut = true;
    this.#bytes += utf8Length(piece);
    this.#tellSoon();
  }

  /**
   * Sends what was written, or `content` in its place, as the message; the draft gives way to it.
   *
   * @returns its id and seq, once the room's storage has it.
   * @throws RoomError with the room's code, when it is refused for good; `too_large`; `invalid`, when the draft was aborted.
   *   The signal's reason: it takes the message back, unless the room has it.
   */
  end(content?: string, { signal }: WaitOptions = {}): Promise<SentMessage> {
    if (this.#over === "aborted") return Promise.reject(this.#isOver());
    this.replaced();
    const sent =
      content === undefined && this.#isCut
        ? Promise.reject(new RoomError("too_large", "The draft is too long.", { about: { type: "send", id: this.id } }))
        : this.#deps.send(content ?? this.#text, signal);
    sent.catch(() => this.#hide());
    return sent;
  }

  /** Ends it without a message: the others do not see it any more. Does nothing after `end`. */
  abort(): void {
    if (this.#over) return;
    this.#finish("aborted");
    this.#hide();
  }

  /** What is not ended is aborted: `using draft = room.draft()`. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** @internal Its message goes out, and takes its place. */
  replaced(): void {
    this.#finish("ended");
  }

  /** @internal The connection is gone: over the next one it begins anew. */
  lost(): void {
    this.#told = 0;
    this.#isShown = false;
    this.#isRefused = this.#hasEnded = this.#isRestarted = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** @internal The room takes drafts from now on. */
  begin(): void {
    if (!this.hasLapsed) this.#tell();
  }

  /**
   * @internal What the room tells of it. One that the room has ended, as it does when it sleeps, begins anew with its next
   * piece; until that is told, an end is the end of what was before.
   */
  heard(change: DraftChange): void {
    if (!("end" in change)) this.#isRestarted = false;
    else if (!this.#isRestarted) {
      this.#hasEnded = true;
      this.#isShown = false;
    }
  }

  /** @internal The room has refused a piece of it. The others may see those before: `#hide` ends them. */
  refuse(): void {
    this.#isRefused = true;
  }

  /** The others do not see it any more: with the next piece they are told the whole, as over a new connection. */
  #restart(): void {
    this.lost();
    this.#hasEnded = true;
    this.#deps.begun(this);
  }

  #finish(how: "ended" | "aborted"): void {
    this.#over ??= how;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#deps.over(this);
  }

  #isOver(): RoomError {
    return new RoomError("invalid", `The draft was ${this.#over}.`, { about: { type: "draft", id: this.id } });
  }

  /** Without a message to replace it, the others would see it for 45 s more. */
  #hide(): void {
    if (!this.#isShown || !this.#deps.isReady()) return;
    this.#isShown = false;
    this.#deps.say({ type: "draft", id: this.id, append: "", end: true });
  }

  #tellSoon(): void {
    if (this.#cancel) return;
    const { clock } = this.#deps;
    const wait = this.#saidAt + EVERY - clock.now();
    if (wait <= 0) {
      this.#tell();
      return;
    }
    this.#cancel = clock.after(wait, () => {
      this.#cancel = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    if (!this.#deps.isReady() || this.#isRefused || this.bytesLeft < 0) return;
    // A pair of halves, or of carriage return and line feed, is told together.
    const end = this.#text.length - (/[\ud800-\udbff\r]$/.test(this.#text) ? 1 : 0);
    if (this.#told === end && !this.#sign) return;
    const whole = this.#hasEnded && end > 0;
    const append = this.#text.slice(whole ? 0 : this.#told, end);
    const frame: DraftFrame = {
      type: "draft",
      id: this.id,
      append,
      ...(whole && { whole }),
      ...(!this.#isShown && this.replyTo !== undefined && { replyTo: this.replyTo }),
    };
    // Of control characters, which a room leaves out, a frame may be too long though the text is not.
    if (exceedsBytes(JSON.stringify(frame), LIMITS.frameBytes)) return;
    if (whole) this.#isRestarted = true;
    this.#hasEnded = this.#sign = false;
    this.#isShown = true;
    this.#told = end;
    this.#saidAt = this.#deps.clock.now();
    this.#deps.say(frame);
  }
}
