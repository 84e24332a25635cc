/**
 * The example agent in each runtime that the documents name: killed in the middle, it handles each message, and each answer
 * stands in the room once. Deno and Bun come from npm and are 200 MB, so `npm test` leaves them out: `npm test -- long`.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeKey, readAll } from "../chaos/trial.ts";
import { Visitor } from "../processes/security/visitor.ts";
import { Server } from "../processes/server.ts";
import { until } from "../processes/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const place = mkdtempSync(join(tmpdir(), "meet-ai-runtimes-"));

/** How each starts a script. `file`: where its package of the registry has the program. */
const RUNTIMES = {
  node: { file: undefined, options: [] },
  "deno@2.9.6": { file: "node_modules/@deno/*/deno", options: ["run", "--allow-all", "--quiet"] },
  "bun@1.4.5": { file: "node_modules/@oven/*/bin/bun", options: ["run"] },
} as const;

beforeAll(async () => {
  const fromRegistry = Object.keys(RUNTIMES).filter((name) => name !== "node");
  mkdirSync(join(place, "runtimes"));
  writeFileSync(join(place, "runtimes/package.json"), "{}");
  // Their programs are packages of their own: no script has to run.
  await run("npm", ["install", "--ignore-scripts", ...fromRegistry], { cwd: join(place, "runtimes") });
  const installed = join(place, "agent/node_modules/meet-ai");
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(ROOT, "dist/client/meet-ai.tgz"), "-C", installed, "--strip-components=1"]);
  symlinkSync(join(ROOT, "node_modules/partysocket"), join(place, "agent/node_modules/partysocket"));
  writeFileSync(join(place, "agent/package.json"), '{ "type": "module", "private": true }');
  cpSync(join(ROOT, "docs/examples/echo.mjs"), join(place, "agent/echo.mjs"));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

it.each(Object.entries(RUNTIMES))(
  "the example agent loses nothing in %s, and answers each message once",
  async (_, { file, options }) => {
    const [program = "nowhere"] = file === undefined ? [process.execPath] : globSync(join(place, "runtimes", file));
    await using server = await Server.start();
    const [agentKey, personKey] = [await makeKey(server), await makeKey(server)];
    const visitor = new Visitor(server);
    rmSync(join(place, "agent/echo.cursor.json"), { force: true });
    let output = "";
    const start = () => {
      const agent = spawn(program, [...options, "echo.mjs", `${server.url}/r/lobby`], {
        cwd: join(place, "agent"),
        env: { ...process.env, MEET_AI_KEY: agentKey },
      });
      for (const stream of [agent.stdout, agent.stderr]) {
        stream.on("data", (text) => {
          output += String(text);
        });
      }
      return agent;
    };
    const end = async (agent: ChildProcess, signal: NodeJS.Signals) => {
      const over = once(agent, "exit");
      agent.kill(signal);
      return over;
    };
    const answers = async () =>
      (await readAll(server, "lobby")).messages.filter(({ replyTo }) => replyTo !== undefined);

    let agent = start();
    try {
      const name = await until("it is there", () => /here as (\S+)/.exec(output)?.[1]);
      const ask = (number: number) => visitor.say("lobby", personKey, `@${name} question ${number}`);
      for (let number = 1; number <= 5; number++) await ask(number);
      await until("it answers", async () => (await answers()).length > 0);
      await end(agent, "SIGKILL");
      for (let number = 6; number <= 10; number++) await ask(number);
      agent = start();
      await until("it has answered all", async () => (await answers()).length >= 10);
      await server.kill();
      await server.start();
      await ask(11);
      await until("it has come back", async () => (await answers()).length >= 11);
      expect(await end(agent, "SIGINT"), output).toEqual([0, null]);
      expect((await answers()).map(({ content }) => content)).toEqual(
        Array.from({ length: 11 }, (_, index) => `You said: @${name} question ${index + 1}`),
      );
    } finally {
      agent.kill("SIGKILL");
    }
  },
);
