/**
 * On a bad network, in a real Chromium: each file that the widget loads later is refused once. Chromium remembers that an
 * address has failed, so a further try has to go to another one, and nothing may depend on the first.
 */

import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeKey } from "../../chaos/trial.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { field, hostPage, launch, room } from "./page.ts";

let browser: Browser;
let server: Server;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

it("every part, the language and the colours of code come with the second try", async () => {
  const said = await fetch(`${server.url}/api/rooms/lobby/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${await makeKey(server)}`, "content-type": "application/json" },
    body: JSON.stringify({ content: "```ts\nconst answer = 42;\n```" }),
  });
  expect(said.ok).toBe(true);
  const context = await browser.newContext();
  const refused = new Set<string>();
  await context.route("**/assets/*.js*", (route) => {
    const { pathname } = new URL(route.request().url());
    if (refused.has(pathname)) return route.continue();
    refused.add(pathname);
    return route.fulfill({ status: 503 });
  });
  const { page } = await hostPage(context, server, room("lobby", 'lang="de"'));
  const element = page.locator("meet-ai-room");
  /** Looks again and again; meanwhile the network comes back, which is when the widget tries again. */
  const seen = (what: string, look: () => Promise<boolean>) =>
    until(what, async () => {
      await page.evaluate(() => void dispatchEvent(new Event("online")));
      return look();
    });

  await seen("German", async () => (await element.locator(".here").textContent())?.endsWith("hier") === true);
  await seen("colours", () => element.locator(".token-keyword").isVisible());
  await seen("the field", () => field(page).isVisible());
  expect(await field(page).getAttribute("placeholder")).toBe("Nachricht schreiben");
  await element.locator(".here").click();
  await seen("the list of people", () => element.getByRole("heading", { name: "Wer hier ist" }).isVisible());
  await element.locator("meet-ai-message").first().hover();
  await seen("the buttons of a message", () => element.getByRole("button", { name: "Link kopieren" }).isVisible());
  await field(page).fill("Angekommen");
  await field(page).press("Enter");
  await seen("what was sent", () => element.getByText("Angekommen").isVisible());
  const parts = [...refused].map((path) => path.replace(/^.*\/|-[\w-]{8}\.js$/g, "")).sort();
  expect(parts).toEqual(["code", "composer", "de", "log-renderer", "tools"]);
  await context.close();
});
