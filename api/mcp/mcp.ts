/**
 * `/mcp`: what is checked of a request before the protocol's library is loaded and sees it. The library checks neither who
 * asks nor from which page, and refuses clients whose `Accept` is not to the letter.
 *
 * Nothing here answers 401 or names an authorization server: clients that see either begin a sign-in that there is not, and
 * forget the header that their user has configured. A tool says what is missing.
 */

import { Hono } from "hono";
import { errors } from "../../party/errors/error-tally.ts";
import { ERROR_STATUS, LIMITS } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";
import { spendMcpCall } from "../guards/costly-requests.ts";
import { isOwnOrigin } from "../guards/same-site.ts";
import { boundedText, type Call, publicOriginOf } from "../request.ts";

export const mcp = new Hono<{ Bindings: Env }>();

/** Codes of JSON-RPC 2.0, and the one that it leaves to servers. */
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const SERVER_ERROR = -32_000;

mcp.post("/", async (c) => {
  if (isForeignPage(c)) {
    return refusal(403, SERVER_ERROR, "Only this server's own pages may speak MCP from a browser. Use the HTTP API.");
  }
  try {
    await spendMcpCall(c);
    const text = await boundedText(c.req.raw, LIMITS.frameBytes);
    return await answer(c, text);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { fault, message, retryAfter } = error.refusal;
    errors.count(fault);
    const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    return refusal(ERROR_STATUS[fault], SERVER_ERROR, `${fault}: ${message}`, headers);
  }
});

/** Streams that a client opens to listen, and sessions that it ends, belong to older forms of the protocol. */
mcp.all("/", (c) => {
  const words = `This is an MCP server. Add ${publicOriginOf(c)}/mcp to an agent's configuration; it is spoken to by POST.`;
  return refusal(405, SERVER_ERROR, words, { allow: "POST" });
});

async function answer(c: Call, text: string): Promise<Response> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refusal(400, PARSE_ERROR, "The body must be JSON.");
  }
  if (Array.isArray(body)) return refusal(400, INVALID_REQUEST, "One message a request: there are no batches here.");
  if (typeof body !== "object" || body === null)
    return refusal(400, INVALID_REQUEST, "The body must be a JSON object.");
  const headers = new Headers(c.req.raw.headers);
  headers.set("accept", "application/json, text/event-stream");
  const request = new Request(c.req.url, { method: "POST", headers, body: text, signal: c.req.raw.signal });
  const { serve } = await import("./mcp-server.ts");
  const response = await serve(c, request, body);
  const answered = new Response(response.body, response);
  answered.headers.set("cache-control", "no-store");
  return answered;
}

/** A page of another site. Programs send no origin, or one that no page of the web has. */
function isForeignPage({ req }: Call): boolean {
  const origin = req.header("origin");
  if (origin === undefined) return false;
  return (/^https?:/i.test(origin) || origin === "null") && !isOwnOrigin(origin, req.url);
}

const refusal = (status: number, code: number, message: string, headers: Record<string, string> = {}): Response =>
  Response.json(
    { jsonrpc: "2.0", error: { code, message }, id: null },
    { status, headers: { "cache-control": "no-store", ...headers } },
  );
