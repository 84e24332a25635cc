/** What a request is answered with that has ended in an error, whichever way it came. */

import { InvalidVariable } from "../party/configuration.ts";
import { errors } from "../party/errors/error-tally.ts";
import { sentenceOf } from "../party/operator-log/operator-log.ts";
import { fault } from "../party/protocol.ts";
import { awayRefusal, failureResponse, limitRefusal, Refused, refusalResponse } from "./errors.ts";
import type { Call } from "./request.ts";
import { placeOf, requestIdOf } from "./request-log.ts";

/** What callers are told of a variable that can't be used: its name is in the log, for the operator. */
const MISCONFIGURED = fault("unavailable", "This server is not configured correctly; its log says which variable.");

/** The answer to a request that has ended in `error`. The log has the error under the request's id. */
export function answerError(error: Error, c: Call): Response {
  if (error instanceof InvalidVariable) return refusalResponse(MISCONFIGURED);
  const refusal = error instanceof Refused ? error.refusal : (limitRefusal(error, Date.now()) ?? awayRefusal(error));
  if (refusal) return withHeaders(refusalResponse(refusal), c.res.headers);
  const incident = requestIdOf(c);
  const what = sentenceOf("request.failed");
  errors.note({ id: incident, at: Date.now(), code: "unavailable", what, place: placeOf(c) });
  return failureResponse(incident);
}

/** Headers that a route had set before it refused (quotas) stay. */
function withHeaders(response: Response, headers: Headers): Response {
  for (const [name, value] of headers) if (name.startsWith("ratelimit")) response.headers.set(name, value);
  return response;
}
