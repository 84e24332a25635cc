/** How a server starts on one machine, and what keeps it from starting. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { Visitor } from "./security/visitor.ts";
import { freePort, Server, WRITING } from "./server.ts";
import { until } from "./until.ts";

describe("a server whose tables are up to date", () => {
  it("starts while another process has locked D1, and serves what needs no writing to it", async () => {
    await using server = await Server.start();
    const visitor = new Visitor(server);
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    await visitor.say(room, key, "before");
    await server.stop();
    // What some versions left here once all was applied. Others did not.
    rmSync(join(server.stateDir, "migrated"), { force: true });
    const database = new DatabaseSync(server.databaseFile, WRITING);
    database.exec("BEGIN IMMEDIATE");
    try {
      await server.start();
      const line = await visitor.enterAs(room, { key });
      expect((await line.welcomed()).messages).toMatchObject([{ content: "before" }]);
      expect(await line.outcome(line.say("meanwhile"))).toMatchObject({ content: "meanwhile", seq: 2 });
      line.close();
    } finally {
      database.exec("ROLLBACK");
      database.close();
    }
    expect((await visitor.call("POST", "/api/keys")).status).toBe(201);
  });
});

describe("the operator's secret", () => {
  it("is made at the first start, for its user's eyes alone, and stays; only where it is is printed", async () => {
    await using server = await Server.start();
    const file = join(server.stateDir, "operator-secret");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, "utf8").trim();
    expect(secret).toMatch(/^mop_[\w-]{32}$/);
    expect(server.output).toContain(file);
    const ask = (authorization: string) =>
      fetch(`${server.url}/api/operator/directory`, { headers: { authorization } }).then(({ status }) => status);
    expect(await ask(`Operator ${secret}`)).toBe(200);
    expect(await ask("Operator mop_another-secret-of-the-same-size0")).toBe(401);
    await server.kill();
    await server.start();
    expect(await ask(`Operator ${secret}`)).toBe(200);
    expect(server.output).not.toContain(secret);
  });
});

describe("a start", () => {
  it("ends with one line when the operator's secret could be guessed", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-start-"));
    writeFileSync(join(stateDir, "operator-secret"), "hunter2\n");
    const env = { ...process.env, PORT: String(await freePort()), STATE_DIR: stateDir };
    const args = ["api/local/start.ts", "--no-build"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 170_000 });
    rmSync(stateDir, { recursive: true });
    const line = `${stateDir}/operator-secret: OPERATOR_SECRET must have 22 or more characters of ASCII without spaces, 8 of them different.\n`;
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: line });
  });

  it.each(["many", "", "-5"])("ends with one line when a quota is %j", async (value) => {
    const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-start-"));
    const env = { ...process.env, KEY_MESSAGES_PER_MINUTE: value, PORT: String(await freePort()), STATE_DIR: stateDir };
    const args = ["api/local/start.ts", "--no-build"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 170_000 });
    rmSync(stateDir, { recursive: true });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: `KEY_MESSAGES_PER_MINUTE must be a whole number from 0 to 1000000000, not ${JSON.stringify(value)}.\n`,
    });
  });

  it.each([
    ["can't be made", "nowhere", /^No temporary folder can be made \(ENOENT.*\): name another place in TMPDIR\.\n$/],
    ["is too deep for a socket", "x".repeat(100), /^The path .* is too long for a socket in it: .* in TMPDIR\.\n$/],
  ])("ends with one line when a temporary folder %s", async (_, name, line) => {
    using folder = new EmptyFolder();
    if (name !== "nowhere") mkdirSync(join(folder.path, name));
    const env = {
      ...process.env,
      TMPDIR: join(folder.path, name),
      PORT: String(await freePort()),
      STATE_DIR: join(folder.path, "state"),
    };
    const args = ["api/local/start.ts", "--no-build"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 170_000 });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(line);
  });
});

describe("a first start that is ended", () => {
  it("in good order leaves nothing but its folder of state, which is free again", async () => {
    using folder = new EmptyFolder();
    const stateDir = join(folder.path, "state");
    const first = start(stateDir, folder.path, await freePort());
    // The first of these folders is there until the second is.
    const isBegun = (name: string) => /-(wrangler|runtime)-/.test(name);
    await until("it is being made ready", () => readdirSync(folder.path).some(isBegun));
    // It alone, as an init process does.
    first.kill("SIGTERM");
    expect(await once(first, "exit")).toEqual([0, null]);
    expect(existsSync(join(stateDir, "server.pid"))).toBe(false);
    expect(readdirSync(folder.path)).toEqual(["state"]);
  });

  it("by a kill keeps the folder until nothing works on it any more", async () => {
    using folder = new EmptyFolder();
    const stateDir = join(folder.path, "state");
    const port = await freePort();
    const first = start(stateDir, folder.path, port);
    await until("its tables are being made", () => globSync("state/d1/*/*.sqlite", { cwd: folder.path }).length > 0);
    const [, working] = readFileSync(join(stateDir, "server.pid"), "utf8").split("\n").map(Number);
    expect(working, "who makes them is noted").toBeGreaterThan(0);
    const ended = once(first, "exit");
    first.kill("SIGKILL");
    await ended;
    // Another waits for it, or is told of it, as often as it comes.
    await until("another serves the folder", async () => {
      const other = start(stateDir, folder.path, port);
      let output = "";
      for (const stream of [other.stdout, other.stderr]) stream.on("data", (text) => (output += text));
      // With all that it has printed.
      let hasEnded = false;
      const othersEnd = once(other, "close").then(() => {
        hasEnded = true;
      });
      await until("it is ready or has ended", () => /Ctrl\+C/.test(output) || hasEnded);
      const isReady = !hasEnded;
      if (!isReady) expect(output).toMatch(/^Another server \(process \d+\) keeps its data in .*\n$/);
      other.kill("SIGTERM");
      await othersEnd;
      return isReady;
    });
  });
});

const started = new Set<ChildProcess>();

// One that a failed test has left.
afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  started.clear();
});

/** A server of which a test ends this process alone. */
function start(stateDir: string, temporary: string, port: number) {
  const env = { ...process.env, TMPDIR: temporary, PORT: String(port), STATE_DIR: stateDir };
  const child = spawn(process.execPath, ["api/local/start.ts", "--no-build"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  return child;
}
