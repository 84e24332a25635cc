/**
 * The little of a room's SQLite and of D1 that the parts use. The runtime's own handles have it; so have few-line
 * adaptors around Node's SQLite, with which the parts are tested without a runtime.
 */

export type SqlValue = string | number | null | ArrayBuffer;

/** Of `ctx.storage.sql`. */
export interface Sql {
  exec<Row extends Record<string, SqlValue>>(
    query: string,
    ...bindings: unknown[]
  ): Iterable<Row> & { toArray(): Row[] };
}

/** Of a D1 database. */
export interface Database<S extends Statement = Statement> {
  prepare(query: string): S;
  batch<Row>(statements: S[]): Promise<{ results: Row[] }[]>;
}

/** Of a D1 statement. */
export interface Statement {
  bind(...values: unknown[]): Statement;
  all<Row>(): Promise<{ results: Row[] }>;
  first<Row>(): Promise<Row | null>;
}
