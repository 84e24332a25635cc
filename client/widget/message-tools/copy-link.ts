import type { Seq } from "../../../party/protocol.ts";
import { isFirst, type RoomElement } from "../message-links.ts";

/** Puts the address of a message into the clipboard. Whether the browser let it. */
export async function copyLink(seq: Seq, element: RoomElement): Promise<boolean> {
  const address = new URL(location.href);
  address.hash = `msg-${seq}${isFirst(element) ? "" : `-${element.room}`}`;
  try {
    await navigator.clipboard.writeText(address.href);
    return true;
  } catch {
    return false;
  }
}
