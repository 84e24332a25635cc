/**
 * The whole of it, as people and an agent use it: two browsers, an agent, somebody who only watches, a server that dies in
 * the middle of a conversation and comes back. Everything said is there once, in one order, wherever one looks.
 */

import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { makeKey, readAll } from "../chaos/trial.ts";
import { CHROMIUM_ARGS, requireChromium, STARTS_WITHIN } from "../chromium.ts";
import { Agent } from "./agent.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

/** Messages that each person types. With the agent's answers all of them fit into one window of the log. */
const TYPED = 10;
const ROOM = "lobby";

/** What a page has been told; it is kept in the page by `recordEvents`. */
interface Told {
  messages: Message[];
  people: string[];
  spectators: number;
  status: string;
}

let server: Server;
let browser: Browser;
let agent: Agent;

beforeAll(async () => {
  server = await Server.start();
  browser = await chromium.launch({
    executablePath: requireChromium(),
    args: CHROMIUM_ARGS,
    timeout: STARTS_WITHIN,
  });
});

afterAll(async () => {
  agent?.close();
  await browser?.close();
  await server?.remove();
});

it("a conversation survives its server: once, in one order, on every screen, over HTTP and in D1", async () => {
  agent = new Agent({ port: server.port, room: ROOM, key: await makeKey(server) });
  const [ann, bob, watcher] = await Promise.all([openRoom(), openRoom(), openRoom()]);
  const pages = [ann, bob, watcher];
  await until("the agent is there", () => agent.sender);

  // The server is killed when half of it is said, and they go on typing while it is down.
  const typing = Promise.all([type(ann, "Ann"), type(bob, "Bob")]);
  const acknowledged = await until("half of it is said", async () => {
    const { messages } = await toldTo(watcher);
    return messages.length >= TYPED * 2 && messages;
  });
  await server.kill();
  const shown = await Promise.all(pages.map(toldTo));
  await Promise.all(pages.map((page) => until("the page notices", async () => (await toldTo(page)).status !== "open")));
  await server.start();
  await typing;

  const total = TYPED * 4;
  const looks = { messages: () => Promise.all(pages.map(toldTo)) };
  await until("everybody has been told everything", async () => {
    const told = await looks.messages();
    return told.every(({ messages }) => messages.length >= total) && agent.seen.length >= total;
  });

  const { messages: log } = await readAll(server, ROOM);
  expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(
    log
      .filter(({ sender }) => !sender.includes("/"))
      .map(({ content }) => content)
      .sort(),
  ).toEqual(["Ann", "Bob"].flatMap((name) => Array.from({ length: TYPED }, (_, index) => line(name, index))).sort());
  expect(
    log
      .filter(({ sender }) => sender === agent.sender)
      .map(({ replyTo }) => replyTo)
      .sort(),
  ).toEqual(
    log
      .filter(({ sender }) => !sender.includes("/"))
      .map(({ seq }) => seq)
      .sort(),
  );

  // What anybody had seen before the server died stands where they saw it.
  expect(log.slice(0, acknowledged.length)).toEqual(acknowledged);
  for (const { messages } of shown) expect(log.slice(0, messages.length)).toEqual(messages);
  // Everybody was told the same, in the same order, nothing twice.
  for (const { messages } of await looks.messages()) expect(messages).toEqual(log);
  expect(agent.seen).toEqual(log);
  for (const page of pages) await expect.poll(() => rowsOf(page)).toEqual(log.map(({ seq }) => seq));

  await until("D1 has everything", () => server.archivedCount(ROOM) === total);
  expect(server.archived(ROOM)).toEqual(log);

  // And all agree about who is here: two guests and the agent, and somebody who only watches.
  const guests = [...new Set(log.map(({ sender }) => sender))].filter((sender) => sender.startsWith("~"));
  const people = [...guests, agent.sender].sort();
  expect(people).toHaveLength(3);
  for (const page of pages) {
    const agrees = async () => {
      const told = await toldTo(page);
      return told.spectators === 1 && told.people.toSorted().join() === people.join();
    };
    await until(`the page shows ${people} and one who watches`, agrees);
  }
  await until(
    "the agent knows them",
    () => agent.spectators === 1 && [...agent.people].sort().join() === people.join(),
  );
});

const line = (name: string, index: number): string => `${name} says ${index + 1}`;

/** A browser of somebody's own, in the room. */
async function openRoom(): Promise<Page> {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.addInitScript(recordEvents);
  await page.goto(`${server.url}/r/${ROOM}`);
  await until("the room is open", async () => (await toldTo(page)).status === "open");
  return page;
}

/** Types into the field and sends with Enter, as a person does. */
async function type(page: Page, name: string): Promise<void> {
  const field = page.locator("meet-ai-room textarea");
  for (let index = 0; index < TYPED; index++) {
    await field.fill(line(name, index));
    await field.press("Enter");
    await until("the field is empty again", async () => (await field.inputValue()) === "");
  }
}

const toldTo = (page: Page): Promise<Told> => page.evaluate(() => (window as unknown as { told: Told }).told);

/** The seqs of the messages that the page shows, from top to bottom. */
function rowsOf(page: Page): Promise<number[]> {
  return page.locator("meet-ai-room meet-ai-message[data-seq]").evaluateAll((rows) => {
    return rows.map((row) => Number(row.getAttribute("data-seq")));
  });
}

/** Runs in the page, before anything else does. */
function recordEvents(): void {
  const told: Told = { messages: [], people: [], spectators: 0, status: "" };
  Object.assign(window, { told });
  addEventListener("meet-ai-message", (event) => told.messages.push((event as CustomEvent).detail.message));
  addEventListener("meet-ai-status", (event) => {
    told.status = (event as CustomEvent).detail.status;
  });
  addEventListener("meet-ai-presence", (event) => {
    told.people = [...(event as CustomEvent).detail.people];
    told.spectators = (event as CustomEvent).detail.spectators;
  });
}
