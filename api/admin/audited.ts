/** Has everything that the operator does noted, by whichever route: what changes something and was not refused. */

import type { Next } from "hono";
import { logEvent } from "../../party/operator-log/operator-log.ts";
import { type Call, isOperator } from "../request.ts";
import { requestIdOf } from "../request-log.ts";
import { type NewDeed, noteDeed } from "./audit-log.ts";

/** What a route says of its deed, for the log. */
const details = new WeakMap<Request, string>();

/** Says of the deed of this request what was changed, in a few words. */
export function detailDeed(c: Call, detail: string): void {
  details.set(c.req.raw, detail);
}

/** What comes after these parts of a path is whom something is done to. */
const NAMED_AFTER = ["members", "mutes", "keys"];

export async function audited(c: Call, next: Next): Promise<void> {
  await next();
  const { status } = c.res;
  const changes = !["GET", "HEAD", "OPTIONS"].includes(c.req.method);
  if (!changes || (status >= 400 && status < 500) || !provesOperator(c)) return;
  const deed: NewDeed = { method: c.req.method, status, ...placeOf(c), detail: details.get(c.req.raw) ?? null };
  try {
    await noteDeed(c.env.DB, deed, Date.now());
  } catch (error) {
    // It is done. Where D1 takes nothing more, the operator deletes to make room: that must not fail for its entry.
    const { method, path } = deed;
    logEvent("operator.deed_not_noted", { request: requestIdOf(c), method, path, status, error });
  }
}

/** Asked again after the answer, so that nothing is thrown from here. */
function provesOperator(c: Call): boolean {
  try {
    return isOperator(c);
  } catch {
    return false;
  }
}

/** The path, and apart from it whom it names. */
function placeOf(c: Call): { path: string; target: string | null } {
  const segments = new URL(c.req.url).pathname.split("/");
  const at = segments.findLastIndex((segment) => NAMED_AFTER.includes(segment));
  const named = at < 0 ? undefined : segments[at + 1];
  if (named === undefined) return { path: segments.join("/").slice(0, 200), target: null };
  return {
    path: segments
      .slice(0, at + 1)
      .join("/")
      .slice(0, 200),
    target: decoded(named).slice(0, 100),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
