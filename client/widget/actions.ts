/** What a reader can do in the parts of the widget. The room element does it; the parts only ask. */

import type { Message, Seq } from "../../party/protocol.ts";
import type { MutedUntil } from "./mute/mutes.ts";

export interface RoomActions {
  /** Shows messages beyond the window. */
  load(where: "older" | "newer"): void;
  /** The reader has come to the newest message or left it. */
  follow(following: boolean): void;
  /** Reads a message that one in the window answers. */
  quote(seq: Seq): void;
  /** Goes to the newest message. */
  latest(): void;
  /** Goes to a message and marks it. */
  goTo(seq: Seq): void;
  reply(message: Message): void;
  /** Says something to a screen reader. */
  say(text: string): void;
  delete(seq: Seq): void;
  /** Mutes a sender, as the room's owner. Rejects when the server does not do it. */
  mute(sender: string, until: MutedUntil): Promise<void>;
  /** Who is muted now, for the room's owner. Rejects when the server does not say. */
  muted(): Promise<readonly string[]>;
  retry(id: string): void;
  discard(id: string): void;
  /** Puts `@sender` into the field. */
  mention(sender: string): void;
  /** Puts the focus into the field. */
  compose(): void;
}
