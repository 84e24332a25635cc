/** An agent's loop over messages, in a process that is killed, at a server that is killed, on a network that is cut. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { expect } from "vitest";
import { join } from "../../client/stay/index.ts";
import { TcpProxy } from "../chaos/proxy.ts";
import { makeKey, makeRoom, readAll } from "../chaos/trial.ts";
import type { Server } from "./server.ts";
import { until } from "./until.ts";

/** How much is said, and how often what breaks. */
export interface LoopTrial {
  readonly messages: number;
  readonly serverDeaths: number;
  readonly agentDeaths: number;
  readonly cuts: number;
}

/** How far the person is ahead of the agent. */
const AHEAD = 100;
/** How long one part of it may take, ms. */
const PATIENCE = 300_000;

/** Fails unless each message is handled, and each reply stands once. */
export async function tryLoop(
  server: Server,
  key: string,
  { messages, serverDeaths, agentDeaths, cuts }: LoopTrial,
): Promise<void> {
  await using proxy = await TcpProxy.start(server.port);
  const owner = await makeKey(server);
  const room = await makeRoom(server, owner);
  const folder = mkdtempSync(pathOf(tmpdir(), "meet-ai-loop-"));
  const notes = pathOf(folder, "handled");
  const start = () => startAgent(`http://localhost:${proxy.port}/r/${room}`, key, folder);
  let agent = await start();
  await using person = await join(`${server.url}/r/${room}`, { key: owner });
  let replies = 0;
  const listening = (async () => {
    for await (const { sender } of person.messages()) if (sender.endsWith("/echo")) replies++;
  })();

  // What breaks, in turns, spread over the replies.
  const breaks = [
    ...Array.from({ length: serverDeaths }, () => async () => {
      await server.kill();
      await server.start();
    }),
    ...Array.from({ length: agentDeaths }, () => async () => {
      const ended = once(agent, "exit");
      agent.kill("SIGKILL");
      await ended;
      agent = await start();
    }),
    ...Array.from({ length: cuts }, () => async () => {
      for (const link of proxy.links) link.cut();
    }),
  ];
  const steps = breaks.map((_, index) => breaks[(index * 7) % breaks.length] as () => Promise<void>);

  const sent: Promise<unknown>[] = [];
  const talking = (async () => {
    while (sent.length < messages) {
      await until("the agent has come closer", () => sent.length < replies + AHEAD, PATIENCE);
      sent.push(person.send(`Message ${sent.length + 1}`));
    }
    await Promise.all(sent);
  })();
  for (const [index, step] of steps.entries()) {
    const due = (messages * index) / steps.length;
    await until(`${due} replies are there`, () => replies >= due, PATIENCE);
    await step();
  }
  await talking;

  const handled = () => new Set(existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n").map(Number) : []);
  await until("each message is handled", () => handled().size >= messages, PATIENCE);
  const { messages: kept } = await readAll(server, room);
  const asked = kept.filter(({ sender }) => !sender.includes("/")).map(({ seq }) => seq);
  const answered = kept.filter(({ sender }) => sender.includes("/")).map(({ replyTo }) => replyTo as number);
  expect(asked).toHaveLength(messages);
  expect([...handled()].sort((a, b) => a - b)).toEqual(asked);
  expect(answered.sort((a, b) => a - b)).toEqual(asked);
  const ended = once(agent, "exit");
  agent.kill("SIGKILL");
  await ended;
  await person.close();
  await listening;
  rmSync(folder, { recursive: true, force: true });
}

/** The agent, once it is in the room. */
async function startAgent(url: string, key: string, folder: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [pathOf(import.meta.dirname, "replying-agent.ts"), url, pathOf(folder, "cursor.json"), pathOf(folder, "handled")],
    { env: { ...process.env, MEET_AI_KEY: key }, stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout?.on("data", (text) => {
    output += String(text);
  });
  await until("the agent is in the room", () => {
    if (child.exitCode !== null) throw new Error(`The agent has ended with ${child.exitCode}.`);
    return output.includes("here as");
  });
  return child;
}
