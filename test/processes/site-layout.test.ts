/** How the site's pages are laid out while they load, and beside a scroll bar, in a browser. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import type { Overview } from "../../client/site/admin/admin-api.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";
import { accessibilityFaults, cutOff, layoutShift, Visitors } from "./visitors.ts";

let server: Server;
let visitors: Visitors;

beforeAll(async () => {
  server = await Server.start();
  visitors = await Visitors.of(server.url);
});

afterAll(async () => {
  await visitors?.close();
  await server?.remove();
});

afterEach(async () => {
  expect(await visitors.leave()).toEqual([]);
});

describe("with a scroll bar that takes room", () => {
  it.each(["/", "/rooms", "/key", "/nowhere", "/r/lobby", "/admin"])(
    "the header's rule on %s ends at it or at the edge",
    async (path) => {
      const scrollers = await Visitors.of(server.url, ["--hide-scrollbars"]);
      try {
        // So high that the shorter pages need none.
        const page = await scrollers.newcomer({ height: 2000 });
        await page.goto(path);
        const { gap, hasBar } = await page.evaluate(() => {
          const { right } = (document.querySelector(".site-header") as HTMLElement).getBoundingClientRect();
          const { scrollHeight, clientHeight } = document.documentElement;
          const { overflowY } = getComputedStyle(document.documentElement);
          return { gap: innerWidth - right, hasBar: overflowY === "scroll" || scrollHeight > clientHeight };
        });
        expect(hasBar ? 0 : gap).toBe(0);
        expect(await scrollers.leave()).toEqual([]);
      } finally {
        await scrollers.close();
      }
    },
  );
});

describe("while a page loads", () => {
  it.each(
    ["/", "/rooms", "/key", "/r/lobby", "/admin"].flatMap((path) => [360, 1280].map((width) => ({ path, width }))),
  )("nothing on $path moves once it is shown, $width pixels wide", async ({ path, width }) => {
    const page = await visitors.newcomer({ width });
    await page.goto(path);
    await page.waitForLoadState("networkidle");
    expect(await layoutShift(page)).toBeLessThan(0.01);
  });
});

describe("the operator's page with much on it", () => {
  const long = "x".repeat(80);

  /** As the operator, or with a key. */
  async function call(method: string, path: string, body?: object, authorization = operator()): Promise<Response> {
    const headers = { authorization, ...(body && { "content-type": "application/json" }) };
    return fetch(server.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }
  const operator = () => `Operator ${readOperatorSecret(server.stateDir)}`;

  beforeAll(async () => {
    const made = await fetch(`${server.url}/api/keys`, { method: "POST" });
    const { key, handle } = (await made.json()) as { key: string; handle: string };
    for (const name of [long, "Workshop", "‏ورشة العمل", "A name\u00a0that\u00a0does\u00a0not\u00a0break".repeat(2)]) {
      const room = await call("POST", "/api/rooms", { name, topic: long }, `Bearer ${key}`);
      const { id } = (await room.json()) as { id: string };
      await call("POST", `/api/rooms/${id}/messages`, { content: "Hello" }, `Bearer ${key}`);
      await call("PATCH", `/api/admin/rooms/${id}`, { closed: true, hidden: name === long });
      await call(
        "PUT",
        `/api/rooms/${id}/mutes/${encodeURIComponent("a-name-that-is-as-long-as-it/may-be-with-an-agent")}`,
        {},
      );
    }
    await call("PUT", `/api/rooms/lobby/members/${handle}`, { role: "moderator" });
    await call("PUT", "/api/admin/notice", { text: `Down on Sunday. ${"w".repeat(200)}` });
    // D1 learns of what was said a little later, and the figures of rooms are some seconds old.
    await until("the operator is shown all rooms", async () => {
      const { rooms } = (await (await call("GET", "/api/admin/overview")).json()) as Overview;
      return rooms.busiest.filter(({ closed }) => closed).length === 4;
    });
  });

  afterAll(async () => {
    await call("DELETE", "/api/admin/notice");
  });

  it.each([320, 360, 768, 1280])(
    "cuts nothing off, and axe finds nothing in either theme, %d pixels wide",
    async (width) => {
      const page = await visitors.newcomer({ width });
      await page.goto("/admin");
      await page.getByLabel("The operator's secret").fill(readOperatorSecret(server.stateDir) as string);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "What the operator did" }).waitFor();
      await page.getByText("closed: true, hidden: true").first().waitFor();
      await page.getByRole("button", { name: "Open Workshop" }).first().waitFor();
      for (const theme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme: theme });
        expect(await cutOff(page)).toEqual([]);
        expect(await accessibilityFaults(page)).toEqual([]);
        const shot = `${process.env.SCREENSHOTS}/admin-${width}-${theme}.png`;
        if (process.env.SCREENSHOTS) await page.screenshot({ path: shot, fullPage: true });
      }
    },
  );
});
