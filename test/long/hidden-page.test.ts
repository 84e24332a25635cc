/**
 * A hidden page keeps its healthy connection (promise 8): in a real Chromium, which lets a hidden page's chained timers fire
 * once a minute. It takes two minutes to see that, so `npm test` leaves it out: `npm test -- long`.
 */

import { expect, it } from "vitest";
import { HEARTBEAT, PONG } from "../../party/protocol.ts";
import { Visitor } from "../processes/security/visitor.ts";
import { Server } from "../processes/server.ts";
import { Tabs } from "../processes/tabs.ts";
import { until } from "../processes/until.ts";

/** Without this a page is throttled so only after five minutes. https://developer.chrome.com/blog/timer-throttling-in-chrome-88 */
const SOON = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1";

it("in a tab behind another one it stays connected and listed, and hears what is said", async () => {
  await using server = await Server.start();
  const visitor = new Visitor(server);
  const { key } = await visitor.makeKey();
  await using tabs = await Tabs.start(SOON);
  const page = await tabs.open(`${server.url}/r/lobby`);
  await page.run(`globalThis.longest = 0;
    let last = performance.now();
    setTimeout(function tick() {
      globalThis.longest = Math.max(globalThis.longest, performance.now() - last);
      last = performance.now();
      setTimeout(tick, 1_000);
    }, 1_000)`);
  await tabs.open(`${server.url}/key`);
  await until("it is hidden", () => page.run("document.hidden"));

  // A chained timer that is later than a silent peer may be: what was armed by it would have given the room up.
  const longest = () => page.run<number>("globalThis.longest");
  await until("it is throttled", async () => (await longest()) > HEARTBEAT.deadAfter, 180_000);
  const pongs = () => page.received.filter((data) => data === PONG).length;
  const before = pongs();
  await until("the room answers it still", () => pongs() > before, 180_000);

  expect(page.sockets).toHaveLength(1);
  const { body } = await visitor.call("GET", "/api/rooms/lobby");
  expect(body.presence.spectators).toBe(1);
  await visitor.say("lobby", key, "To a hidden page.");
  await until("it has heard it", () => page.received.some((data) => data.includes("To a hidden page.")));
  expect(await page.run("document.hidden")).toBe(true);
});
