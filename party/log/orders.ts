/**
 * Whom the operator has erased while this room was not asked, or could not do it: each order becomes an erasure of the log. It
 * is kept here until then, so that none is dropped.
 */

import type { Seq } from "../protocol.ts";
import type { Sql } from "./sql.ts";

/** An order to erase what `sender` and their agents have said up to a seq. */
export interface Order {
  readonly sender: string;
  readonly upTo: Seq;
}

export class Orders {
  readonly #sql: () => Sql;

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Adds orders. One that is here already keeps the higher seq. */
  add(orders: readonly Order[]): void {
    const insert = `INSERT INTO orders (sender, up_to) VALUES (?, ?)
      ON CONFLICT (sender) DO UPDATE SET up_to = excluded.up_to WHERE excluded.up_to > orders.up_to`;
    for (const { sender, upTo } of orders) this.#sql().exec(insert, sender, upTo);
  }

  /** All of them. */
  list(): Order[] {
    const rows = this.#sql().exec<{ sender: string; up_to: number }>("SELECT sender, up_to FROM orders").toArray();
    return rows.map(({ sender, up_to: upTo }) => ({ sender, upTo }));
  }

  /** The order about `sender` has become an entry of the log. */
  remove(sender: string): void {
    this.#sql().exec("DELETE FROM orders WHERE sender = ?", sender);
  }
}
