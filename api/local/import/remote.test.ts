/** An import into a Cloudflare account, whose API is played by a server that answers as its documentation says. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CloudflareApi, DATABASE } from "../../../test/unit/cloudflare-api.ts";
import { storedMessages } from "../../../test/unit/packs.ts";
import type { AccountOptions } from "../remote/account.ts";
import { D1OverHttp, DayIsOver } from "../remote/d1-over-http.ts";
import { untilTomorrow } from "../remote/daily-budget.ts";
import { FileDatabase } from "./file-database.ts";
import { openAccount } from "./remote.ts";
import { type ImportOptions, runImport } from "./run.ts";

const DAY = Date.parse("2026-11-26T18:30:00Z");

let folder: string;
let file: string;
let api: CloudflareApi;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-remote-"));
  file = join(folder, "old.sqlite");
  const old = new DatabaseSync(file);
  old.exec(`PRAGMA synchronous = OFF; BEGIN; CREATE TABLE api_keys (id, key_hash, handle, created_at, last_used);
    CREATE TABLE rooms (id, name, created_at); CREATE TABLE messages (id, room_id, sender, content, created_at);
    INSERT INTO api_keys VALUES ('k', '${"a".repeat(64)}', 'anna', '2025-01-01 00:00:00', NULL);
    INSERT INTO rooms VALUES ('lobby', 'Lobby', '2025-01-01 00:00:00'), ('den', 'Den', '2025-01-01 00:00:00')`);
  const insert = old.prepare("INSERT INTO messages VALUES (?, ?, 'anna', 'text', '2025-01-02 00:00:00')");
  for (let number = 0; number < 6_000; number++) insert.run(`m${number}`, number < 3_500 ? "lobby" : "den");
  old.exec("COMMIT");
  old.close();
  api = await CloudflareApi.start(DAY);
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function imported(changes: Partial<AccountOptions> = {}): Promise<void> {
  const options: ImportOptions = {
    file,
    folder: join(folder, "staging"),
    isDry: false,
    targetName: "an account",
    output: { write: () => undefined },
    ...openAccount({ ...api.account, ...changes }),
  };
  await runImport(options);
}

const idsIn = async (room: string) => (await storedMessages(api.db, room)).map(({ id }) => id);

async function expectAll(): Promise<void> {
  expect(await idsIn("lobby")).toEqual(Array.from({ length: 3_500 }, (_, index) => `m${index}`));
  expect(await idsIn("den")).toEqual(Array.from({ length: 2_500 }, (_, index) => `m${3_500 + index}`));
  expect(await api.db.prepare("SELECT handle FROM api_keys").first()).toEqual({ handle: "anna" });
}

describe("an import into a Cloudflare account", () => {
  it("finds the database by its name, and brings everything there", async () => {
    await imported();
    await expectAll();
    expect(api.requests[0]).toBe("GET /accounts/account/d1/database?name=meet-ai");
    expect(new Set(api.requests.slice(1))).toEqual(new Set([`POST /accounts/account/d1/database/${DATABASE}/query`]));
  });

  it("brings bytes as they are, however many", async () => {
    const budget = { require: () => undefined, spend: () => undefined };
    const account = new D1OverHttp({ ...api.account, database: DATABASE, budget });
    const insert = "INSERT INTO packs (room_id, first, revision, form, body) VALUES (?1, ?2, ?2, 1, ?3)";
    const bodies = [1, 900_000, 1_700_000].map((size) => Uint8Array.from({ length: size }, (_, at) => at * 7 + size));
    await account.batch(bodies.map((body, at) => account.prepare(insert).bind("lobby", at * 100 + 1, body.buffer)));
    const { results } = await api.db.prepare("SELECT body FROM packs ORDER BY first").all<{ body: Uint8Array }>();
    expect(results.map(({ body }, at) => Buffer.compare(body, bodies[at] as Uint8Array))).toEqual([0, 0, 0]);
  });

  it("makes another lobby of the one that is there, which may know itself", async () => {
    const query = "SELECT created_at AS at FROM rooms WHERE id = 'lobby'";
    const before = await api.db.prepare(query).first<{ at: string }>();
    await imported();
    const after = await api.db.prepare(query).first<{ at: string }>();
    expect(Date.parse(after?.at ?? "")).toBe(Date.parse(before?.at ?? "") + 1);
  });

  it("asks again after what passes, also when only the answer was lost, and writes nothing twice", async () => {
    const kinds = ["error", "cut", "too many", "lost answer", "lost answer"] as const;
    api.troubles = Array.from({ length: 60 }, (_, index) => (index % 3 === 2 ? "none" : (kinds[index % 5] as "cut")));
    await imported();
    await expectAll();
    expect(api.waits.length).toBeGreaterThan(20);
    expect(api.waits.slice(0, 2)).toEqual([1_000, 2_000]);
  });

  it("stops before the rows of a day are used up, says when to go on, and goes on", async () => {
    const days: number[] = [];
    for (; ; api.now += 86_400_000) {
      const before = await api.rows();
      const error = await imported({ rowsADay: 1_125 }).then(
        () => undefined,
        (error: Error) => error,
      );
      days.push((await api.rows()) - before);
      if (!error) break;
      expect(error).toBeInstanceOf(DayIsOver);
      // Not before the next day.
      const same = await imported({ rowsADay: 1_125 }).catch((error: Error) => error);
      expect(same).toBeInstanceOf(DayIsOver);
      expect((await api.rows()) - before).toBe(days.at(-1));
    }
    expect(days.length).toBeGreaterThan(2);
    expect(Math.max(...days)).toBeLessThanOrEqual(1_125);
    await expectAll();
    expect(untilTomorrow("so it is", DAY)).toBe(
      "D1 takes no more rows today (so it is). Run the same command after 00:00 UTC, in 5 h 30 min: it goes on.",
    );
  });

  it("stops when D1 itself says that the day's rows are used up, and goes on", async () => {
    api.rowsLeft = 25;
    await expect(imported()).rejects.toBeInstanceOf(DayIsOver);
    api.rowsLeft = Number.POSITIVE_INFINITY;
    await imported();
    await expectAll();
  });

  it("goes on behind a trouble that does not pass in time", async () => {
    api.troubles = Array.from({ length: 20 }, (_, index) => (index < 8 ? "lost answer" : "cut"));
    await expect(imported()).rejects.toThrow(/^D1_ERROR: the API does not answer/);
    api.troubles = [];
    await imported();
    await expectAll();
  });

  it.each([
    ["a wrong token", { token: "wrong" }, "The account does not accept the token (Authentication error)"],
    ["no such database", { database: "other" }, "The account has no D1 database other: run npm run deploy first."],
  ])("with %s says so, and has written nothing", async (_, changes, line) => {
    const before = await api.rows();
    await expect(imported(changes)).rejects.toThrow(line);
    expect(existsSync(join(folder, "staging"))).toBe(false);
    expect(await api.rows()).toBe(before);
  });

  it("into a database without tables says what to do first", async () => {
    api.db.close();
    api.db = new FileDatabase(":memory:");
    for (const table of ["packs", "rooms", "api_keys"]) await api.db.prepare(`CREATE TABLE ${table} (id)`).all();
    await expect(imported()).rejects.toThrow("has not the tables of this version: run npm run deploy first.");
  });
});
