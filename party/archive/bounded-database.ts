/** A D1 whose answers come in time or are errors: it may hang rather than fail, and nothing of a room may wait for ever. */

import { withDeadline } from "../limits/deadline.ts";
import type { Database, Statement } from "../log/sql.ts";

/** D1 ends a query by itself after so long, ms. What is asked here has an answer, or is taken to have none. */
export const QUERY_WITHIN = 30_000;

export class BoundedDatabase implements Database<BoundedStatement> {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  prepare(query: string): BoundedStatement {
    return new BoundedStatement(this.#db.prepare(query));
  }

  /** Rejects when it is late. What was asked for may be done all the same, and even later. */
  batch<Row>(statements: BoundedStatement[]): Promise<{ results: Row[] }[]> {
    return inTime(this.#db.batch<Row>(statements.map(({ inner }) => inner)));
  }
}

class BoundedStatement implements Statement {
  readonly inner: Statement;

  constructor(inner: Statement) {
    this.inner = inner;
  }

  bind(...values: unknown[]): BoundedStatement {
    return new BoundedStatement(this.inner.bind(...values));
  }

  all<Row>(): Promise<{ results: Row[] }> {
    return inTime(this.inner.all<Row>());
  }

  first<Row>(): Promise<Row | null> {
    return inTime(this.inner.first<Row>());
  }
}

const inTime = <Answer>(answer: Promise<Answer>): Promise<Answer> => withDeadline(answer, QUERY_WITHIN, "D1");
