/** An SQLite file in the shape of a D1 database: this machine's own D1 while no server has it open. */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Database, Statement } from "../../../party/log/sql.ts";

export class FileDatabase implements Database {
  readonly #db: DatabaseSync;

  constructor(file: string, options: { readOnly?: boolean } = {}) {
    this.#db = new DatabaseSync(file, { ...options, timeout: 5_000 });
  }

  prepare(query: string): FileStatement {
    return new FileStatement(this.#db, query, []);
  }

  async batch<Row>(statements: Statement[]): Promise<{ results: Row[] }[]> {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const results = (statements as FileStatement[]).map((statement) => ({ results: statement.rows<Row>() }));
      this.#db.exec("COMMIT");
      return results;
    } catch (error) {
      // SQLite itself has rolled back where the disk is full.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }
}

class FileStatement implements Statement {
  readonly #db: DatabaseSync;
  readonly #query: string;
  readonly #values: unknown[];

  constructor(db: DatabaseSync, query: string, values: unknown[]) {
    this.#db = db;
    this.#query = query;
    this.#values = values;
  }

  bind(...values: unknown[]): FileStatement {
    return new FileStatement(this.#db, this.#query, values);
  }

  async all<Row>(): Promise<{ results: Row[] }> {
    return { results: this.rows<Row>() };
  }

  async first<Row>(): Promise<Row | null> {
    return this.rows<Row>()[0] ?? null;
  }

  rows<Row>(): Row[] {
    return this.#db.prepare(this.#query).all(...this.#values.map(toInput)) as Row[];
  }
}

function toInput(value: unknown): SQLInputValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SQLInputValue);
}
