/** An object's own storage, whose rows written are counted. */

import type { KeyValueStore } from "../record-store.ts";
import type { UsageSampler } from "./usage-sampler.ts";

/** `sql` with its rows written counted, as far as they are known when a statement has run. */
export function meteredSql(sql: SqlStorage, usage: UsageSampler): Pick<SqlStorage, "exec"> {
  return {
    exec(query, ...bindings) {
      const cursor = sql.exec(query, ...bindings);
      const { rowsWritten } = cursor;
      if (rowsWritten > 0) usage.count("objectRowsWritten", rowsWritten);
      return cursor as never;
    },
  };
}

/** `kv` with each change counted, which is a row written. */
export function meteredKeyValues(kv: KeyValueStore, usage: UsageSampler): KeyValueStore {
  return {
    get: (key) => kv.get(key),
    put(key, value) {
      usage.count("objectRowsWritten", 1);
      kv.put(key, value);
    },
    delete(key) {
      usage.count("objectRowsWritten", 1);
      return kv.delete(key);
    },
  };
}
