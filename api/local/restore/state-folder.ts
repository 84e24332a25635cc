/** A folder of state on this machine, which this process has taken, as the place where a backup goes. */

import type { Database } from "../../../party/log/sql.ts";
import { contentOf, removeEmptyLogs } from "./empty-state.ts";
import type { Place } from "./restore.ts";
import { beginRestore, endRestore, restoreMark } from "./restore-mark.ts";

/** `withDatabase` opens the database of the folder. */
export function stateFolder(
  stateDir: string,
  withDatabase: (work: (db: Database) => Promise<void>) => Promise<void>,
): Place {
  return {
    name: stateDir,
    anew: `delete ${stateDir}`,
    another: "name a new folder in STATE_DIR",
    mark: async () => restoreMark(stateDir),
    content: async () => contentOf(stateDir),
    begin: async (mark) => beginRestore(stateDir, mark),
    async withDatabase(work) {
      removeEmptyLogs(stateDir);
      await withDatabase(work);
    },
    recordOf: (record) => record,
    end: async () => endRestore(stateDir),
  };
}
