/** Pages of a room's log, over HTTP: for what is further back than a connection goes. */

import type { ErrorCode, Message, Names, Seq } from "../../party/protocol.ts";
import { type Credentials, tokenOf } from "./credentials.ts";
import { apiOf, type RoomAddress } from "./room-address.ts";
import { RoomError } from "./room-error.ts";

/** One page of a room's log, oldest first. */
export interface Page {
  readonly messages: readonly Message[];
  /** The newest seq that the answer knows of. */
  readonly head: Seq;
  readonly epoch: string;
  /** There is more beyond this page, in the direction that was asked for. */
  readonly more: boolean;
  /** What sites call those of the senders who are their users, by sender. */
  readonly names?: Names;
  /**
   * The page is of another history of the room than the one that was asked for: its seqs mean other messages. Or, where the
   * epoch is the one that was asked for, what follows the seq is gone because of its age. It has the newest messages.
   */
  readonly reset?: true;
}

/** The newest page, or the one before or after a seq. */
export interface PageRange {
  readonly before?: Seq | undefined;
  readonly after?: Seq | undefined;
  /** Messages, 200 at most. */
  readonly limit?: number | undefined;
}

export interface PageRequest extends PageRange {
  /** The history that the seqs are of. */
  readonly epoch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The room that is read, and the history of it that one knows: a connection. */
export interface PageSource extends RoomAddress {
  readonly epoch: string | undefined;
  readonly credentials: Credentials | undefined;
  readonly deps: { fetch(url: string, init?: RequestInit): Promise<Response> };
}

/** An answer that has not come by then, ms, does not come. */
const PATIENCE = 30_000;

/**
 * Reads a page of the log.
 *
 * @throws RoomError with the server's code, when it refuses; `unavailable`, when no whole answer comes from it within 30 s.
 */
export async function readPage(source: PageSource, request: PageRequest = {}): Promise<Page> {
  const { signal, ...range } = { ...(isOfHistory(request) && { epoch: source.epoch }), ...request };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(range)) if (value !== undefined) query.set(name, String(value));
  const tooLate = AbortSignal.timeout(PATIENCE);
  const init = { signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate };
  const ask = (headers?: Record<string, string>) =>
    source.deps.fetch(`${apiOf(source)}/messages?${query}`, { ...init, ...(headers && { headers }) });
  try {
    let response = await ask();
    // Only a members' room asks who reads. Elsewhere another site's page needs no preflight.
    const { credentials } = source;
    if (response.status === 401 && credentials) response = await ask(await headersOf(credentials));
    if (!response.ok) throw await refusalOf(response);
    const page = (await response.json()) as Page;
    return range.epoch === undefined || range.epoch === page.epoch ? page : { ...page, reset: true };
  } catch (error) {
    if (error instanceof RoomError) throw error;
    // Also in the middle of an answer, or because something else than the server has answered.
    throw signal?.aborted ? signal.reason : new RoomError("unavailable", (error as Error).message);
  }
}

/** What a request has to say who makes it. Rejects where what gives a token does. */
export const headersOf = async (credentials: Credentials): Promise<Record<string, string>> => ({
  authorization:
    "guest" in credentials
      ? `Guest ${credentials.guest}`
      : `Bearer ${"key" in credentials ? credentials.key : await tokenOf(credentials.token)}`,
});

async function refusalOf(response: Response): Promise<RoomError> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: { code: ErrorCode; message: string } };
  return new RoomError(error?.code ?? "unavailable", error?.message ?? `The server answered ${response.status}.`);
}

/** Whether the request names a seq, which means something only within one history. */
const isOfHistory = ({ before, after }: PageRequest): boolean => before !== undefined || after !== undefined;
