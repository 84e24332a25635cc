/** How the site's pages are laid out while they load, and beside a scroll bar, in a browser. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Server } from "./server.ts";
import { layoutShift, Visitors } from "./visitors.ts";

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
  it.each(["/", "/rooms", "/key", "/nowhere", "/r/lobby"])(
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
  it.each(["/", "/rooms", "/key", "/r/lobby"].flatMap((path) => [360, 1280].map((width) => ({ path, width }))))(
    "nothing on $path moves once it is shown, $width pixels wide",
    async ({ path, width }) => {
      const page = await visitors.newcomer({ width });
      await page.goto(path);
      await page.waitForLoadState("networkidle");
      expect(await layoutShift(page)).toBeLessThan(0.01);
    },
  );
});
