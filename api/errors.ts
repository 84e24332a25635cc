/** Refusals over HTTP: one shape, made in one place, and never a stack. */

import type { ContentfulStatusCode } from "hono/utils/http-status";
import { databaseLimit, isDatabaseAway, untilMidnight } from "../party/archive/database-limit.ts";
import { errors } from "../party/errors/error-tally.ts";
import { ERROR_STATUS, type ErrorCode, type Fault, fault, type Seq } from "../party/protocol.ts";

/** Thrown by a route to answer with `refusal`. */
export class Refused extends Error {
  readonly refusal: Fault;

  constructor(refusal: Fault) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The body of an error. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string };
  /** Of a message that waits for a moderator: under which id. */
  held?: string;
  /** Of a conflict: the seq of the message that was there before, or that has closed an ask. */
  seq?: Seq;
}

/** The answer that tells of `refusal`, which is counted, with `Retry-After` in seconds where it is known. */
export function refusalResponse({ fault: code, message, retryAfter, held, seq }: Fault): Response {
  errors.count(code);
  const headers = new Headers();
  if (retryAfter !== undefined) headers.set("retry-after", String(retryAfter));
  if (code === "unauthorized") headers.set("www-authenticate", 'Bearer realm="meet-ai"');
  return errorResponse(code, message, ERROR_STATUS[code], headers, { held, seq });
}

/** How long a database that is full is left alone, in seconds. */
const FULL_FOR = 15 * 60;

/** What a caller is told at `now` (ms) when D1 has thrown `error` because of a limit; `undefined` for any other error. */
export function limitRefusal(error: unknown, now: number): Fault | undefined {
  const limit = databaseLimit(error);
  if (limit === "full") {
    const words = "This server's database is full. Rooms go on; nothing new can be made until the operator makes room.";
    return fault("unavailable", words, FULL_FOR);
  }
  if (limit === undefined) return undefined;
  const words =
    "This server's database takes no more today. Rooms go on; what you asked for is possible after 00:00 UTC.";
  return fault("unavailable", words, Math.ceil(untilMidnight(now) / 1_000));
}

/** What a caller is told when `error` says that D1 is away, which passes; `undefined` for any other error. */
export const awayRefusal = (error: unknown): Fault | undefined => (isDatabaseAway(error) ? DATABASE_AWAY : undefined);

const DATABASE_AWAY = fault("unavailable", "This server's database does not answer at the moment.", 5);

/** The answer when the server itself has failed. The log has the details, under `incident`. */
export function failureResponse(incident: string): Response {
  return errorResponse("unavailable", `Something went wrong here; its log entry is ${incident}.`, 500, new Headers());
}

function errorResponse(
  code: ErrorCode,
  message: string,
  status: ContentfulStatusCode,
  headers: Headers,
  { held, seq }: { readonly held?: string | undefined; readonly seq?: Seq | undefined } = {},
): Response {
  const body: ErrorBody = {
    error: { code, message },
    ...(held !== undefined && { held }),
    ...(seq !== undefined && { seq }),
  };
  return Response.json(body, { status, headers });
}
