/** The Worker's bindings with a D1 whose answers are counted. */

import { waitUntil } from "cloudflare:workers";
import { configurationOf } from "../party/configuration.ts";
import { errors } from "../party/errors/error-tally.ts";
import { gauge, metered } from "../party/usage/metered-database.ts";
import { usage } from "../party/usage/usage-sampler.ts";

const known = new WeakMap<Env, Env>();

/** `env` with a counted D1: the same one each time, so that what is known by it stays known. */
export function meteredEnv(env: Env): Env {
  let counted = known.get(env);
  if (!counted) {
    const limits = configurationOf(env);
    const DB = metered(env.DB, { usage, gauge, errors, limits, now: () => Date.now(), keepAlive: waitUntil });
    counted = Object.create(env, { DB: { value: DB, enumerable: true } }) as Env;
    known.set(env, counted);
    // Also when it is asked for itself.
    known.set(counted, counted);
  }
  return counted;
}
