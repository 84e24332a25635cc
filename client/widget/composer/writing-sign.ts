/** Tells the room that somebody writes, under the id that their message is going to have. */

import { type RoomClient, randomId } from "../../room/index.ts";

/** It is said again after this long, ms: before the room lets it lapse. */
const AGAIN = 20_000;

export class WritingSign {
  #id: string | undefined;
  #told = 0;

  /** The text in the field has changed. */
  edited(text: string, client: RoomClient): void {
    if (text.trim() === "") return;
    this.#id ??= randomId();
    if (Date.now() - this.#told < AGAIN) return;
    this.#told = Date.now();
    client.draft(this.#id, "");
  }

  /** The id for the message that was being written, which ends the sign. */
  take(): string {
    const id = this.#id ?? randomId();
    this.#id = undefined;
    this.#told = 0;
    return id;
  }
}
