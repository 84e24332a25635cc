/**
 * What the person at this browser says in one room: under which name, and kept by the tab until the room has it. It
 * comes with the field: who only watches does without.
 */

import type { Message, Seq } from "../../../party/protocol.ts";
import type { Credentials, RoomClient, RoomEvent, SendOptions } from "../../room/index.ts";
import { memoryOf } from "../memory.ts";
import { knownCredentials, newGuest } from "../room/identity.ts";
import { KeptMessages } from "./kept-messages.ts";
import { WritingSign } from "./writing-sign.ts";

export class Writer {
  readonly #client: RoomClient;
  readonly #kept: KeptMessages;
  readonly #sign = new WritingSign();
  /** Who they become when they write; nobody else, if the client knows them already. */
  #become: (() => Credentials) | undefined;

  /** `isNobody`: the client has come without credentials. */
  constructor(client: RoomClient, { key, isNobody }: { key: string | undefined; isNobody: boolean }) {
    this.#client = client;
    // Another tab may have made the guest since.
    if (isNobody) this.#become = () => knownCredentials(client.server, key) ?? newGuest(client.server);
    this.#kept = new KeptMessages(memoryOf("pending", client.server, client.room));
    if (client.you) this.#kept.sendLeft(client, client.you.sender);
  }

  /** What the client tells. */
  hear(event: RoomEvent): void {
    if (event.type === "pending") this.#kept.keep(event.pending, this.#client.you?.sender);
    if (event.type === "you") this.#kept.sendLeft(this.#client, event.you.sender);
  }

  /** They are about to write: from now on they have a name. */
  enter(): void {
    const become = this.#become;
    this.#become = undefined;
    if (become) this.#client.identify(become());
  }

  /** The text in the field has changed. */
  edited(text: string): void {
    this.#sign.edited(text, this.#client);
  }

  /** Sends a message. Gives its seq once the room has it. */
  send(content: string, options: SendOptions): Promise<Seq> {
    this.enter();
    return this.#client.send(content, options);
  }

  /** Sends what stood in the field: the message that the room has seen them write. */
  submit(content: string, replyTo: Message | undefined): void {
    const options = { id: this.#sign.take(), ...(replyTo && { replyTo: replyTo.seq }) };
    // A refusal stands beside the message.
    this.send(content, options).catch(() => {});
  }
}
