/** An agent that is bridged in a terminal asks for leave, and a person in Chromium gives it with one click. */

import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Server } from "../server.ts";
import { hostPage, launch } from "../widget/page.ts";
import { ACP_AGENT, Bridged } from "./bridged.ts";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await Server.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

it("the person mentions the agent, sees what it wants to do, allows it, and reads what came of it", async () => {
  await using bridged = await Bridged.begin(server, ["--cooldown", "0", ...ACP_AGENT]);
  const context = await browser.newContext();
  const body = `<meet-ai-room room="${bridged.room}"></meet-ai-room>`;
  const { page, complaints } = await hostPage(context, server, body);
  await page.evaluate((key) => {
    (document.querySelector("meet-ai-room") as HTMLElement & { key: string }).key = key;
  }, bridged.key);
  const field = page.locator("meet-ai-room").getByRole("textbox");
  await field.fill(`@${bridged.agent} do:permission`);
  await field.press("Enter");
  await page.locator("meet-ai-room .options").getByRole("button", { name: "Allow", exact: true }).click();
  await page.locator("meet-ai-room").getByText('The answer is {"outcome":"selected","optionId":"allow"}.').waitFor();
  expect((await bridged.answers()).map(({ content }) => content)).toEqual([
    'The answer is {"outcome":"selected","optionId":"allow"}.',
  ]);
  expect(complaints).toEqual([]);
  await context.close();
});
