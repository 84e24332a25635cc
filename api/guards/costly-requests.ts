/**
 * Bounds what one address may ask for that costs a query or reads many rows, before it costs anything. Both bounds are
 * far above what people behind one address do; a loop meets them.
 *
 * Each isolate of the Worker counts for itself. Where the platform's rate limit is bound (`[[ratelimits]]` in
 * `wrangler.toml`), it counts over all isolates of one location as well.
 */

import { configurationOf } from "../../party/configuration.ts";
import { logEvent } from "../../party/operator-log/operator-log.ts";
import { fault } from "../../party/protocol.ts";
import { clientAddress } from "../address.ts";
import { Refused } from "../errors.ts";
import type { Call } from "../request.ts";
import { requestIdOf } from "../request-log.ts";
import { AddressBudget } from "./address-budget.ts";

/** Takes a look-up from the caller's address: a query for one room, one key, one page or the list of rooms. Refuses with `rate_limited`. */
export async function spendLookup(c: Call): Promise<void> {
  const { lookups } = budgetsOf(c.env);
  await spend(c, lookups, c.env.LOOKUPS_BY_ADDRESS, "look-ups");
}

/** Takes a scan from the caller's address: a search, a long way to catch up, an export, an erasure. Refuses with `rate_limited`. */
export async function spendScan(c: Call): Promise<void> {
  const { scans } = budgetsOf(c.env);
  await spend(c, scans, c.env.SCANS_BY_ADDRESS, "requests that read much");
}

/** How often an address may open as many connections as it may hold in a room, in a minute: over and over is no reconnect. */
const JOINS_PER_SOCKET = 4;

/** Takes a new connection from the caller's address: a socket, a stream of events, a wait. Refuses with `rate_limited`. */
export async function spendJoin(c: Call): Promise<void> {
  await spend(c, budgetsOf(c.env).joins, undefined, "new connections");
}

/**
 * How many requests over MCP an address may make for each look-up. Each costs some processor time; what it asks for is
 * counted where it is asked. All of a provider's users may come from one address.
 */
const MCP_CALLS_PER_LOOKUP = 4;

/** Takes a request over MCP from the caller's address. Refuses with `rate_limited`. */
export async function spendMcpCall(c: Call): Promise<void> {
  await spend(c, budgetsOf(c.env).mcpCalls, undefined, "requests over MCP");
}

interface Budgets {
  readonly mcpCalls: AddressBudget;
  readonly joins: AddressBudget;
  readonly lookups: AddressBudget;
  readonly scans: AddressBudget;
}

/** The budgets of this isolate. */
const budgets = new WeakMap<object, Budgets>();

function budgetsOf(env: Env): Budgets {
  const configuration = configurationOf(env);
  let made = budgets.get(configuration);
  if (!made) {
    const { lookupsPerMinute, scansPerMinute, socketsPerAddress } = configuration;
    const joins = new AddressBudget(Math.max(lookupsPerMinute, socketsPerAddress * JOINS_PER_SOCKET));
    const mcpCalls = new AddressBudget(lookupsPerMinute * MCP_CALLS_PER_LOOKUP);
    made = { mcpCalls, joins, lookups: new AddressBudget(lookupsPerMinute), scans: new AddressBudget(scansPerMinute) };
    budgets.set(configuration, made);
  }
  return made;
}

async function spend(c: Call, budget: AddressBudget, location: RateLimit | undefined, what: string): Promise<void> {
  const address = clientAddress(c.req.raw.headers);
  const isLeft = budget.spend(address, Date.now()) && (await isLeftAt(c, location, address));
  if (isLeft) return;
  throw new Refused(fault("rate_limited", `Too many ${what} from your address.`, budget.retryAfter));
}

async function isLeftAt(c: Call, location: RateLimit | undefined, address: string): Promise<boolean> {
  if (!location) return true;
  try {
    return (await location.limit({ key: address })).success;
  } catch (error) {
    // The isolate's own budget still holds.
    logEvent("quota.rate_limit_silent", { request: requestIdOf(c), error });
    return true;
  }
}
