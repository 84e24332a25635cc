/** What a reader can do in the parts of the widget. The room element does it; the parts only ask. */

import type { Message, Seq } from "../../party/protocol.ts";
import type { Author } from "./composer/author.ts";
import type { Moderation } from "./moderation/moderation.ts";

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
  /** What a sender is called in a line of text: a site's user as their site says, with the site. */
  nameOf(sender: string): string;
  /** Says something to a screen reader. */
  say(text: string): void;
  /** What moderators do, in the name of the person here. It is loaded when it is first asked for. */
  moderation(): Promise<Moderation>;
  /** Who writes as the person here, once the field has come; `undefined` where the room has been left. */
  author(): Promise<Author | undefined>;
  /** Puts `@sender` into the field. */
  mention(sender: string): void;
  /** Puts the focus into the field. */
  compose(): void;
}
