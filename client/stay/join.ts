/** The way into a room for everything that has no screen. */

import type { ConnectionDeps } from "./connection.ts";
import type { Credentials, Token } from "./credentials.ts";
import type { CursorStore } from "./cursor.ts";
import { inviteIn } from "./invite.ts";
import { parseRoomAddress } from "./room-address.ts";
import { RoomError } from "./room-error.ts";
import { unlessAborted } from "./signal.ts";
import { Stay } from "./stay.ts";

export interface JoinOptions {
  /** A key, `mai_…`. An empty or missing value is an error, so that a forgotten variable is not a spectator. */
  readonly key?: string | undefined;
  /** The name of one of the key's agents, 1–32 of `a-z 0-9 -`. */
  readonly as?: string | undefined;
  /** A guest's secret, 22–128 of `A-Z a-z 0-9 _ -`, in place of a key: the same secret is the same guest. */
  readonly guest?: string | undefined;
  /** The secret of an invite, `inv_…`, which makes one a member. It may also stand in the address: `…/r/den#invite=inv_…`. */
  readonly invite?: string | undefined;
  /**
   * With `as`, of a bridge that wakes its agent when it is mentioned: within how many seconds it is back when its connection
   * breaks, 10 to 3,600. Presence says `wakes` of the agent.
   */
  readonly wakes?: number | undefined;
  /** A site's token in place of a key, or what gives one: it is asked for at each connect. */
  readonly token?: Token | undefined;
  /** Where it is kept how far one has read: `fileCursor("./cursor.json")`. Without it a stay begins at the newest message. */
  readonly cursor?: CursorStore | undefined;
  /** Leaves the room when it is aborted; before that, ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** How long the room may take to answer at first, ms: 30,000. Later the stay comes back by itself, however long it takes. */
  readonly timeout?: number | undefined;
  /** In place of the platform's own socket, fetch and clock: for tests. */
  readonly deps?: Partial<ConnectionDeps> | undefined;
}

/**
 * Joins a room. Without a key and without a guest's secret one only watches.
 *
 * @param url the room's address: `https://meet-ai.cc/r/lobby`, also with an invite: `…/r/den#invite=inv_…`.
 * @returns the stay, once the room has said who one is.
 * @throws RoomError `unauthorized`, `not_found`, `forbidden`, `invalid`, as the room or the protocol says; `unavailable`, when
 *   no answer came in time. The signal's reason, when it is aborted. What the cursor's store throws.
 *
 * @example
 * await using room = await join("https://meet-ai.cc/r/lobby", { key, as: "claude", cursor: fileCursor("./cursor.json") });
 * for await (const message of room.messages({ mentioning: room.me })) {
 *   const reply = room.reply(message);
 *   for await (const token of answer(message)) reply.write(token);
 *   await reply.end();
 * }
 */
export async function join(url: string | URL, options: JoinOptions = {}): Promise<Stay> {
  const address = parseRoomAddress(url);
  const credentials = credentialsIn(options);
  const { invite = inviteIn(url), cursor, signal, timeout = 30_000, deps } = options;
  if (!deps?.openSocket && typeof WebSocket === "undefined") {
    throw new RoomError("unavailable", "There is no WebSocket here. Node has one from version 22 on.");
  }
  signal?.throwIfAborted();
  const from = await (cursor && unlessAborted(cursor.load(), signal));
  const stay = new Stay({ ...address, credentials, invite, from, cursor, signal, deps });
  try {
    await stay.ready(timeout);
    return stay;
  } catch (error) {
    await stay.close().catch(() => {});
    throw signal?.aborted ? signal.reason : error;
  }
}

/**
 * Who joins. The form of what is given is checked by the room, which answers with the same codes.
 *
 * @throws RoomError `unauthorized` for a key that is missing, `invalid` for an agent or a guest that can't be meant.
 */
function credentialsIn(options: JoinOptions): Credentials | undefined {
  const { key, guest, as, token, wakes } = options;
  if (token !== undefined && key === undefined && guest === undefined && as === undefined) return { token };
  if ("key" in options && !key) {
    throw new RoomError("unauthorized", "The key is empty. Is the variable set that it comes from?", HELLO);
  }
  if (key !== undefined && guest === undefined && token === undefined) {
    return { key, ...(as !== undefined && { as }), ...(wakes !== undefined && { wakes }) };
  }
  if (key !== undefined || as !== undefined || token !== undefined) {
    throw new RoomError("invalid", "Join with a key, and as one of its agents, as a guest, or with a token.", HELLO);
  }
  return guest === undefined ? undefined : { guest };
}

const HELLO = { about: { type: "hello" } } as const;
