/**
 * The person at this browser as the author of what is said in one room: under which name, with the sign that they write,
 * and kept by the tab until the room has it. It comes with the field, and does what the field asks for.
 */

import type { AskOption, Message, Seq } from "../../../party/protocol.ts";
import type { Connection } from "../../stay/connection.ts";
import { type Credentials, guestAt } from "../../stay/credentials.ts";
import type { Draft } from "../../stay/draft.ts";
import { KeptMessages } from "../../stay/kept-messages.ts";
import type { RoomError } from "../../stay/room-error.ts";
import type { WriterEvent } from "../../stay/room-event.ts";
import { type SendOptions, Writer } from "../../stay/writer.ts";
import { type ReaderEvent, type RoomState, waitsUntil } from "../../view/room-state.ts";
import { deviceMemory, memoryOf, tabMemory } from "../browser-memory.ts";

/** The sign that the person writes is repeated after this long, ms, before the room lets it lapse. */
const AGAIN = 20_000;

export interface AuthorOptions {
  /** Who they are, if that is known: without it they become a guest. */
  readonly person: Credentials | undefined;
  hear(event: WriterEvent | ReaderEvent): void;
  /** The room as it is now. */
  room(): RoomState;
  /** The message that the next one replies to. */
  replyTo(): Message | undefined;
  /** Replies to this message, or to none. */
  reply(message: Message | undefined): void;
  /** Whether the page lets the text be sent. */
  mayGo(text: string): boolean;
  /** What stood in the field is on its way. */
  gone(): void;
  /** Upwards out of an empty field. */
  toMessages(): void;
}

export class Author {
  readonly #connection: Connection;
  readonly #options: AuthorOptions;
  readonly #writer: Writer;
  /** The message that is being written, as the room is told of it. */
  #draft: Draft | undefined;
  #toldAt = 0;
  #stopMute = () => {};

  constructor(connection: Connection, options: AuthorOptions) {
    this.#connection = connection;
    this.#options = options;
    const { server, room } = connection;
    this.#writer = new Writer(connection, { kept: new KeptMessages(tabMemory, memoryOf("pending", server, room)) });
    this.#writer.subscribe(options.hear);
    this.#writer.on("error", ({ error }) => error.code === "muted" && this.#endMute(error));
  }

  /** The room as it is now. */
  get room(): RoomState {
    return this.#options.room();
  }

  /** Whether a quota, or a room that is not available, makes the next message wait. */
  get mustWait(): boolean {
    return waitsUntil(this.room) > this.#connection.deps.clock.now();
  }

  /** They are about to write: from now on they have a name. */
  enter(): void {
    const { credentials, server } = this.#connection;
    // Another tab may have made the guest since.
    if (!credentials) this.#connection.identify(this.#options.person ?? guestAt(deviceMemory, server));
  }

  /** The text in the field has changed: the room hears that they write, under the id that the message is going to have. */
  edited(text: string): void {
    if (text.trim() === "") {
      this.#draft?.abort();
      this.#draft = undefined;
      return;
    }
    const { clock } = this.#connection.deps;
    if (this.#draft && clock.now() - this.#toldAt < AGAIN) return;
    this.#draft ??= this.#writer.draft();
    this.#toldAt = clock.now();
    this.#draft.write("");
  }

  /** Sends a message. Gives its seq once the room has it. */
  async send(content: string, options: SendOptions = {}): Promise<Seq> {
    this.enter();
    return (await this.#writer.send(content, options)).seq;
  }

  /**
   * Sends what stands in the field, as the message that the room has seen them write. A refusal stands beside the message.
   * Whether it was taken: over quota the text stays where it is, and the person sees for how long.
   */
  submit(content: string): boolean {
    const { mayGo, replyTo, gone } = this.#options;
    if (this.mustWait || !mayGo(content)) return false;
    const id = this.#draft?.id;
    // The message takes its place.
    this.#draft = undefined;
    this.send(content, { id, replyTo: replyTo()?.seq }).catch(() => {});
    gone();
    return true;
  }

  /** Answers an ask. An answer that was refused before gives way. */
  answer(target: Seq, { id: option, label }: AskOption): void {
    for (const { id, state, answer } of this.room.pending) {
      if (state === "failed" && answer?.target === target) this.discard(id);
    }
    this.send(label, { replyTo: target, answer: { target, option } }).catch(() => {});
  }

  cancelReply(): void {
    this.#options.reply(undefined);
  }

  toMessages(): void {
    this.#options.toMessages();
  }

  /** Sends a refused message again. */
  retry(id: string): void {
    const message = this.room.pending.find((pending) => pending.id === id);
    if (message) this.send(message.content, { id, replyTo: message.replyTo }).catch(() => {});
  }

  /** Takes a message back. One that is on its way may arrive all the same. */
  discard(id: string): void {
    this.#writer.discard(id);
  }

  /** Deletes a message. A refusal is an event. */
  delete(seq: Seq): void {
    this.#writer.delete(seq).catch(() => {});
  }

  /** Leaves what is pending to the next visit. */
  close(): void {
    this.#stopMute();
    this.#writer.close();
  }

  /** When a mute ends, nobody tells. Who is muted for longer than a timer can be is told so again when they write. */
  #endMute(refusal: RoomError): void {
    this.#stopMute();
    const { retryAfter } = refusal;
    if (!retryAfter) return;
    const end = () => this.#options.hear({ type: "passed", refusal });
    this.#stopMute = this.#connection.deps.clock.after(retryAfter * 1000, end);
  }
}
