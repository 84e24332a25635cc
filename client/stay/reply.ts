/// <reference lib="esnext.disposable" preserve="true" />
/** The reply to a message, as it is being written. The same reply, begun again after a crash, stands in the room once. */

import { utf8Length } from "../../party/message-parser.ts";
import type { Message, Seq } from "../../party/protocol.ts";
import { LIMITS } from "../../party/protocol.ts";
import type { Draft, WaitOptions } from "./draft.ts";
import { replyId } from "./reply-id.ts";
import { RoomError } from "./room-error.ts";
import { unlessAborted } from "./signal.ts";
import type { DraftOptions } from "./writer.ts";

/** A reply that stands in the room. */
export interface SentReply {
  readonly id: string;
  /** `undefined` where an earlier reply settled this one, and the room did not say which. */
  readonly seq: Seq | undefined;
}

export interface ReplyDeps {
  draft(options: DraftOptions): Draft;
  /** The seq of one's own message with this id, if the stay has seen it. */
  earlier(id: string): Seq | undefined;
}

export class Reply {
  readonly #deps: ReplyDeps;
  /** The id takes a moment to make. */
  readonly #begun: Promise<Draft>;
  #draft: Draft | undefined;
  /** What was written before the draft began. */
  #early = "";
  #over: "ended" | "aborted" | undefined;

  constructor(message: Pick<Message, "seq" | "id" | "sender">, me: string, deps: ReplyDeps) {
    this.#deps = deps;
    this.#begun = replyId(message, me).then((id) => this.#begin(id, message.seq));
    // Told by `end`.
    this.#begun.catch(() => {});
  }

  /** The seq of this reply, if it was given before, as far as the stay knows: then the model need not be asked again. */
  async answered({ signal }: WaitOptions = {}): Promise<Seq | undefined> {
    return this.#deps.earlier((await unlessAborted(this.#begun, signal)).id);
  }

  /** Bytes of UTF-8 that still fit into one message; below 0 it is too long to be sent as it is. */
  get bytesLeft(): number {
    return this.#draft?.bytesLeft ?? LIMITS.contentBytes - utf8Length(this.#early);
  }

  /**
   * Writes a piece; the others see it within 50 ms. More than a message may hold is not shown: see `end`.
   *
   * @throws RoomError `invalid`: the reply has ended.
   */
  write(piece: string): void {
    if (this.#over) throw new RoomError("invalid", "The reply has ended.");
    if (!this.#draft) this.#early += piece;
    else if (this.#deps.earlier(this.#draft.id) === undefined) this.#draft.write(piece);
  }

  /**
   * Sends what was written, or `content` in its place. Over quota and without a connection it waits.
   *
   * @returns its id and seq, once the room's storage has it; those of the first one, if it was given before.
   * @throws RoomError with the room's code, when it is refused for good; `too_large`; `error.pending`, when the stay ended
   *   first; `invalid`, when it was aborted. The signal's reason: it takes the reply back, unless the room has it.
   */
  async end(content?: string, { signal }: WaitOptions = {}): Promise<SentReply> {
    if (this.#over === "aborted") throw new RoomError("invalid", "The reply was aborted.");
    this.#over = "ended";
    // The signal is the draft's: one that is taken back is taken from the others' sight, too.
    const draft = await this.#begun;
    const earlier = this.#deps.earlier(draft.id);
    if (earlier !== undefined) {
      draft.abort();
      return { id: draft.id, seq: earlier };
    }
    try {
      return await draft.end(content, { signal });
    } catch (error) {
      if (!(error instanceof RoomError) || error.code !== "conflict") throw error;
      return { id: draft.id, seq: error.seq ?? this.#deps.earlier(draft.id) };
    }
  }

  /** Gives it up: the others do not see any more what was written. Does nothing after `end`. */
  abort(): void {
    if (this.#over) return;
    this.#over = "aborted";
    void this.#begun.then((draft) => draft.abort()).catch(() => {});
  }

  /** What is not ended is aborted: `using reply = room.reply(message)`. */
  [Symbol.dispose](): void {
    this.abort();
  }

  #begin(id: string, replyTo: Seq): Draft {
    this.#draft = this.#deps.draft({ id, replyTo });
    if (this.#early && this.#deps.earlier(id) === undefined) this.#draft.write(this.#early);
    this.#early = "";
    return this.#draft;
  }
}
