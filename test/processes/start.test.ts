/** How a server starts on one machine, and what keeps it from starting. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Visitor } from "./security/visitor.ts";
import { freePort, Server, WRITING } from "./server.ts";

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
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 60_000 });
    rmSync(stateDir, { recursive: true });
    const line = `${stateDir}/operator-secret: OPERATOR_SECRET must have 22 or more characters of ASCII without spaces, 8 of them different.\n`;
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: line });
  });

  it.each(["many", "", "-5"])("ends with one line when a quota is %j", async (value) => {
    const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-start-"));
    const env = { ...process.env, KEY_MESSAGES_PER_MINUTE: value, PORT: String(await freePort()), STATE_DIR: stateDir };
    const args = ["api/local/start.ts", "--no-build"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8", timeout: 60_000 });
    rmSync(stateDir, { recursive: true });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: `KEY_MESSAGES_PER_MINUTE must be a whole number from 0 to 1000000000, not ${JSON.stringify(value)}.\n`,
    });
  });
});
