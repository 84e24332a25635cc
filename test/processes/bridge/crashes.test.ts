/** A bridge that is killed at any moment: each mention is answered once, by whatever bridge comes after it. */

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random } from "../../chaos/random.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { ACP_AGENT, Bridged, PLAIN_AGENT } from "./bridged.ts";

const MENTIONS = 50;
const DEATHS = 15;
/** The latest moment at which a bridge dies after it was asked something, ms: its answers take less. */
const LATEST = 700;
/** How long everything may take to be answered, ms. */
const PATIENCE = 240_000;

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

it.each([
  ["a plain command", PLAIN_AGENT],
  ["an agent by ACP", ACP_AGENT],
])(
  `${MENTIONS} mentions of %s while the bridge is killed ${DEATHS} times: each is answered once`,
  { timeout: 600_000 },
  async (_, agent) => {
    const seed = Date.now() % 1_000_000;
    const random = new Random(seed);
    await using bridged = await Bridged.begin(server, ["--cooldown", "0", ...agent]);
    for (let mention = 1; mention <= MENTIONS; mention++) {
      await bridged.ask(`q-${mention}`);
      if (mention % Math.floor(MENTIONS / DEATHS) !== 0) continue;
      // The moment of the fault: whatever the bridge does then.
      await pause(random.between(0, LATEST));
      bridged.bridge.kill();
      await bridged.bridge.closed;
      await bridged.start();
    }
    const words = async () => (await bridged.answers()).flatMap(({ content }) => content.match(/q-\d+/g) ?? []);
    const all = Array.from({ length: MENTIONS }, (_, index) => `q-${index + 1}`);
    await until(
      `seed ${seed}: everything is answered; the bridge says: ${bridged.bridge.err}`,
      async () => new Set(await words()).size === MENTIONS,
      PATIENCE,
    );
    // Nothing that a dead bridge has left comes later.
    bridged.bridge.kill();
    await bridged.bridge.closed;
    await bridged.start();
    await bridged.answerTo(await bridged.ask("q-0"));
    expect((await words()).sort(), `seed ${seed}`).toEqual([...all, "q-0"].sort());
  },
);

it("what the owner said while no bridge ran is answered by the next one, and orders that were obeyed are not obeyed again", async () => {
  await using bridged = await Bridged.begin(server, ["--cooldown", "0", ...ACP_AGENT]);
  const stopped = await bridged.ask("do:slow");
  await bridged.bridge.prints(/Answering #1/);
  const stop = await bridged.ask("/stop");
  await bridged.answerTo(stop);
  await bridged.answerTo(stopped);
  bridged.bridge.kill();
  await bridged.bridge.closed;
  const missed = await bridged.ask("q-1");
  await bridged.start();
  expect(await bridged.answerTo(missed)).toContain("q-1");
  expect(bridged.bridge.err).not.toContain("/stop");
  expect(await bridged.answers()).toHaveLength(3);
});

it("the server dies in the middle of an answer: it is posted once the server is back", async () => {
  await using bridged = await Bridged.begin(server, ["--cooldown", "0", ...ACP_AGENT]);
  const seq = await bridged.ask("do:slow");
  await bridged.shows("word 1");
  await server.kill();
  await server.start();
  await bridged.ask("/stop");
  expect(await bridged.answerTo(seq)).toMatch(/^word 1\b.*\(Stopped by/s);
  expect((await bridged.answers()).filter(({ replyTo }) => replyTo === seq)).toHaveLength(1);
});
