/** The storage of an object of its own, whose rows are counted as they are billed. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Sql } from "../../party/log/sql.ts";

export interface Rows {
  written: number;
  read: number;
}

/** Runs `work` with the storage of an object of its own, whose rows are counted. */
export function withStorage<T>(work: (storage: CountedStorage) => T | Promise<T>): Promise<T> {
  const stub = env.CHAT_ROOM.getByName(`cost-${crypto.randomUUID()}`);
  return runInDurableObject(stub, (_, state) => work(new CountedStorage(state.storage)));
}

export class CountedStorage {
  readonly #storage: DurableObjectStorage;
  #rows: Rows = { written: 0, read: 0 };

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  readonly sql: Sql = {
    exec: (query, ...bindings) => {
      const cursor = this.#storage.sql.exec(query, ...bindings);
      const rows = cursor.toArray();
      this.#rows.written += cursor.rowsWritten;
      this.#rows.read += cursor.rowsRead;
      // biome-ignore lint/suspicious/noExplicitAny: the caller says what a row is
      return Object.assign(rows, { toArray: () => rows }) as any;
    },
  };

  readonly transaction = <T>(work: () => T): T => this.#storage.transactionSync(work);

  /** The rows that `work` has written and read. */
  count(work: () => void): Rows {
    this.#rows = { written: 0, read: 0 };
    work();
    return this.#rows;
  }

  takeRows(): Rows {
    const rows = this.#rows;
    this.#rows = { written: 0, read: 0 };
    return rows;
  }
}
