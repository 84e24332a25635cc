/**
 * `FC_SEED=N npm test -- unit`: every property draws what it drew with that seed. fast-check says the seed of one that
 * fails.
 */

import { inject } from "vitest";
import "./provided.ts";

const seed = inject("fcSeed");
if (seed !== null) {
  const { default: fc } = await import("fast-check");
  fc.configureGlobal({ seed });
}
