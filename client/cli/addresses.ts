/** Which server, and which room of it. */

import { isRoomId } from "../../party/protocol.ts";
import { parseRoomAddress, type RoomAddress } from "../stay/room-address.ts";
import { usage } from "./failure.ts";

/** The server that is meant where none is named. */
const USUAL_SERVER = "https://meet-ai.cc";

/** The server that `MEET_AI_HOST` names: its origin, and the path below which it lies, if there is one. */
export function serverOf(env: NodeJS.ProcessEnv): string {
  const host = env.MEET_AI_HOST;
  if (!host) return USUAL_SERVER;
  const url = URL.canParse(host) ? new URL(host) : undefined;
  const isServer = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
  if (isServer) return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  throw usage(`MEET_AI_HOST is a server such as http://localhost:8787, not "${host}".`);
}

/** A room as it was named, with the address that `join` takes. */
export interface NamedRoom extends RoomAddress {
  /** Its address, with the secret of an invite where it has one. */
  readonly url: string;
}

/** The room that ROOM names: an id at the server of `MEET_AI_HOST`, or an address. */
export function roomOf(name: string, env: NodeJS.ProcessEnv): NamedRoom {
  if (isRoomId(name)) {
    const server = serverOf(env);
    return { server, room: name, url: `${server}/r/${name}` };
  }
  if (!name.includes("://")) {
    throw usage(`"${name}" is no room: ROOM is an id such as lobby, or an address such as https://meet-ai.cc/r/lobby.`);
  }
  return { ...parseRoomAddress(name), url: name };
}
