/** A page that its reader leaves and comes back to, in a Chromium that treats it as it treats everybody's. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { type Tab, Tabs } from "./tabs.ts";
import { until } from "./until.ts";

let server: Server;
let visitor: Visitor;
let ada: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  ada = await visitor.makeKey();
});

afterAll(async () => {
  await server?.remove();
});

/** Lets a page be asked how many sockets it has open. */
const NOTES_SOCKETS = `const sockets = [];
  globalThis.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      sockets.push(this);
    }
  };
  globalThis.openSockets = () => sockets.filter(({ readyState }) => readyState <= WebSocket.OPEN).length;`;

const shows = (tab: Tab, text: string) =>
  until(`the log shows “${text}”`, () =>
    tab.has(`document.querySelector("meet-ai-room").shadowRoot.textContent.includes(${JSON.stringify(text)})`),
  );

const watching = async (room: string) =>
  (await visitor.call("GET", `/api/rooms/${room}`)).body.presence.spectators as number;

it("back to a page that the browser has kept: no socket while it was away, and it resumes where it was", async () => {
  const room = await visitor.makeRoom(ada.key);
  await visitor.say(room, ada.key, "before");
  await using tabs = await Tabs.start();
  const tab = await tabs.open(`${server.url}/r/${room}`, NOTES_SOCKETS);
  await shows(tab, "before");
  // After the widget's own listeners.
  await tab.run(`addEventListener("pagehide", () => { globalThis.wereOpen = openSockets(); });
    addEventListener("pageshow", ({ persisted }) => { globalThis.wasKept = persisted; })`);
  expect(await tab.run("openSockets()")).toBe(1);
  expect(await watching(room)).toBe(1);

  await tab.go(`${server.url}/key`);
  await until("the room has lost its reader", async () => (await watching(room)) === 0);
  await visitor.say(room, ada.key, "meanwhile");
  await tab.run("history.back()");
  await until("the page is there again, as it was", () => tab.has("globalThis.wasKept === true"));
  expect(await tab.run("wereOpen")).toBe(0);
  await shows(tab, "meanwhile");
  expect(await watching(room)).toBe(1);
  const [first, second, ...others] = tab.sockets.filter((url) => url.includes(`/${room}/`));
  expect(others).toEqual([]);
  expect(new URL(first as string).searchParams.has("after")).toBe(false);
  expect(new URL(second as string).searchParams.get("after")).toBe("1");
});
