/** Quotas over HTTP: takes the day's, and tells in header fields what is left. */

import { configurationOf } from "../party/configuration.ts";
import { type Daily, type DailyGrant, dailyQuota } from "../party/limits/daily-quotas.ts";
import type { Person } from "../party/limits/person.ts";
import type { Quota as QuotaObject } from "../party/limits/quota.ts";
import { type Fault, isFault, type Quota } from "../party/protocol.ts";
import { accept, type Call } from "./request.ts";

/** Takes one of the day's rooms or keys, or refuses. */
export async function takeDaily(
  c: Call,
  limiter: DurableObjectStub<Person> | DurableObjectStub<QuotaObject>,
  what: Daily,
): Promise<DailyGrant> {
  const taken: DailyGrant | Fault = await limiter.takeDaily(what);
  if (!isFault(taken)) setQuota(c, what, taken.quota);
  else if (taken.fault === "rate_limited")
    setQuota(c, what, dailyQuota(configurationOf(c.env), what, 0), taken.retryAfter);
  return accept(taken);
}

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it. `reset`: in how many
 * seconds there is more; a whole window when that is not known.
 */
export function setQuota(c: Call, policy: Daily | "messages", quota: Quota, reset = quota.window): void {
  c.header("ratelimit-policy", `"${policy}";q=${quota.limit};w=${quota.window}`);
  c.header("ratelimit", `"${policy}";r=${quota.remaining};t=${reset}`);
}

/** Says nothing of a quota after all: what was taken of it has been given back. */
export function forgetQuota(c: Call): void {
  c.header("ratelimit-policy", undefined);
  c.header("ratelimit", undefined);
}
