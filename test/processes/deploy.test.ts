/** A deploy, against a wrangler that answers as Cloudflare's would and writes down what it was asked; and its smoke test. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { smokeTest } from "../../api/local/deploy/smoke-test.ts";
import { READING, Server } from "./server.ts";

const ROOT = join(import.meta.dirname, "../..");

const folder = mkdtempSync(join(tmpdir(), "meet-ai-deploy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the wrangler of a test answers to a command that begins so. */
type Answers = Readonly<Record<string, { status?: number; stdout?: string; stderr?: string }>>;

const LOG = join(folder, "asked");
writeFileSync(
  join(folder, "wrangler"),
  `#!${process.execPath}
const { appendFileSync } = require("node:fs");
const args = process.argv.slice(2).join(" ");
appendFileSync(process.env.FAKE_LOG, args + "\\n");
const answers = Object.entries(JSON.parse(process.env.FAKE_ANSWERS));
const [, answer] = answers.find(([begin]) => args.startsWith(begin)) ?? [0, { status: 1, stderr: "unexpected: " + args }];
process.stdout.write(answer.stdout ?? "");
process.stderr.write(answer.stderr ?? "");
process.exitCode = answer.status ?? 0;
`,
  { mode: 0o755 },
);

const ACCOUNT = { id: "a1", name: "Ada" };
const json = (value: unknown) => ({ stdout: JSON.stringify(value) });

/** An account in which everything goes well and nothing is deployed yet. */
const NEW: Answers = {
  "whoami --json": json({ loggedIn: true, accounts: [ACCOUNT] }),
  "deployments list": { status: 1, stderr: "✘ [ERROR] This Worker does not exist on your account. [code: 10007]" },
  "d1 list": { stdout: `A notice.\n${JSON.stringify([{ name: "another" }])}` },
  "d1 create meet-ai": {},
  "d1 migrations apply DB --remote": {},
  "deploy --help": { stdout: "  --durable-objects-code-update-mode  How to update Durable Object code" },
  deploy: { stdout: "Uploaded meet-ai\n  https://meet-ai.ada.workers.dev\n" },
};

/** The same with a deployment in it. */
const OLD: Answers = {
  ...NEW,
  "deployments list": json([
    { created_on: "2026-11-02T00:00:00Z", versions: [{ version_id: "newer" }] },
    { created_on: "2026-11-01T00:00:00Z", versions: [{ version_id: "older" }] },
  ]),
  "d1 list": json([{ name: "meet-ai" }]),
  "rollback --help": { stdout: "  --durable-objects-code-update-mode" },
  rollback: {},
};

function deploy(answers: Answers, args: readonly string[] = [], more: Readonly<Record<string, string>> = {}) {
  writeFileSync(LOG, "");
  const { CLOUDFLARE_API_TOKEN: _, CLOUDFLARE_ACCOUNT_ID: __, ...rest } = process.env;
  const env = {
    ...rest,
    PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    FAKE_LOG: LOG,
    FAKE_ANSWERS: JSON.stringify(answers),
    ...more,
  };
  const all = ["api/local/deploy.ts", "--no-build", "--no-smoke-test", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: ROOT, env, encoding: "utf8" });
  const asked = readFileSync(LOG, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.trim());
  return { status, stdout, stderr, asked };
}

/** The commands that change something. */
const changes = (asked: readonly string[]) =>
  asked.filter((line) => !/^(whoami|\w+ list|.* --help|.* --dry-run)/.test(line));

const DEFERRED = "--durable-objects-code-update-mode deferred 300s";

describe("a deploy", () => {
  it("from nothing makes the database, migrates it, and then uploads the Worker", () => {
    const { status, stdout, asked } = deploy(NEW);
    expect(status).toBe(0);
    expect(changes(asked)).toEqual([
      "d1 create meet-ai --env",
      "d1 migrations apply DB --remote --env",
      `deploy ${DEFERRED} --env`,
    ]);
    expect(stdout).toContain("Account   Ada (a1)");
    expect(stdout).toContain("Worker    meet-ai, which is new");
  });

  it("over an earlier one makes no second database, and says how to go back", () => {
    const { status, stdout, asked } = deploy(OLD);
    expect(status).toBe(0);
    expect(changes(asked)).toEqual(["d1 migrations apply DB --remote --env", `deploy ${DEFERRED} --env`]);
    expect(stdout).toContain("Back to the version before (newer): npm run deploy -- --rollback");
  });

  it("by a wrangler that can't keep sockets goes without", () => {
    const { status, asked } = deploy({ ...OLD, "deploy --help": { stdout: "--dry-run" } });
    expect(status).toBe(0);
    expect(changes(asked).at(-1)).toBe("deploy --env");
  });

  it("to an environment names it in every command", () => {
    const { status, asked } = deploy(OLD, ["--env", "production"]);
    expect(status).toBe(0);
    for (const line of asked) expect(line).toMatch(/--env production$/);
  });

  it.each<[string, Answers, Record<string, string>, string]>([
    [
      "nobody is signed in",
      { "whoami --json": { status: 1, ...json({ loggedIn: false }) } },
      {},
      "You are not signed in to Cloudflare: run npx wrangler login, or set CLOUDFLARE_API_TOKEN.",
    ],
    [
      "the token is not valid",
      { "whoami --json": { status: 1, stderr: "Invalid access token" } },
      { CLOUDFLARE_API_TOKEN: "x" },
      "Cloudflare does not accept CLOUDFLARE_API_TOKEN: make one from the template “Edit Cloudflare Workers”, and add the permission D1: Edit.",
    ],
    [
      "there are several accounts",
      { "whoami --json": json({ loggedIn: true, accounts: [ACCOUNT, { id: "b2", name: "Work" }] }) },
      {},
      "You have several accounts: set CLOUDFLARE_ACCOUNT_ID to one of a1 (Ada), b2 (Work).",
    ],
    [
      "another account is named",
      {},
      { CLOUDFLARE_ACCOUNT_ID: "c3" },
      "CLOUDFLARE_ACCOUNT_ID names none of your accounts, which are a1 (Ada).",
    ],
    [
      "D1 can't be asked",
      { "d1 list": { status: 1, stderr: "✘ [ERROR] Authentication error [code: 10000]" } },
      {},
      "The account's databases can't be listed; nothing was done. wrangler says: ✘ [ERROR] Authentication error [code: 10000]",
    ],
    [
      "the name is another Worker's",
      { "deployments list": json([]) },
      {},
      'The account has a Worker "meet-ai" already and no database "meet-ai", so it is something else. Choose another name in wrangler.toml, or put this in its place with --replace.',
    ],
  ])("changes nothing when %s", (_, answers, env, line) => {
    const { status, stderr, asked } = deploy({ ...NEW, ...answers }, [], env);
    expect({ status, stderr: stderr.trim() }).toEqual({ status: 1, stderr: line });
    expect(changes(asked)).toEqual([]);
  });

  it("takes another Worker's place when it is told to", () => {
    expect(deploy({ ...NEW, "deployments list": json([]) }, ["--replace"]).status).toBe(0);
  });

  it.each([
    ["d1 create meet-ai", "The database was not made, and nothing else was done."],
    [
      "d1 migrations apply DB --remote",
      "The migrations were not all applied. What runs goes on: it works with those that were.",
    ],
    ["deploy", "The Worker was not replaced. What runs goes on, and works with the migrated database."],
  ])("ends where %s fails, and says what that leaves", (command, line) => {
    const failing = { status: 7, stderr: "✘ [ERROR] No.\n" };
    // The first that fits is taken.
    const { status, stderr, asked } = deploy({ ...NEW, [command]: failing });
    expect(status).toBe(1);
    expect(stderr).toContain("✘ [ERROR] No.");
    expect(stderr).toContain(line);
    expect(changes(asked).at(-1)?.startsWith(command)).toBe(true);
  });

  it("says so when the account has no address yet", () => {
    const { status, stderr } = deploy({ ...NEW, deploy: { stdout: "Uploaded" } });
    expect(status).toBe(1);
    expect(stderr).toContain("Choose your workers.dev subdomain in Cloudflare's dashboard");
  });

  it("that is a dry run asks for nothing but the check of what would be uploaded", () => {
    const { status, asked } = deploy({ "deploy --dry-run": {} }, ["--dry-run"]);
    expect({ status, asked }).toEqual({ status: 0, asked: ["deploy --dry-run --env"] });
  });

  it("is taken back by one command", () => {
    const { status, asked } = deploy(OLD, ["--rollback"]);
    expect(status).toBe(0);
    expect(changes(asked)).toEqual([`rollback --yes --message npm run deploy -- --rollback ${DEFERRED} --env`]);
  });
});

describe("the smoke test", () => {
  it("finds that a server works, and leaves neither its room nor its key behind", async () => {
    await using server = await Server.start();
    const said: string[] = [];
    await smokeTest(server.url, { say: (line) => said.push(line) });
    expect(said.join("\n")).toMatch(
      /✓ a key is made\n.*✓ a room is made\n.*✓ a message.*\n.*✓ it is read.*\n.*✓ D1 has it\n\nIt works: /,
    );
    const database = new DatabaseSync(server.databaseFile, READING);
    const count = (query: string) => Object.values(database.prepare(query).get() ?? {});
    expect(count("SELECT count(*) FROM rooms WHERE name = 'Deploy check'")).toEqual([0]);
    expect(count("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL")).toEqual([0]);
    database.close();
  });

  it("says what does not work, and how to go back", async () => {
    const broken = createServer((request, response) => {
      response.writeHead(request.url === "/healthz" ? 200 : 503).end("{}");
    }).listen(0);
    const { port } = broken.address() as AddressInfo;
    try {
      await expect(smokeTest(`http://localhost:${port}`, { say: () => undefined, patience: 100 })).rejects.toThrow(
        /is deployed, but this fails: its database answers .*npm run deploy -- --rollback/,
      );
    } finally {
      broken.close();
    }
  });
});
