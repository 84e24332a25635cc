/** The folder of this repository. */

import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** D1's migrations, in order. */
export const MIGRATIONS = join(root, "migrations");
