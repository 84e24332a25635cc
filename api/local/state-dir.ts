/** The folder of state that `STATE_DIR` names. */

import { join, resolve } from "node:path";

/** `STATE_DIR`, or `.wrangler/state`; relative to the folder of this repository. */
export const stateDirFromEnvironment = (): string =>
  resolve(join(import.meta.dirname, "../.."), process.env.STATE_DIR ?? ".wrangler/state");
