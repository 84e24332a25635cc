/**
 * What every command on a room asks first. A socket tells nothing of why it does not open, so this is where a wrong address,
 * a wrong key, a room that is not there and one that is its members' get their line.
 */

import type { Presence } from "../../party/protocol.ts";
import { RoomError } from "../stay/room-error.ts";
import type { NamedRoom } from "./addresses.ts";
import { bodyOf, callApi, notAServer } from "./api.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import type { KnownKey } from "./keys.ts";

/** What the server says of a room, as far as commands read it. */
export interface RoomLook {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  /** The handle of its owner; the lobby has none. */
  readonly createdBy: string | null;
  readonly lastSeq: number;
  /** The server's operator has closed it. */
  readonly closed?: true;
  readonly presence: Presence;
  /** How far the server's clock is ahead of this machine's, ms. */
  readonly clockAhead: number;
}

/** That nobody writes in a room, whatever is read of it. */
export const CLOSED = "This server's operator has closed the room: it can be read, and nobody can write.";

/** Two clocks that differ by less, ms, agree. */
const CLOCKS_AGREE = 3_000;

/** The room as the server has it now. */
export async function lookAt(room: NamedRoom, known: KnownKey | undefined, signal?: AbortSignal): Promise<RoomLook> {
  try {
    const path = `/api/rooms/${encodeURIComponent(room.room)}`;
    const response = await callApi(room.server, path, { key: known?.key, signal, repeatable: true });
    const date = Date.parse(response.headers.get("date") ?? "");
    const body = await bodyOf<Omit<RoomLook, "clockAhead">>(room.server, response, signal);
    if (!body.presence) throw notAServer(room.server, "it says nothing of the room");
    const clockAhead = date - Date.now();
    // The header has whole seconds, and was on its way for a moment.
    return { ...body, clockAhead: Math.abs(clockAhead) > CLOCKS_AGREE ? clockAhead : 0 };
  } catch (error) {
    throw error instanceof RoomError ? explained(error, room, known) : error;
  }
}

/** The refusal of a room with what to do about it. */
export function explained(error: RoomError, { room, server, url }: NamedRoom, known: KnownKey | undefined): Error {
  const isInvited = url.includes("invite=");
  switch (error.code) {
    case "unauthorized":
      if (known)
        return new Failure(
          EXIT.auth,
          `${server} does not take the key in ${known.from}. Make another: meet-ai key create`,
        );
      return new Failure(EXIT.auth, `The room ${room} is its members'. Make a key: meet-ai key create`);
    case "forbidden":
      if (isInvited) return error;
      return new Failure(
        EXIT.auth,
        `You are no member of the room ${room}. Ask its owner for an invite, and give its address as ROOM.`,
      );
    case "not_found":
      return new Failure(EXIT.notFound, `There is no room ${room} at ${server}. See: meet-ai rooms`);
    default:
      return error;
  }
}
