/** The id of each request, which its answer and each line of the log about it have, and the line about a request itself. */

import type { Next } from "hono";
import { matchedRoutes, routePath } from "hono/route";
import { configurationOf, InvalidVariable } from "../party/configuration.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { isRoomId } from "../party/protocol.ts";
import { Refused } from "./errors.ts";
import type { Call } from "./request.ts";

/** What the answer has it in. */
const REQUEST_ID = "x-request-id";

const ids = new WeakMap<Request, string>();

/** The id of the request `c`. The server gives it: a client's own could be another request's. */
export function requestIdOf(c: Call): string {
  const { raw } = c.req;
  const id = ids.get(raw) ?? crypto.randomUUID();
  ids.set(raw, id);
  return id;
}

/** Gives `request`, which is made on behalf of the request `c`, the same id. */
export function madeFor(c: Call, request: Request): Request {
  ids.set(request, requestIdOf(c));
  return request;
}

/** Says the request's id in the answer. A failure is logged, and where `LOG_REQUESTS` says so, every request. */
export async function requestLogged(c: Call, next: Next): Promise<void> {
  const begun = Date.now();
  await next();
  const { status } = c.res;
  c.header(REQUEST_ID, requestIdOf(c));
  if (status < 500 && !configurationOf(c.env).logRequests) return;
  const { error } = c;
  if (error instanceof InvalidVariable) {
    logEvent("configuration.invalid", { request: requestIdOf(c), detail: error.message });
    return;
  }
  // Where there is no such room, its id may be anything that a visitor has put there.
  const isRefused = status >= 400 && status < 500;
  logEvent(status < 500 ? "request.answered" : status === 500 ? "request.failed" : "request.unavailable", {
    request: requestIdOf(c),
    room: isRefused ? undefined : roomOf(c),
    method: c.req.method,
    route: routeOf(c),
    status,
    ms: Date.now() - begun,
    // A refusal is ours, and its words are the answer's.
    ...(status >= 500 && !(error instanceof Refused) && { error }),
  });
}

/** Where a request went: its route, never its path, in which anything may stand. */
function routeOf(c: Call): string {
  const reached = routePath(c);
  // It was refused on the way.
  const meant = reached.endsWith("*") ? matchedRoutes(c).findLast(({ path }) => !path.endsWith("*")) : undefined;
  return meant?.path ?? reached;
}

/** The room that the request names. */
function roomOf(c: Call): string | undefined {
  const id = routeOf(c).includes(ROOM_IN_ROUTE) ? c.req.param("id") : undefined;
  return id !== undefined && isRoomId(id) ? id : undefined;
}

const ROOM_IN_ROUTE = "/:id";

/** The method and the route of a request, with the room that it names. */
export function placeOf(c: Call): string {
  return `${c.req.method} ${routeOf(c).replace(ROOM_IN_ROUTE, `/${roomOf(c) ?? ":id"}`)}`;
}
