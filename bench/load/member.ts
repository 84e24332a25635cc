/**
 * One connection of the generator: a subscriber that counts, or a writer that keeps a number of messages in flight. Both
 * notice what a room must never do: lose, repeat or reorder.
 */

import { clock, type Dialect, messageId, type Receipt, stampedContent } from "./dialect.ts";
import { LoadSocket, type LoadSocketHandlers } from "./socket.ts";

/** What the members of one generator report to. */
export interface Tally {
  /** A frame with so many messages has come. */
  received(messages: number): void;
  /** A sampled message took `duration` µs from its writer to this member. */
  delivered(duration: number): void;
  /** A writer has its own message back, after `duration` µs. */
  acknowledged(duration: number): void;
  sent(messages: number): void;
  /** Something that should not happen. */
  fault(what: string): void;
}

export interface MemberOptions {
  readonly url: URL;
  readonly dialect: Dialect;
  readonly tally: Tally;
  /** A writer's index, what it identifies itself with, and the number of its first message. */
  readonly writer?: { readonly index: number; readonly credential: string; readonly first: number };
  /** Whether this one measures how long each message took. */
  readonly probe: boolean;
  /** The client address that it names, where it is not to be this machine's. */
  readonly address?: string;
}

export class Member {
  readonly #ready = Promise.withResolvers<Buffer>();
  readonly #options: MemberOptions;
  readonly #socket: LoadSocket;
  #received = 0;
  #last: number | undefined;
  #inFlight = 0;
  #toSend = Number.POSITIVE_INFINITY;
  #sent = 0;
  #acknowledged = 0;
  #closed = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { dialect, tally, writer, address } = options;
    const handlers: LoadSocketHandlers = {
      open: () => {
        this.#socket.send(dialect.opening(writer?.credential));
        if (!dialect.isReady) this.#ready.resolve(Buffer.alloc(0));
      },
      frame: (frame) => {
        // The frame is only lent.
        if (dialect.isReady?.(frame, writer !== undefined)) this.#ready.resolve(Buffer.from(frame));
        this.#onFrame(frame);
      },
      close: (how) => {
        if (!this.#closed) tally.fault(`A connection ended with ${how}.`);
        this.#ready.reject(new Error(`A connection to ${options.url.pathname} ended with ${how} before it was ready.`));
      },
    };
    this.#socket = new LoadSocket(options.url, handlers, address);
  }

  /** The frame with which the room said that this member is all set; empty where the dialect has none. */
  get ready(): Promise<Buffer> {
    return this.#ready.promise;
  }

  /** Whether this member writes. */
  get writes(): boolean {
    return this.#options.writer !== undefined;
  }

  /** All messages that have come to this member. */
  get received(): number {
    return this.#received;
  }

  /** A writer's messages: how many it sent, and how many of these have come back to it. */
  get sent(): number {
    return this.#sent;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Writes from now on, `each` messages in all, with `inFlight` on their way at any time. */
  start(inFlight: number, each = Number.POSITIVE_INFINITY): void {
    this.#inFlight = inFlight;
    this.#toSend = each;
    this.#fill();
  }

  /** From now on this writer is done when it has `each` messages back; what it writes, it is told by `write`. */
  expect(each: number): void {
    this.#inFlight = 0;
    this.#toSend = each;
  }

  /** Writes one message now, however many are on their way. */
  write(): void {
    if (!this.writes) return;
    this.#options.tally.sent(1);
    this.#socket.send([this.#next()]);
  }

  /** Writes no more. What is on its way still comes. */
  stop(): void {
    this.#toSend = this.#sent;
  }

  /** Whether a writer has sent all that it was to send, and has all of it back. Who does not write always is. */
  get done(): boolean {
    return !this.writes || this.#acknowledged === this.#toSend;
  }

  heartbeat(): void {
    const { heartbeat } = this.#options.dialect;
    if (heartbeat) this.#socket.send([heartbeat.frame]);
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  #onFrame(frame: Buffer): void {
    const { dialect, tally, writer, probe } = this.#options;
    const count = dialect.count(frame);
    if (count > 0) {
      this.#received += count;
      tally.received(count);
      this.#checkSeqs(frame);
      if (probe) for (const { sentAt } of dialect.read(frame)) tally.delivered(clock() - sentAt);
      if (writer) this.#onOwn(dialect.own(frame, writer.index));
    } else {
      const answer = dialect.answer?.(frame);
      if (answer !== undefined) this.#socket.send([answer]);
      const refusal = dialect.refusal?.(frame);
      if (refusal !== undefined) this.#onRefusal(refusal);
    }
  }

  #onRefusal(refusal: string): void {
    this.#options.tally.fault(refusal);
    this.#ready.reject(new Error(refusal));
  }

  #onOwn(receipts: readonly Receipt[]): void {
    if (receipts.length === 0) return;
    const { tally, writer } = this.#options;
    const now = clock();
    for (const { number, sentAt } of receipts) {
      const due = (writer?.first ?? 0) + this.#acknowledged;
      if (number !== due) tally.fault(`Message ${number} came where ${due} was due.`);
      this.#acknowledged++;
      tally.acknowledged(now - sentAt);
    }
    this.#fill();
  }

  #fill(): void {
    if (!this.writes) return;
    const frames: string[] = [];
    while (this.#sent - this.#acknowledged < this.#inFlight && this.#sent < this.#toSend) frames.push(this.#next());
    this.#options.tally.sent(frames.length);
    this.#socket.send(frames);
  }

  /** A writer's next message. */
  #next(): string {
    const { dialect, writer } = this.#options;
    return dialect.send(messageId(writer?.index ?? 0, (writer?.first ?? 0) + this.#sent++), stampedContent());
  }

  #checkSeqs(frame: Buffer): void {
    const seqs = this.#options.dialect.seqs?.(frame);
    if (!seqs) return;
    if (this.#last !== undefined && seqs.first !== this.#last + 1) {
      this.#options.tally.fault(`Seq ${seqs.first} came after ${this.#last}.`);
    }
    this.#last = seqs.last;
  }
}
