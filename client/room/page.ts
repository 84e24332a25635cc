/** Pages of a room's log, over HTTP: for what is further back than a socket goes. */

import type { ErrorCode, Message, Seq } from "../../party/protocol.ts";
import { RoomError } from "./outbox.ts";

/** One page of a room's log, oldest first. */
export interface Page {
  readonly messages: readonly Message[];
  /** The newest seq of the room. */
  readonly head: Seq;
  readonly epoch: string;
  /** There is more beyond this page, in the direction that was asked for. */
  readonly more: boolean;
}

/** The newest page, or the one before or after a seq. */
export interface PageRange {
  readonly before?: Seq;
  readonly after?: Seq;
  readonly limit?: number;
}

/** @throws RoomError with the server's code, when it refuses. */
export async function readPage(
  fetch: (url: string) => Promise<Response>,
  roomUrl: string,
  range: PageRange,
): Promise<Page> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(range)) query.set(name, String(value));
  const response = await fetch(`${roomUrl}/messages?${query}`);
  if (response.ok) return (await response.json()) as Page;
  const { error } = (await response.json().catch(() => ({}))) as { error?: { code: ErrorCode; message: string } };
  throw new RoomError(error?.code ?? "unavailable", error?.message ?? `The server answered ${response.status}.`);
}
