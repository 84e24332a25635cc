/** The operator's page, in a browser, against the real server: what it shows, and that each thing it does takes effect. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Server } from "./server.ts";
import { until } from "./until.ts";
import { accessibilityFaults, cutOff, Visitors } from "./visitors.ts";

let server: Server;
let visitors: Visitors;
let secret: string;

beforeAll(async () => {
  server = await Server.start();
  secret = readFileSync(join(server.stateDir, "operator-secret"), "utf8").trim();
  visitors = await Visitors.of(server.url);
});

afterAll(async () => {
  await visitors?.close();
  await server?.remove();
});

afterEach(async () => {
  expect(await visitors.leave()).toEqual([]);
});

async function send(method: string, path: string, key?: string, body?: object): Promise<Response> {
  const headers = {
    ...(key && { authorization: `Bearer ${key}` }),
    ...(body && { "content-type": "application/json" }),
  };
  return fetch(server.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

const newKey = async () => (await send("POST", "/api/keys")).json() as Promise<{ key: string; handle: string }>;

async function enter(page: Page): Promise<void> {
  await page.goto("/admin");
  await page.getByLabel("The operator's secret").fill(secret);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Storage" }).waitFor();
}

describe("the operator's page", () => {
  it("opens for the secret alone, and keeps it in the tab, in no address", async () => {
    const page = await visitors.newcomer();
    await page.goto("/admin");
    await page.getByLabel("The operator's secret").fill("not-the-operators-secret");
    // A refused request is not what this page is watched for.
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("heading", { name: "Storage" }).count()).toBe(0);
    await enter(page);
    expect(page.url()).toBe(`${server.url}/admin`);
    const kept = await page.evaluate(() => ({ local: { ...localStorage }, cookie: document.cookie }));
    expect(JSON.stringify(kept)).not.toContain(secret);
    await page.reload();
    await page.getByRole("heading", { name: "Storage" }).waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByLabel("The operator's secret").waitFor();
    await page.reload();
    await page.getByLabel("The operator's secret").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("closes a room and hides it, and takes both back", async () => {
    const { key } = await newKey();
    const { id } = (await (await send("POST", "/api/rooms", key, { name: "Workshop" })).json()) as { id: string };
    const say = async () => (await send("POST", `/api/rooms/${id}/messages`, key, { content: "Hello" })).status;
    expect(await say()).toBe(201);
    const page = await visitors.newcomer();
    await enter(page);
    // The figures of rooms are some seconds old at most.
    await until("the new room is shown", async () => {
      await page.getByRole("button", { name: "Refresh" }).click();
      await page.getByText("Up to date.").waitFor();
      return (await page.getByRole("button", { name: "Close Workshop" }).count()) > 0;
    });
    await page.getByRole("button", { name: "Close Workshop" }).first().click();
    await page.getByRole("button", { name: "Open Workshop" }).first().waitFor();
    expect(await say()).toBe(403);
    await page.getByRole("button", { name: "Open Workshop" }).first().click();
    await page.getByRole("button", { name: "Close Workshop" }).first().waitFor();
    expect(await say()).toBe(201);
    const listed = async () => (await (await send("GET", "/api/rooms")).text()).includes("Workshop");
    expect(await listed()).toBe(true);
    await page.getByRole("button", { name: "Hide Workshop" }).first().click();
    await page.getByRole("button", { name: "Show Workshop" }).first().waitFor();
    expect(await listed()).toBe(false);
    await page.getByRole("button", { name: "Show Workshop" }).first().click();
    await page.getByRole("button", { name: "Hide Workshop" }).first().waitFor();
    await page.getByText("hidden: false").first().waitFor();
    await page.getByLabel("Its address, after /r/").fill(id);
    await page.getByLabel("What to do").selectOption("Close it");
    await page.getByRole("button", { name: "Do it" }).click();
    await page.getByRole("button", { name: "Open Workshop" }).first().waitFor();
    expect(await say()).toBe(403);
  });

  it("closes a room, which says so to who is there, to its owner and in the list, and is as before when it is opened", async () => {
    const { key, handle } = await newKey();
    const { id } = (await (await send("POST", "/api/rooms", key, { name: "Quarry" })).json()) as { id: string };
    await send("POST", `/api/rooms/${id}/messages`, key, { content: "Hello, **everybody**." });
    const hold = (body: object) =>
      fetch(`${server.url}/api/admin/rooms/${id}`, {
        method: "PATCH",
        headers: { authorization: `Operator ${secret}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const page = await visitors.newcomer();
    await page.goto(`/r/${id}`);
    await page.getByRole("button", { name: "Use a key" }).click();
    await page.getByLabel("Your key").fill(key);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.locator("dialog[open] .handle").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: handle }).waitFor();
    const field = page.getByRole("textbox", { name: `Write as ${handle}` });
    await field.fill("Half a thought");
    expect((await hold({ closed: true, hidden: true })).status).toBe(200);
    const said = page.locator("meet-ai-room .watching");
    await said.waitFor();
    expect(await said.textContent()).toBe("This room was closed by the operator of this server. Nobody can write.");
    for (const theme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      expect(await accessibilityFaults(page)).toEqual([]);
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await cutOff(page)).toEqual([]);
        if (process.env.SCREENSHOTS)
          await page.screenshot({ path: `${process.env.SCREENSHOTS}/closed-${theme}-${width}.png` });
      }
    }
    await page.getByRole("button", { name: "Settings" }).click();
    await page
      .getByText("The operator of this server has closed this room: it can be read, and nobody can write. The")
      .waitFor();
    expect(await page.getByRole("checkbox", { name: "Listed" }).isDisabled()).toBe(true);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/closed-settings.png` });
    await hold({ hidden: false });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/nobody can write\.$/).waitFor();
    expect(await page.getByRole("checkbox", { name: "Listed" }).isDisabled()).toBe(false);
    await page.keyboard.press("Escape");
    await send("PATCH", `/api/rooms/${id}`, key, { listed: true });
    const other = await visitors.newcomer({ width: 360 });
    await other.goto("/rooms");
    const row = other.getByRole("listitem").filter({ hasText: "Quarry" });
    await row.getByText("closed", { exact: true }).waitFor();
    expect(await cutOff(other)).toEqual([]);
    if (process.env.SCREENSHOTS) await other.screenshot({ path: `${process.env.SCREENSHOTS}/closed-list.png` });
    await hold({ closed: false });
    await field.waitFor();
    expect(await field.inputValue()).toBe("Half a thought");
  });

  it("makes and removes a moderator of the lobby, and revokes a key once it was asked for twice", async () => {
    const { key, handle } = await newKey();
    const page = await visitors.newcomer();
    await enter(page);
    await page.getByLabel("Handle of a new moderator").fill(handle);
    await page.keyboard.press("Enter");
    await page.getByText(`${handle} moderates the lobby.`).waitFor();
    expect((await send("GET", "/api/rooms/lobby/moderation", key)).status).toBe(200);
    await page.getByRole("button", { name: `Remove ${handle}` }).click();
    await page.getByText(`${handle} is no moderator any more.`).waitFor();
    expect((await send("GET", "/api/rooms/lobby/moderation", key)).status).toBe(403);
    await page.getByLabel("Handle of its holder").fill(handle);
    await page.getByRole("button", { name: "Revoke…" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect((await send("GET", "/api/keys/me", key)).status).toBe(200);
    await page.getByLabel("Handle of its holder").fill(handle);
    await page.getByRole("button", { name: "Revoke…" }).click();
    await page.getByRole("button", { name: "Revoke it" }).click();
    await page.getByText(`The key of ${handle} is revoked.`).waitFor();
    expect((await send("GET", "/api/keys/me", key)).status).toBe(401);
  });

  it("says a line on every page, and takes it back", async () => {
    const page = await visitors.newcomer();
    await enter(page);
    await page.getByLabel("What it says").fill("Down on Sunday, <b>8 UTC</b> & later");
    await page.getByRole("button", { name: "Say it" }).click();
    await page.getByText("It is said.").waitFor();
    const reader = await visitors.newcomer({ width: 360 });
    for (const path of ["/", "/rooms", "/key", "/r/lobby", "/admin"]) {
      await until(`${path} says it`, async () => {
        await reader.goto(path);
        return (await reader.locator(".site-notice").count()) === 1;
      });
      expect(await reader.locator(".site-notice").textContent()).toBe("Down on Sunday, <b>8 UTC</b> & later");
      expect(await cutOff(reader)).toEqual([]);
    }
    await reader.goto("/r/lobby");
    await reader.getByRole("log").waitFor();
    expect(await accessibilityFaults(reader)).toEqual([]);
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByText("It is taken back.").waitFor();
    await reader.goto("/rooms");
    expect(await reader.locator(".site-notice").count()).toBe(0);
  });

  it("has nothing that axe-core finds in either theme, and 320 pixels are enough", async () => {
    const page = await visitors.newcomer();
    await page.goto("/admin");
    expect(await accessibilityFaults(page)).toEqual([]);
    await enter(page);
    for (const theme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      expect(await accessibilityFaults(page)).toEqual([]);
      if (process.env.SCREENSHOTS)
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/${theme}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 360, height: 740 });
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: `${process.env.SCREENSHOTS}/narrow.png`, fullPage: true });
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await cutOff(page)).toEqual([]);
  });
});
