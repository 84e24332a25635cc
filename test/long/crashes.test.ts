/** What is read while everything breaks, at full length: `npm test` has the same with a third of it. */

import { afterAll, beforeAll, it } from "vitest";
import { makeKey } from "../chaos/trial.ts";
import { tryTail } from "../processes/cli/tail-trial.ts";
import { tryLoop } from "../processes/loop-trial.ts";
import { Server } from "../processes/server.ts";

/** How long a trial may take, ms. */
const timeout = 1_200_000;

let server: Server;
let key: string;

beforeAll(async () => {
  server = await Server.start();
  key = await makeKey(server);
});

afterAll(async () => {
  await server?.remove();
});

it(
  "an agent's loop handles each of 1,500 messages once, over five kills of the server, three of the agent and ten cuts",
  {
    timeout,
  },
  () => tryLoop(server, key, { messages: 1_500, serverDeaths: 5, agentDeaths: 3, cuts: 10 }),
);

it("`meet-ai tail` prints each of 1,000 messages once, over five kills of the server and ten cuts", { timeout }, () =>
  tryTail(server, key, { messages: 1_000, kills: 5, cuts: 10 }),
);
