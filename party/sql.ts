/**
 * The little of a SQLite handle that the room's parts use. `ctx.storage.sql` has it; so has a few-line adaptor around
 * Node's SQLite, with which the parts are tested without a runtime.
 */
export type SqlValue = string | number | null | ArrayBuffer;

export interface Sql {
  exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: unknown[]): Iterable<Row> & { toArray(): Row[] };
}
