/** Where an import keeps what it has read, in the folder of state: until the folder is gone no server starts there. */

import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of imports into `stateDir`. */
export const importFolder = (stateDir: string): string => join(stateDir, "import");

/** Whether an import into `stateDir` was begun and has not come to its end. A server would open rooms that are half there. */
export const isImportUnfinished = (stateDir: string): boolean => existsSync(importFolder(stateDir));
