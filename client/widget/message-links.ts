/**
 * Links to messages, in the address of the page: `#msg-12` is message 12 of the first room of the page, `#msg-12-lobby` of
 * the room `lobby`.
 */

import type { Seq } from "../../party/protocol.ts";

export interface RoomElement extends HTMLElement {
  readonly room: string;
}

/** A page's first room; one in a shadow root is not found from outside, and counts as the first. */
export const isFirst = (element: RoomElement): boolean =>
  (document.querySelector(element.localName) ?? element) === element;

/** The message that `hash` links to, if it is one of this room's. */
export function linkedMessage(hash: string, element: RoomElement): Seq | undefined {
  const [, seq, room] = /^#msg-(\d{1,15})(?:-(.+))?$/.exec(hash) ?? [];
  const isMeant = room === undefined ? isFirst(element) : room === element.room;
  return seq && isMeant ? Number(seq) : undefined;
}
