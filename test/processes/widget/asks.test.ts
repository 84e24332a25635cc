/** Questions to people, end to end: an agent asks by curl, people press buttons in browsers, and the agent goes on. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Key, Visitor } from "../security/visitor.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { contents, hostPage, launch, message, room as roomTag } from "./page.ts";

const run = promisify(execFile);

let browser: Browser;
let server: Server;
let visitor: Visitor;
let agent: Key;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  visitor = new Visitor(server);
  agent = await visitor.makeKey();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

/** What curl prints: the status, and the answer. */
async function curl(path: string, ...options: string[]) {
  const url = `${server.url}/api/rooms/${path}`;
  const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code}", url, ...options]);
  const [body = "", status] = stdout.split(/\n(?=\d+$)/);
  return { status: Number(status), body: body === "" ? undefined : JSON.parse(body) };
}

const ask = (room: string, question: string, more: object = {}) =>
  curl(
    `${room}/messages`,
    ...["-H", `Authorization: Bearer ${agent.key}`, "-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify({ content: question, as: "claude", ask: { options: ["yes", "no"], ...more } })],
  );

/** A page with the room in it, as a person with a key of their own sees it. */
async function person(room: string): Promise<{ page: Page; key: Key; complaints: string[] }> {
  const key = await visitor.makeKey();
  const { page, complaints } = await hostPage(await browser.newContext(), server, roomTag(room));
  await page.locator("meet-ai-room").evaluate((element, secret) => {
    (element as HTMLElement & { key: string }).key = secret;
  }, key.key);
  await page.locator("meet-ai-room").getByPlaceholder(`Write as ${key.handle}`).waitFor();
  return { page, key, complaints };
}

const button = (page: Page, name: string) => page.locator("meet-ai-ask").getByRole("button", { name, exact: true });
const outcome = (page: Page) => page.locator("meet-ai-ask .decided").last().textContent();

it("of two people who press at the same moment one decides, both see the same, and the call that waits goes on", async () => {
  const room = await visitor.makeRoom(agent.key);
  const [one, other] = await Promise.all([person(room), person(room)]);
  const asked = await ask(room, "Deploy **v42**?");
  expect(asked.status).toBe(201);
  const waiting = curl(`${room}/messages/${asked.body.seq}/answer?wait=50`);
  await Promise.all([button(one.page, "yes").waitFor(), button(other.page, "no").waitFor()]);
  // While the server stands still, neither hears of the other.
  server.halt();
  await Promise.all([button(one.page, "yes").click(), button(other.page, "no").click()]);
  server.goOn();

  const { status, body } = await waiting;
  expect(status).toBe(200);
  const winner = body.by === one.key.handle ? one : other;
  const loser = winner === one ? other : one;
  expect(body).toMatchObject({ by: winner.key.handle, option: winner === one ? "yes" : "no", seq: expect.any(Number) });
  for (const { page } of [one, other]) {
    await page.locator("meet-ai-ask .decided").first().waitFor();
    expect(await outcome(page)).toContain(`Decided: ${body.label} · ${body.by}`);
    expect(await page.locator("meet-ai-ask .options").count()).toBe(0);
    const log = JSON.stringify(["Deploy v42?", body.label]);
    await until("the answer is in the log, once", async () => JSON.stringify(await contents(page)) === log);
  }
  await loser.page.getByText(`${body.by} was faster: ${body.label}`).first().waitFor();
  expect(await winner.page.locator("meet-ai-ask .decided").count()).toBe(1);
  // Who asks again is told the same at once, and the room has one answer.
  expect((await curl(`${room}/messages/${asked.body.seq}/answer`)).body).toEqual(body);
  expect((await visitor.messages(room)).filter(({ answer }) => answer)).toHaveLength(1);
  for (const { complaints } of [one, other]) expect(complaints).toEqual([]);
  await Promise.all([one, other].map(({ page }) => page.context().close()));
});

it("a question that is deleted, or that nobody answers in time, ends on the screen and for the call", async () => {
  const room = await visitor.makeRoom(agent.key);
  const { page } = await person(room);
  const { body: cancelled } = await ask(room, "Cancelled?");
  await button(page, "yes").waitFor();
  const waiting = curl(`${room}/messages/${cancelled.seq}/answer?wait=50`);
  await visitor.call("DELETE", `/api/rooms/${room}/messages/${cancelled.seq}`, { key: agent.key });
  expect((await waiting).body).toEqual({ deleted: true });
  await message(page, "This message has been deleted.").waitFor();

  // Long enough to be seen on a busy machine.
  const { body: short } = await ask(room, "Quick?", { until: new Date(Date.now() + 15_000).toISOString() });
  await button(page, "yes").waitFor();
  const { body: open } = await ask(room, "Long?");
  // It does not wait for its own end.
  const patience = curl(`${room}/messages/${open.seq}/answer?wait=50`).catch(() => {});
  const expired = curl(`${room}/messages/${short.seq}/answer?wait=50`);
  expect((await Promise.race([expired, patience]))?.body).toMatchObject({ expired: true });
  await page.getByText("Nobody answered in time.").first().waitFor();
  await message(page, "Quick?").waitFor();
  expect(await button(page, "yes").count()).toBe(1);
  await page.context().close();
});

it("the room's own page says in its title that an answer is wanted, and no longer than it is", async () => {
  const room = await visitor.makeRoom(agent.key);
  const { key } = await visitor.makeKey();
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.addInitScript(
    ([kept]) => sessionStorage.setItem("meet-ai-key", kept as string),
    [JSON.stringify({ key, identity: (await visitor.call("GET", "/api/keys/me", { key })).body })],
  );
  await page.goto(`/r/${room}`);
  await page.locator("meet-ai-room .dot.open").waitFor();
  await ask(room, "Deploy?");
  await until("the title says it", async () => /^Answer wanted · /.test(await page.title()));
  await page.locator("meet-ai-room .waiting").click();
  await page.locator("meet-ai-ask button:focus").waitFor();
  await page.keyboard.press("Enter");
  await until("the title says it no longer", async () => !(await page.title()).includes("Answer wanted"));
  expect(await outcome(page)).toContain("Decided: yes");
  await page.context().close();
});
