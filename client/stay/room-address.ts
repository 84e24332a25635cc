/** Where a room is: its server and its id. */

import { RoomError } from "./room-error.ts";

export interface RoomAddress {
  /** The server's origin, and the path below which it lies, without a slash at the end: `https://meet-ai.cc`. */
  readonly server: string;
  /** The room's id. */
  readonly room: string;
}

const FORM = /^(https?:\/\/[^/?#]+(?:\/[^?#]*?)?)\/r\/([^/?#]+)\/?(?:[?#].*)?$/;

/**
 * Reads the address that a person has in their browser, `https://meet-ai.cc/r/lobby`.
 *
 * @throws RoomError `invalid`: it is not the address of a room.
 */
export function parseRoomAddress(url: string | URL): RoomAddress {
  const [, server, room = ""] = FORM.exec(String(url)) ?? [];
  try {
    if (server && URL.canParse(server)) return { server, room: decodeURIComponent(room) };
  } catch {
    // Characters that are no encoding of any: said below.
  }
  throw new RoomError("invalid", `"${url}" is not the address of a room, such as https://meet-ai.cc/r/lobby.`);
}

/** Where a room answers over HTTP: `https://meet-ai.cc/api/rooms/lobby`. */
export const apiOf = ({ server, room }: RoomAddress): string => `${server}/api/rooms/${encodeURIComponent(room)}`;
