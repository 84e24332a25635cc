/** An agent that waits over MCP misses nothing and reads nothing twice, whatever becomes of the server and its connections. */

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TcpProxy } from "../chaos/proxy.ts";
import { ERAS, McpClient } from "../processes/mcp/client.ts";
import { Visitor } from "../processes/security/visitor.ts";
import { Server } from "../processes/server.ts";
import { until } from "../processes/until.ts";

const MESSAGES = 1_000;
/** What is done after so many messages. */
const KILLS = [120, 310, 480, 690, 870];
const CUTS = [40, 90, 200, 260, 380, 420, 560, 610, 780, 940];
/** How long one wait may last, s, and a client waits for its answer, ms: one whose stream was cut waits in vain. */
const WAIT = 2;
const ANSWER_WITHIN = 4_000;
/** How long a trial may take, ms. */
const PATIENCE = 150_000;

let server: Server;

beforeAll(async () => {
  server = await Server.start();
}, PATIENCE);

afterAll(async () => {
  await server.remove();
});

it.each(ERAS)("a loop of the %s era gets a thousand messages, each once and in order", async (era) => {
  const visitor = new Visitor(server);
  const [writer, reader] = [await visitor.makeKey(), await visitor.makeKey()];
  const room = await visitor.makeRoom(writer.key);
  await using proxy = await TcpProxy.start(server.port);
  const end = performance.now() + PATIENCE;
  const isOver = () => performance.now() > end;
  const got: number[] = [];
  let [after, epoch] = [0, ""];
  let broken = 0;

  const connect = () => {
    return McpClient.connect(era, `http://localhost:${proxy.port}`, { authorization: `Bearer ${reader.key}` });
  };
  const read = async () => {
    while (got.length < MESSAGES && !isOver()) {
      try {
        await using mcp = await connect();
        while (got.length < MESSAGES && !isOver()) {
          const cursor = epoch === "" ? { after } : { after, epoch };
          const args = { room, ...cursor, wait: WAIT, max_chars: 4_000 };
          const text = await mcp.text("wait_for_messages", args, { timeout: ANSWER_WITHIN });
          const [, next, of] = /^# next: after=(\d+) epoch=(\S+)/m.exec(text) ?? [];
          if (next === undefined || of === undefined || text.includes("# reset")) throw new Error(`No cursor: ${text}`);
          got.push(...[...text.matchAll(/^(\d+) /gm)].map(([, seq]) => Number(seq)));
          [after, epoch] = [Number(next), of];
        }
      } catch {
        broken++;
        await pause(20);
      }
    }
  };
  const say = async (index: number) => {
    const isSaid = async () => {
      try {
        const { status } = await visitor.say(room, writer.key, `says ${index}`, { id: `m${index}` });
        return status === 200 || status === 201;
      } catch {
        return false;
      }
    };
    await until(`message ${index} is said`, isSaid);
  };

  const reading = read();
  for (let index = 1; index <= MESSAGES && !isOver(); index++) {
    await say(index);
    if (CUTS.includes(index)) {
      await until("there is a connection to cut", () => proxy.links.length > 0);
      for (const link of proxy.links) link.cut();
    }
    if (!KILLS.includes(index)) continue;
    await server.kill();
    for (const link of proxy.links) link.cut();
    await server.start();
  }
  await reading;
  expect(got).toEqual(Array.from({ length: MESSAGES }, (_, index) => index + 1));
  // Otherwise nothing was tried.
  expect(broken).toBeGreaterThanOrEqual(KILLS.length);
});
