/**
 * The log as frames, for readers who are behind: each gets what comes after the seq that it has, a frame at a time.
 * Hundreds that were held up together need the same frames, so the last ones are kept.
 */

import { utf8Length } from "../../message-parser.ts";
import { READING, type Seq } from "../../protocol.ts";
import type { Piece } from "./outgoing-frame.ts";
import { besideNames, type ToldNames } from "./told-names.ts";

/** What the audience reads of the log. Messages come as the JSON that clients see, oldest first, without a gap. */
export interface LogView {
  readonly epoch: string;
  /** The newest seq; 0 in an empty room. */
  readonly head: Seq;
  /** Everything from here on can be read here. */
  readonly oldest: Seq;
  /** The seq of the newest erasure that is known of; 0 when there is none. */
  readonly newestErasure: Seq;
  /** The same of those that are carried out: their entries do not say any more who was erased. */
  readonly newestErased: Seq;
  /** Up to `limit` messages with a seq above `seq`. */
  jsonAfter(seq: Seq, limit: number): readonly string[];
  /** Up to `limit` messages with a seq below `seq`: the newest of them. */
  jsonBefore(seq: Seq, limit: number): readonly string[];
}

/** Messages that are read at a time, until a frame is full. */
const READ_AT_ONCE = 32;
/** Frames that are kept: 2 MiB. */
const KEPT = 64;

const FRAME_START = '{"type":"update","messages":[';
const FRAME_END = "]}";

export class Backlog {
  readonly #log: LogView;
  readonly #names: () => ToldNames | undefined;
  #namesVersion: number | undefined;
  /** By the seq that they begin after; those that a longer log would make longer are of the head in `#head`. */
  readonly #pieces = new Map<Seq, { readonly piece: Piece; readonly isFull: boolean }>();
  #head: Seq = 0;
  #epoch = "";
  #oldest: Seq = 0;

  /** `names`: of sites' users, where the room knows any. */
  constructor(log: LogView, names: () => ToldNames | undefined = () => undefined) {
    this.#log = log;
    this.#names = names;
  }

  /** Whether everything after `seq` can be sent: it is here, and not more than a client may resume (promise 4). */
  reaches(seq: Seq): boolean {
    const { head, oldest } = this.#log;
    return seq <= head && seq >= oldest - 1 && head - seq <= READING.resume;
  }

  /** The frame with what comes right after `seq`, which must be below the head: as many messages as fit. */
  after(seq: Seq): Piece {
    const { epoch, oldest, head } = this.#log;
    // What is not in the log any more is not kept here either.
    if (epoch !== this.#epoch || oldest !== this.#oldest) this.#pieces.clear();
    this.#epoch = epoch;
    this.#oldest = oldest;
    const names = this.#names();
    if (names?.version !== this.#namesVersion) this.#pieces.clear();
    this.#namesVersion = names?.version;
    const kept = this.#pieces.get(seq);
    if (kept && (kept.isFull || this.#head === head)) return kept.piece;
    const { messages, isFull } = messagesWithin(besideNames(names) - FRAME_START.length - FRAME_END.length, (from) =>
      this.#log.jsonAfter(seq + from, READ_AT_ONCE),
    );
    const json = FRAME_START + messages.join(",") + FRAME_END;
    const text = names ? names.inFrame(json) : json;
    const piece = { text, bytes: utf8Length(text), to: seq + messages.length };
    if (this.#head !== head) this.#forgetUnfinished();
    this.#head = head;
    this.#pieces.set(seq, { piece, isFull });
    const [earliest] = this.#pieces.keys();
    if (this.#pieces.size > KEPT && earliest !== undefined) this.#pieces.delete(earliest);
    return piece;
  }

  /** Forgets the frames that are kept: a message in them was deleted or erased. */
  forget(): void {
    this.#pieces.clear();
  }

  #forgetUnfinished(): void {
    for (const [seq, { isFull }] of this.#pieces) if (!isFull) this.#pieces.delete(seq);
  }
}

/** The first messages that fit into so many bytes, at least one; and whether there are more. */
export function messagesWithin(
  bytes: number,
  read: (from: number) => readonly string[],
): { messages: string[]; isFull: boolean } {
  const messages: string[] = [];
  let length = 0;
  for (;;) {
    const next = read(messages.length);
    if (next.length === 0) return { messages, isFull: false };
    for (const message of next) {
      length += utf8Length(message) + 1;
      if (length > bytes && messages.length > 0) return { messages, isFull: true };
      messages.push(message);
    }
  }
}
