/**
 * This project's own Worker, counting the rows that it writes: every query is asked how many by the storage that ran it.
 * `GET /rows` tells the sums since the start.
 *
 * A key-value pair and an alarm are a row each: the platform bills them so, and neither says it itself.
 */

import api, { ChatRoom as PlainChatRoom, Limiter as PlainLimiter } from "../../api/index.ts";

/** Rows written so far. */
const rows = { room: 0, limiter: 0, d1: 0 };

export class ChatRoom extends PlainChatRoom {
  constructor(ctx: DurableObjectState, env: Env) {
    meterStorage(ctx.storage, "room");
    meterDatabase(env.DB);
    super(ctx, env);
  }
}

export class Limiter extends PlainLimiter {
  constructor(ctx: DurableObjectState, env: Env) {
    meterStorage(ctx.storage, "limiter");
    meterDatabase(env.DB);
    super(ctx, env);
  }
}

export default {
  ...api,
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/rows") return Response.json(rows);
    meterDatabase(env.DB);
    return api.fetch(request, env, ctx);
  },
};

function meterStorage(storage: DurableObjectStorage, whose: "room" | "limiter"): void {
  const { sql, kv } = storage;
  const exec = sql.exec.bind(sql);
  sql.exec = ((query: string, ...bindings: unknown[]) => {
    const cursor = exec(query, ...bindings);
    // Statements that write run to their end before `exec` returns; none of ours returns rows.
    rows[whose] += cursor.rowsWritten;
    return cursor;
  }) as typeof sql.exec;
  count(kv, "put", whose);
  count(storage, "put", whose);
  count(storage, "setAlarm", whose);
}

/** Counts a row for each call of `name`. */
function count<Name extends string>(
  on: { [Key in Name]: (...args: never[]) => unknown },
  name: Name,
  whose: "room" | "limiter",
): void {
  const original = on[name].bind(on) as (...args: unknown[]) => unknown;
  Object.assign(on, {
    [name]: (...args: unknown[]) => {
      rows[whose]++;
      return original(...args);
    },
  });
}

const metered = new WeakSet<object>();

function meterDatabase(db: D1Database): void {
  if (metered.has(db)) return;
  metered.add(db);
  const batch = db.batch.bind(db);
  db.batch = (async (statements: D1PreparedStatement[]) => {
    const results = await batch(statements);
    for (const { meta } of results) rows.d1 += meta.rows_written;
    return results;
  }) as typeof db.batch;
  const prototype = Object.getPrototypeOf(db.prepare("SELECT 1")) as D1PreparedStatement;
  if (metered.has(prototype)) return;
  metered.add(prototype);
  const { run } = prototype;
  prototype.run = async function (this: D1PreparedStatement) {
    const result = await run.call(this);
    rows.d1 += result.meta.rows_written;
    return result;
  } as typeof run;
}
