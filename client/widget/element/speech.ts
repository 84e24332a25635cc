/** What a screen reader is to say while an element shows one room. That of a room that was left is heard by nobody. */

import type { Message } from "../../../party/protocol.ts";
import type { Announcer } from "../feed/announcer.ts";
import { loadRenderer } from "../lazy-renderer.ts";
import type { RoomHost } from "./room-controller.ts";

export class Speech {
  /** What is rendered for it. */
  text = "";
  readonly #host: RoomHost;
  #announcer: Announcer | undefined;

  constructor(host: RoomHost) {
    this.#host = host;
  }

  /** Says something. Emptied first, so that the same words again are news again. */
  say(text: string): void {
    this.#show("");
    void this.#host.updateComplete.then(() => this.#show(text));
  }

  /** Reads a message out, by what comes with the renderer: it says what a message says, without the marks. */
  announce(message: Message): void {
    void loadRenderer().then(({ Announcer }) => {
      this.#announcer ??= new Announcer({ say: (text) => this.say(text), strings: () => this.#host.texts });
      this.#announcer.add(message);
    });
  }

  /** Something that was said is gone: what is gathered or still stands here may be that. */
  forget(): void {
    this.#announcer?.stop();
    this.#show("");
  }

  #show(text: string): void {
    this.text = text;
    this.#host.requestUpdate();
  }
}
