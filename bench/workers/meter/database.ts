/** D1 with a meter: every answer says how many rows it has read and written, and how large the database is. */

import type { Tally } from "../../meter/usage.ts";

/** Methods whose answers do not say what they cost. */
const UNMETERED = ["exec", "raw", "dump", "withSession"] as const;

/** `db`, counting into `tally`. `during` is called with each query's answer before it has come. */
export function meteredDatabase(
  db: D1Database,
  tally: Pick<Tally, "d1" | "unmetered">,
  during: <Answer>(answer: Promise<Answer>) => Promise<Answer>,
): D1Database {
  const plain = new WeakMap<D1PreparedStatement, D1PreparedStatement>();

  const count = ({ meta: { rows_read, rows_written, size_after } }: D1Result): void => {
    tally.d1.rowsRead += rows_read;
    tally.d1.rowsWritten += rows_written;
    tally.d1.bytes = size_after;
  };
  const counted = async <Row>(asked: Promise<D1Result<Row>>): Promise<D1Result<Row>> => {
    tally.d1.transactions++;
    const result = await during(asked);
    count(result);
    return result;
  };

  const metered = (statement: D1PreparedStatement): D1PreparedStatement => {
    const own = withNotes(statement, {
      bind: (...values: unknown[]) => metered(statement.bind(...values)),
      run: () => counted(statement.run()),
      all: () => counted(statement.all()),
      async first(column?: string) {
        const { results } = await counted(statement.all<Record<string, unknown>>());
        const [row] = results;
        return row === undefined ? null : column === undefined ? row : row[column];
      },
    });
    plain.set(own, statement);
    return own;
  };

  /** `of` with `methods` instead of its own, and a note for each call that can't be counted. */
  function withNotes<Of extends object>(of: Of, methods: object): Of {
    return new Proxy(of, {
      get(target, name) {
        const method = Reflect.get(methods, name) ?? Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => {
          if ((UNMETERED as readonly unknown[]).includes(name)) tally.unmetered.add(`D1 ${String(name)}`);
          return method.apply(target, args);
        };
      },
    });
  }

  return withNotes(db, {
    prepare: (query: string) => metered(db.prepare(query)),
    async batch(statements: readonly D1PreparedStatement[]) {
      tally.d1.transactions++;
      const results = await during(db.batch(statements.map((each) => plain.get(each) ?? each)));
      for (const result of results) count(result);
      return results;
    },
  });
}
