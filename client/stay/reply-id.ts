/** The id of a reply, made from what it answers: whoever writes the same reply twice is recognised. */

import type { Message } from "../../party/protocol.ts";
import { base64url } from "./random-id.ts";
import { RoomError } from "./room-error.ts";

/**
 * The id of the reply of `me` to `message`: the same after a restart and in a new history of the room, in which seqs may
 * have changed. SHA-256, so that nobody can choose an id of theirs that takes the place of another reply.
 *
 * @throws RoomError `unavailable`: a browser keeps SHA-256 from pages without TLS, but those of `localhost`.
 */
export async function replyId({ sender, id }: Pick<Message, "sender" | "id">, me: string): Promise<string> {
  if (!crypto.subtle) throw new RoomError("unavailable", "A reply needs a page from https:// or from localhost.");
  const text = new TextEncoder().encode(JSON.stringify([sender, id, me]));
  return `re-${base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", text)))}`;
}
