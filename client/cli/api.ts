/** The server's HTTP side, with what goes wrong in words: each caller of the API says what to do about it only once, here. */

import { setTimeout as pause } from "node:timers/promises";
import type { ErrorCode } from "../../party/protocol.ts";
import { passes, passesAfter, RoomError } from "../stay/room-error.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { visibleLine } from "./visible-text.ts";

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE" | undefined;
  /** What is sent as JSON. */
  readonly body?: unknown;
  readonly key?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** It may be said again after a failure: it reads, or it has an id. */
  readonly repeatable?: boolean | undefined;
  /** How long an answer may take, ms. */
  readonly patience?: number | undefined;
}

/** An answer that has not come by then, ms, does not come. */
const PATIENCE = 30_000;
/** So often what may be repeated is said in all. */
const ATTEMPTS = 4;
/** The longest that a command sits out a refusal that passes, ms; after that the person decides. */
const LONGEST_WAIT = 65_000;

/**
 * Asks the API of `server` for `path`.
 *
 * @throws RoomError with the server's code, when it refuses; Failure, when it can't be reached or is none.
 */
export async function callApi(server: string, path: string, request: ApiRequest = {}): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(server, path, request);
    } catch (error) {
      request.signal?.throwIfAborted();
      const wait = waitAfter(error, attempt);
      const isLast = !request.repeatable || attempt === ATTEMPTS || wait === undefined;
      if (isLast) throw error;
      await pause(wait, undefined, { signal: request.signal }).catch(() => request.signal?.throwIfAborted());
    }
  }
}

/** The same, of which the answer's body is wanted. */
export async function readApi<Body>(server: string, path: string, request: ApiRequest = {}): Promise<Body> {
  return bodyOf<Body>(server, await callApi(server, path, request), request.signal);
}

/** The body of an answer, as JSON. */
export async function bodyOf<Body>(server: string, response: Response, signal?: AbortSignal): Promise<Body> {
  const body: unknown = await response.json().catch(() => {
    signal?.throwIfAborted();
    return undefined;
  });
  if (typeof body === "object" && body !== null) return body as Body;
  throw notAServer(server, "its answer is no JSON");
}

/** Ms until it is worth another try; `undefined` when it is not. */
function waitAfter(error: unknown, attempt: number): number | undefined {
  if (error instanceof LostConnection) return 250 * 2 ** attempt;
  if (!(error instanceof RoomError) || !passes(error.code)) return undefined;
  const wait = passesAfter(error);
  return wait <= LONGEST_WAIT ? wait : undefined;
}

async function ask(server: string, path: string, request: ApiRequest): Promise<Response> {
  const { method = "GET", body, key, signal, patience = PATIENCE } = request;
  const tooLate = AbortSignal.timeout(patience);
  let response: Response;
  try {
    response = await fetch(`${server}${path}`, {
      method,
      redirect: "error",
      headers: {
        accept: "application/json",
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw tooLate.aborted
      ? new Failure(EXIT.unreachable, `${server} did not answer within ${patience / 1_000} s. Try again later.`)
      : unreachable(server, error as Error);
  }
  // An error of 202 is a message that waits for a moderator: the caller's to tell.
  if (response.ok) return response;
  throw await refusalOf(server, response);
}

async function refusalOf(server: string, response: Response): Promise<Error> {
  const { error } = (await response.json().catch(() => ({}))) as {
    error?: { code?: ErrorCode; message?: string; seq?: number };
  };
  if (!error?.code || !error.message) return notAServer(server, `it answers ${response.status}`);
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(after) ? after : undefined;
  return new RoomError(error.code, visibleLine(error.message), { retryAfter, seq: error.seq });
}

export const notAServer = (server: string, why: string): Failure =>
  new Failure(EXIT.unreachable, `${server} is no meet-ai server: ${why}. MEET_AI_HOST names another.`);

/** The connection was not made, or broke before the answer. */
class LostConnection extends Failure {}

/** Node's names for certificates that are not valid now: the clock of this machine decides that. */
const BY_CLOCK = ["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"];

function unreachable(server: string, error: Error): Failure {
  const cause = error.cause as (Error & { code?: string; errors?: { code?: string }[] }) | undefined;
  const code = cause?.code ?? cause?.errors?.[0]?.code;
  if (code !== undefined && BY_CLOCK.includes(code)) {
    const now = new Date().toISOString().slice(0, 16).replace("T", " ");
    const line = `The certificate of ${server} is not valid at ${now} UTC. Is the clock of this machine right?`;
    return new Failure(EXIT.unreachable, line);
  }
  const why = visibleLine(code ?? cause?.message ?? error.message);
  return new LostConnection(
    EXIT.unreachable,
    `${server} can't be reached (${why}). Does it run? MEET_AI_HOST names another server.`,
  );
}
