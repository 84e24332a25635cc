/**
 * What stands in front of the Worker on one machine, where Cloudflare's network stands elsewhere: it says from which
 * address a request comes, and lets no header in that only the network may set. It runs in the same runtime, which loads
 * this file as it stands, and what it imports: files of this repository alone.
 */

import { WorkerEntrypoint } from "cloudflare:workers";
import { withDeadline } from "../../party/limits/deadline.ts";
import { fault } from "../../party/protocol.ts";
import { refusalResponse } from "../errors.ts";
import { bareAddress, TrustedProxies } from "./trusted-proxies.ts";

interface Bindings {
  /** The pages and the Worker behind them. */
  readonly SERVER: Fetcher;
  /** The Worker itself. */
  readonly WORKER: { scheduled(event: { cron: string }): Promise<unknown> };
  /** What of the Worker only its server may call; some Workers of the benchmarks have none. */
  readonly SHUTDOWN?: { closeSockets(): Promise<void> };
  readonly TRUSTED_PROXIES: string;
}

/** Only a network in front of the server may say these: the platform's, the simulator's and partyserver's. */
const RESERVED = /^(?:cf|mf|x-partykit)-/;

let trusted: TrustedProxies | undefined;
/** Set when the server is about to end: nothing new is taken in. */
let isClosing = false;
/** Requests that change something and have no answer yet. */
const underWay = new Set<Promise<unknown>>();

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    if (isClosing) return refusalResponse(COMES_BACK);
    if (!URL.canParse(request.url)) return refusalResponse(NO_ADDRESS);
    if ([...request.headers.keys()].length > MOST_HEADERS) return refusalResponse(TOO_MANY_HEADERS);
    const answer = env.SERVER.fetch(attested(request, env));
    if (request.method === "GET" || request.method === "HEAD") return answer;
    underWay.add(answer);
    try {
      return await answer;
    } finally {
      underWay.delete(answer);
    }
  },
};

/** `request` as it would come from Cloudflare's network. */
function attested(request: Request, env: Bindings): Request {
  const headers = new Headers(request.headers);
  for (const name of [...headers.keys()]) if (RESERVED.test(name)) headers.delete(name);
  trusted ??= new TrustedProxies(env.TRUSTED_PROXIES);
  const peer = bareAddress((request.cf as { clientIp?: string } | undefined)?.clientIp ?? "");
  headers.set("cf-connecting-ip", trusted.clientOf(peer, headers.get("x-forwarded-for")));
  const url = new URL(request.url);
  // By which scheme the client has come only the proxy knows.
  const scheme = headers.get("x-forwarded-proto")?.trim().toLowerCase();
  if (trusted.has(peer) && (scheme === "https" || scheme === "http")) url.protocol = `${scheme}:`;
  return new Request(url, new Request(request, { headers }));
}

/** The runtime hands no more than 2,000 from one of its services to the next. */
const MOST_HEADERS = 1_000;

const TOO_MANY_HEADERS = fault("too_large", `A request has at most ${MOST_HEADERS} headers.`);
const NO_ADDRESS = fault("invalid", "The request's Host and path are no address.");
const COMES_BACK = fault("unavailable", "This server is being restarted. Come back in a few seconds.", 3);

/**
 * How long what is under way may take before sockets are closed, ms. What takes longer waits for something that is said, and
 * comes to its end with the sockets.
 */
const WRITING_TAKES = 1_000;

/** What the server's own process asks, over a socket of the file system that nobody else may open. */
export class Control extends WorkerEntrypoint<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/scheduled":
        await this.env.WORKER.scheduled({ cron: "" });
        return new Response();
      case "/close":
        isClosing = true;
        await withDeadline(Promise.allSettled(underWay), WRITING_TAKES, "Somebody").catch(() => undefined);
        await this.env.SHUTDOWN?.closeSockets();
        await Promise.allSettled(underWay);
        return new Response();
      default:
        return new Response(null, { status: 404 });
    }
  }
}
