/**
 * Counts the rows that an object's storage reads and writes.
 *
 * Of a statement the storage itself says how many. Of a key-value pair and an alarm it does not: the platform bills each
 * that is written as a row written, and each that is read as a row read.
 */

import type { ObjectUsage } from "../../meter/usage.ts";

type Sums = { -readonly [Name in keyof Pick<ObjectUsage, "rowsRead" | "rowsWritten" | "rowsRemoved">]: number };

/** Has `storage` count into `sums` from now on. */
export function meterStorage(storage: DurableObjectStorage, sums: Sums): void {
  const { sql, kv } = storage;
  const exec = sql.exec.bind(sql);
  sql.exec = ((query: string, ...bindings: unknown[]) => {
    const cursor = exec(query, ...bindings);
    // A cursor reads as its reader does, and readers are through with theirs before they wait for anything.
    queueMicrotask(() => {
      sums.rowsRead += cursor.rowsRead;
      sums.rowsWritten += cursor.rowsWritten;
      if (/^\s*(DELETE|DROP)\b/i.test(query)) sums.rowsRemoved += cursor.rowsWritten;
    });
    return cursor;
  }) as typeof sql.exec;
  const read = (): void => {
    sums.rowsRead++;
  };
  const write = (): void => {
    sums.rowsWritten++;
  };
  for (const store of [kv, storage]) {
    before(store, "get", read);
    before(store, "put", write);
    before(store, "delete", () => {
      sums.rowsWritten++;
      sums.rowsRemoved++;
    });
  }
  before(storage, "getAlarm", read);
  before(storage, "setAlarm", write);
}

/** Calls `count` before each call of a method. */
function before<Name extends string>(
  on: { [Key in Name]: (...args: never[]) => unknown },
  name: Name,
  count: () => void,
): void {
  const original = on[name].bind(on) as (...args: unknown[]) => unknown;
  Object.assign(on, {
    [name]: (...args: unknown[]) => {
      count();
      return original(...args);
    },
  });
}
