/** What vitest.config.ts takes from the environment and hands to the tests, in whatever they run. */

import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** From which each property draws; `FC_SEED`. `null`: from another one each time. */
    fcSeed: number | null;
    /** How many runs the model test makes; `MODEL_RUNS`. */
    modelRuns: number;
    /** From which these runs are made; `MODEL_SEED`. */
    modelSeed: number;
    /** Whether a failure of theirs is to be made as short as it can be; not with `MODEL_SHRINK=no`. */
    modelShrink: boolean;
  }
}
