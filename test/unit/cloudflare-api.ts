/** The HTTP API of a Cloudflare account with one D1 database, played as its documentation says, with troubles on demand. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { FileDatabase } from "../../api/local/import/file-database.ts";
import { applyMigrations } from "../../api/local/migrate.ts";
import type { AccountOptions } from "../../api/local/remote/account.ts";

/** The id of the account's database. */
export const DATABASE = "11111111-2222-3333-4444-555555555555";

/** What the API does instead of answering. */
export type ApiTrouble = "error" | "cut" | "lost answer" | "too many" | "none";

export class CloudflareApi implements AsyncDisposable {
  db = new FileDatabase(":memory:");
  readonly #server: Server;
  /** Once each. */
  troubles: ApiTrouble[] = [];
  /** Rows that the account may still write today. */
  rowsLeft = Number.POSITIVE_INFINITY;
  /** How long callers have waited, ms, each time. */
  readonly waits: number[] = [];
  readonly requests: string[] = [];
  /** ms since 1970. */
  now: number;

  private constructor(now: number) {
    this.now = now;
    this.#server = createServer(async (request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      let body = "";
      for await (const chunk of request) body += chunk;
      const answer = (status: number, value: object) => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ errors: [], messages: [], ...value }));
      };
      const refuse = (status: number, code: number, message: string) =>
        answer(status, { success: false, errors: [{ code, message }], result: null });
      if (request.headers.authorization !== "Bearer right") return refuse(403, 10_000, "Authentication error");
      if (request.method === "GET") {
        return answer(200, { success: true, result: [{ name: "meet-ai", uuid: DATABASE }] });
      }
      const trouble = this.troubles.shift();
      if (trouble === "cut") return request.socket.destroy();
      if (trouble === "error") return refuse(500, 7_500, "internal error; reference = 1");
      if (trouble === "too many") return refuse(429, 971, "Please wait and consider throttling your request speed");
      const { batch } = JSON.parse(body) as { batch: { sql: string; params: unknown[] }[] };
      const isWrite = batch.some(({ sql }) => !/^\s*SELECT/i.test(sql));
      if (isWrite && this.rowsLeft <= 0) {
        const limit = "D1's free tier daily row write limit";
        return refuse(400, 7_500, `Your account has exceeded ${limit}. Try again tomorrow.`);
      }
      const before = await this.rows();
      try {
        const results = await this.db.batch(batch.map(({ sql, params }) => this.db.prepare(sql).bind(...params)));
        const rows_written = (await this.rows()) - before;
        this.rowsLeft -= rows_written;
        if (trouble === "lost answer") return request.socket.destroy();
        const metas = results.map((_, index) => ({ rows_written: index === 0 ? rows_written : 0, rows_read: 1 }));
        answer(200, {
          success: true,
          result: results.map(({ results }, index) => ({ success: true, results, meta: metas[index] })),
        });
      } catch (error) {
        refuse(400, 7_500, `${(error as Error).message}: SQLITE_ERROR`);
      }
    });
  }

  /** Plays an account with a D1 that has all tables and nothing else, at the time `now`, ms since 1970. */
  static async start(now: number): Promise<CloudflareApi> {
    const api = new CloudflareApi(now);
    await applyMigrations(api.db, join(import.meta.dirname, "../../migrations"));
    api.#server.listen(0, "127.0.0.1");
    await once(api.#server, "listening");
    return api;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    this.db.close();
  }

  /** How a command reaches the account. */
  get account(): AccountOptions {
    return {
      api: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      account: "account",
      token: "right",
      database: "meet-ai",
      rowsADay: 90_000,
      now: () => this.now,
      wait: async (delay) => this.waits.push(delay),
    };
  }

  /** Rows in all tables that a command writes to: those written are those more. */
  async rows(): Promise<number> {
    const query =
      "SELECT (SELECT COUNT(*) FROM packs) + (SELECT COUNT(*) FROM rooms) + (SELECT COUNT(*) FROM api_keys) AS n";
    return (await this.db.prepare(query).first<{ n: number }>())?.n ?? 0;
  }
}
