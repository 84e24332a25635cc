/** What a request is answered with that has ended in an error, whichever way it came. */

import type { Context } from "hono";
import { InvalidVariable } from "../party/configuration.ts";
import { errors } from "../party/errors/error-tally.ts";
import { fault } from "../party/protocol.ts";
import { awayRefusal, failureResponse, limitRefusal, Refused, refusalResponse } from "./errors.ts";

/** What callers are told of a variable that can't be used: its name is in the log, for the operator. */
const MISCONFIGURED = fault("unavailable", "This server is not configured correctly; its log says which variable.");

/** The answer to a request that has ended in `error`. */
export function answerError(error: Error, c: Context): Response {
  if (error instanceof Refused) return withHeaders(refusalResponse(error.refusal), c.res.headers);
  if (error instanceof InvalidVariable) {
    console.error(`This deployment's configuration is not valid: ${error.message}`);
    return refusalResponse(MISCONFIGURED);
  }
  const limited = limitRefusal(error, Date.now());
  if (limited) return withHeaders(refusalResponse(limited), c.res.headers);
  const incident = crypto.randomUUID();
  // Only the path is logged: a query or a header may hold a secret.
  const { method } = c.req;
  const path = new URL(c.req.url).pathname;
  console.error("A request failed", { incident, method, path, error });
  const away = awayRefusal(error);
  if (away) return withId(withHeaders(refusalResponse(away), c.res.headers), incident);
  const place = `${method} ${placeOf(path)}`;
  errors.note({ id: incident, at: Date.now(), code: "unavailable", what: "A request failed", place });
  return withId(failureResponse(incident), incident);
}

/** Has the answer name its log line, also where its words do not. */
function withId(response: Response, incident: string): Response {
  response.headers.set("x-request-id", incident);
  return response;
}

/** As much of a path as says which route it is, and of which room: what follows may name somebody. */
const placeOf = (path: string): string => path.split("/", 5).join("/").slice(0, 100);

/** Headers that a route had set before it refused (quotas) stay. */
function withHeaders(response: Response, headers: Headers): Response {
  for (const [name, value] of headers) if (name.startsWith("ratelimit")) response.headers.set(name, value);
  return response;
}
