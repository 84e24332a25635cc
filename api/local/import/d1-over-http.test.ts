/** An import into a Cloudflare account, whose API is played by a server that answers as its documentation says. */

import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { archivedAfter } from "../../../party/log/d1-reader.ts";
import { applyMigrations } from "../migrate.ts";
import { D1OverHttp, DayIsOver } from "./d1-over-http.ts";
import { untilTomorrow } from "./daily-budget.ts";
import { FileDatabase } from "./file-database.ts";
import { openAccount } from "./remote.ts";
import { type ImportOptions, runImport } from "./run.ts";

const DAY = Date.parse("2026-11-26T18:30:00Z");
const DATABASE = "11111111-2222-3333-4444-555555555555";

let folder: string;
let file: string;
let db: FileDatabase;
let api: Server;
let now: number;
/** What the API does instead of answering, once each. */
let troubles: ("error" | "cut" | "lost answer" | "too many" | "none")[];
/** Rows that the account may still write today. */
let rowsLeft: number;
let waits: number[];
let requests: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-remote-"));
  file = join(folder, "old.sqlite");
  [now, troubles, rowsLeft, waits, requests] = [DAY, [], Number.POSITIVE_INFINITY, [], []];
  const old = new DatabaseSync(file);
  old.exec(`PRAGMA synchronous = OFF; BEGIN; CREATE TABLE api_keys (id, key_hash, handle, created_at, last_used);
    CREATE TABLE rooms (id, name, created_at); CREATE TABLE messages (id, room_id, sender, content, created_at);
    INSERT INTO api_keys VALUES ('k', '${"a".repeat(64)}', 'anna', '2025-01-01 00:00:00', NULL);
    INSERT INTO rooms VALUES ('lobby', 'Lobby', '2025-01-01 00:00:00'), ('den', 'Den', '2025-01-01 00:00:00')`);
  const insert = old.prepare("INSERT INTO messages VALUES (?, ?, 'anna', 'text', '2025-01-02 00:00:00')");
  for (let number = 0; number < 6_000; number++) insert.run(`m${number}`, number < 3_500 ? "lobby" : "den");
  old.exec("COMMIT");
  old.close();
  db = new FileDatabase(":memory:");
  await applyMigrations(db, join(import.meta.dirname, "../../../migrations"));
  api = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    let body = "";
    for await (const chunk of request) body += chunk;
    const answer = (status: number, value: object) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ errors: [], messages: [], ...value }));
    };
    const refuse = (status: number, code: number, message: string) =>
      answer(status, { success: false, errors: [{ code, message }], result: null });
    if (request.headers.authorization !== "Bearer right") return refuse(403, 10_000, "Authentication error");
    if (request.method === "GET") return answer(200, { success: true, result: [{ name: "meet-ai", uuid: DATABASE }] });
    const trouble = troubles.shift();
    if (trouble === "cut") return request.socket.destroy();
    if (trouble === "error") return refuse(500, 7_500, "internal error; reference = 1");
    if (trouble === "too many") return refuse(429, 971, "Please wait and consider throttling your request speed");
    const { batch } = JSON.parse(body) as { batch: { sql: string; params: unknown[] }[] };
    const isWrite = batch.some(({ sql }) => !/^\s*SELECT/i.test(sql));
    if (isWrite && rowsLeft <= 0) {
      return refuse(400, 7_500, "Your account has exceeded D1's free tier daily row write limit. Try again tomorrow.");
    }
    const before = await rowsOf();
    try {
      const results = await db.batch(batch.map(({ sql, params }) => db.prepare(sql).bind(...params)));
      const rows_written = (await rowsOf()) - before;
      rowsLeft -= rows_written;
      if (trouble === "lost answer") return request.socket.destroy();
      const metas = results.map((_, index) => ({ rows_written: index === 0 ? rows_written : 0, rows_read: 1 }));
      answer(200, {
        success: true,
        result: results.map(({ results }, index) => ({ success: true, results, meta: metas[index] })),
      });
    } catch (error) {
      refuse(400, 7_500, `${(error as Error).message}: SQLITE_ERROR`);
    }
  }).listen(0, "127.0.0.1");
  await once(api, "listening");
});

afterEach(async () => {
  api.closeAllConnections();
  api.close();
  db.close();
  rmSync(folder, { recursive: true });
});

/** Rows in all tables that an import writes to: those written are those more. */
async function rowsOf(): Promise<number> {
  const query =
    "SELECT (SELECT COUNT(*) FROM packs) + (SELECT COUNT(*) FROM rooms) + (SELECT COUNT(*) FROM api_keys) AS n";
  return (await db.prepare(query).first<{ n: number }>())?.n ?? 0;
}

async function imported(changes: { token?: string; rowsADay?: number; database?: string } = {}): Promise<void> {
  const account = openAccount({
    api: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    account: "account",
    token: changes.token ?? "right",
    database: changes.database ?? "meet-ai",
    rowsADay: changes.rowsADay ?? 90_000,
    now: () => now,
    wait: async (delay) => waits.push(delay),
  });
  const options: ImportOptions = {
    file,
    folder: join(folder, "staging"),
    isDry: false,
    targetName: "an account",
    output: { write: () => undefined },
    ...account,
  };
  await runImport(options);
}

const idsIn = async (room: string) => {
  const ids: string[] = [];
  for (;;) {
    const page = await archivedAfter(db, room, ids.length, 1_000);
    ids.push(...page.map(({ id }) => id));
    if (page.length === 0) return ids;
  }
};

async function expectAll(): Promise<void> {
  expect(await idsIn("lobby")).toEqual(Array.from({ length: 3_500 }, (_, index) => `m${index}`));
  expect(await idsIn("den")).toEqual(Array.from({ length: 2_500 }, (_, index) => `m${3_500 + index}`));
  expect(await db.prepare("SELECT handle FROM api_keys").first()).toEqual({ handle: "anna" });
}

describe("an import into a Cloudflare account", () => {
  it("finds the database by its name, and brings everything there", async () => {
    await imported();
    await expectAll();
    expect(requests[0]).toBe("GET /accounts/account/d1/database?name=meet-ai");
    expect(new Set(requests.slice(1))).toEqual(new Set([`POST /accounts/account/d1/database/${DATABASE}/query`]));
  });

  it("brings bytes as they are, however many", async () => {
    const account = new D1OverHttp({
      api: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      account: "account",
      token: "right",
      database: DATABASE,
      budget: { require: () => undefined, spend: () => undefined },
      wait: async () => undefined,
    });
    const insert = "INSERT INTO packs (room_id, first, revision, form, body) VALUES (?1, ?2, ?2, 1, ?3)";
    const bodies = [1, 900_000, 1_700_000].map((size) => Uint8Array.from({ length: size }, (_, at) => at * 7 + size));
    await account.batch(bodies.map((body, at) => account.prepare(insert).bind("lobby", at * 100 + 1, body.buffer)));
    const { results } = await db.prepare("SELECT body FROM packs ORDER BY first").all<{ body: Uint8Array }>();
    expect(results.map(({ body }, at) => Buffer.compare(body, bodies[at] as Uint8Array))).toEqual([0, 0, 0]);
  });

  it("makes another lobby of the one that is there, which may know itself", async () => {
    const query = "SELECT created_at AS at FROM rooms WHERE id = 'lobby'";
    const before = await db.prepare(query).first<{ at: string }>();
    await imported();
    const after = await db.prepare(query).first<{ at: string }>();
    expect(Date.parse(after?.at ?? "")).toBe(Date.parse(before?.at ?? "") + 1);
  });

  it("asks again after what passes, also when only the answer was lost, and writes nothing twice", async () => {
    const kinds = ["error", "cut", "too many", "lost answer", "lost answer"] as const;
    troubles = Array.from({ length: 60 }, (_, index) => (index % 3 === 2 ? "none" : (kinds[index % 5] as "cut")));
    await imported();
    await expectAll();
    expect(waits.length).toBeGreaterThan(20);
    expect(waits.slice(0, 2)).toEqual([1_000, 2_000]);
  });

  it("stops before the rows of a day are used up, says when to go on, and goes on", async () => {
    const days: number[] = [];
    for (; ; now += 86_400_000) {
      const before = await rowsOf();
      const error = await imported({ rowsADay: 1_125 }).then(
        () => undefined,
        (error: Error) => error,
      );
      days.push((await rowsOf()) - before);
      if (!error) break;
      expect(error).toBeInstanceOf(DayIsOver);
      // Not before the next day.
      const same = await imported({ rowsADay: 1_125 }).catch((error: Error) => error);
      expect(same).toBeInstanceOf(DayIsOver);
      expect((await rowsOf()) - before).toBe(days.at(-1));
    }
    expect(days.length).toBeGreaterThan(2);
    expect(Math.max(...days)).toBeLessThanOrEqual(1_125);
    await expectAll();
    expect(untilTomorrow("so it is", DAY)).toBe(
      "D1 takes no more rows today (so it is). Run the same command after 00:00 UTC, in 5 h 30 min: it goes on.",
    );
  });

  it("stops when D1 itself says that the day's rows are used up, and goes on", async () => {
    rowsLeft = 25;
    await expect(imported()).rejects.toBeInstanceOf(DayIsOver);
    rowsLeft = Number.POSITIVE_INFINITY;
    await imported();
    await expectAll();
  });

  it("goes on behind a trouble that does not pass in time", async () => {
    troubles = Array.from({ length: 20 }, (_, index) => (index < 8 ? "lost answer" : "cut"));
    await expect(imported()).rejects.toThrow(/^D1_ERROR: the API does not answer/);
    troubles = [];
    await imported();
    await expectAll();
  });

  it.each([
    ["a wrong token", { token: "wrong" }, "The account does not accept the token (Authentication error)"],
    ["no such database", { database: "other" }, "The account has no D1 database other: run npm run deploy first."],
  ])("with %s says so, and has written nothing", async (_, changes, line) => {
    const before = await rowsOf();
    await expect(imported(changes)).rejects.toThrow(line);
    expect(existsSync(join(folder, "staging"))).toBe(false);
    expect(await rowsOf()).toBe(before);
  });

  it("into a database without tables says what to do first", async () => {
    db.close();
    db = new FileDatabase(":memory:");
    for (const table of ["packs", "rooms", "api_keys"]) await db.prepare(`CREATE TABLE ${table} (id)`).all();
    await expect(imported()).rejects.toThrow("has not the tables of this version: run npm run deploy first.");
  });
});
