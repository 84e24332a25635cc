/**
 * Keeps other sites' pages from spending what is counted by their visitors' addresses.
 *
 * A browser sends a `POST` without a body, or with one of a form's types, to any server and asks that server nothing
 * before (a "simple" request of the Fetch standard). The page can't read the answer, but the visitor's address has paid.
 */

import type { Context, MiddlewareHandler } from "hono";
import { fault } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";

/**
 * Refuses with `forbidden` what a browser sends for a page of another site. Lets through pages of this server, requests
 * that a person made by themselves (a bookmark, an address typed in), and programs, which send neither header.
 */
export const sameSite: MiddlewareHandler = async function sameSite(c, next) {
  if (isForeign(c)) throw new Refused(fault("forbidden", "Only this server's own pages may do this in a browser."));
  await next();
};

function isForeign({ req }: Context): boolean {
  // No script can set this header. Browsers leave it out only where the server is reached by plain HTTP over a network.
  const site = req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = req.header("origin");
  return origin !== undefined && !isOwnOrigin(origin, req.url);
}

/**
 * Whether `origin` is that of this server's own pages, by the address of a request to it. The scheme is not compared:
 * behind a proxy that ends TLS the Worker sees `http`.
 */
export function isOwnOrigin(origin: string, url: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host;
}
