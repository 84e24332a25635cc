/** Strangers' text in every place of the element where it is shown: it stays text. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  INJECTED_CALL,
  INJECTED_HOST,
  MESSAGE_INJECTIONS,
  NAME_INJECTIONS,
  ROOM_ID_INJECTIONS,
} from "../injections.ts";
import { server } from "./server.ts";
import { contents, find, findAll, mount, painted, until } from "./widget.ts";

/** Elements that run, load or submit something, or that a page could mistake for its own. */
const FORBIDDEN =
  "script, img, image, iframe, object, embed, video, audio, link, meta, base, style, form[action], svg script, template";

const called: string[] = [];

beforeEach(() => {
  called.length = 0;
  Reflect.set(globalThis, INJECTED_CALL, () => called.push("called"));
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, INJECTED_CALL);
});

/** Nothing has been run or asked for, and nothing in `root` could be. */
function expectHarmless(root: ShadowRoot): void {
  expect([...root.querySelectorAll(FORBIDDEN)].map(({ outerHTML }) => outerHTML)).toEqual([]);
  for (const node of root.querySelectorAll("*")) {
    expect(node.getAttributeNames().filter((name) => name.startsWith("on") || name === "style")).toEqual([]);
  }
  for (const link of root.querySelectorAll("a")) {
    expect(link.protocol).toMatch(/^(https?|mailto):$/);
    expect(link.target).toBe("_blank");
    expect(link.rel).toContain("noopener");
  }
  expect(called).toEqual([]);
  const requests = performance.getEntriesByType("resource").filter(({ name }) => name.includes(INJECTED_HOST));
  expect(requests).toEqual([]);
}

describe("text that tries to be more than text", () => {
  test("as messages, as drafts and as what a reply quotes", async () => {
    const lobby = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    for (let from = 0; from < MESSAGE_INJECTIONS.length; from += 40) {
      const texts = MESSAGE_INJECTIONS.slice(from, from + 40);
      const first = lobby.log.length + 1;
      lobby.sayAll(texts.map((content) => ({ content })));
      lobby.sayAll(texts.map((_, index) => ({ content: "This one?", replyTo: first + index })));
      lobby.update({
        drafts: texts.slice(0, 8).map((append, index) => ({ id: `d${index}`, sender: "swift-otter/claude", append })),
      });
      const last = lobby.log.length;
      await until(() => find(element, `meet-ai-message[data-seq="${last}"] .content`)?.textContent);
      await until(() => !find(element, ".unrendered"));
      await painted();
      expectHarmless(element.shadowRoot as ShadowRoot);
      lobby.update({
        drafts: texts
          .slice(0, 8)
          .map((_, index) => ({ id: `d${index}`, sender: "swift-otter/claude", end: true as const })),
      });
    }
  });

  test("as a room's name and topic, and as senders, in the log, in the list and in the announcements", async () => {
    const lobby = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    (find(element, ".here") as HTMLElement).click();
    await until(() => find(element, ".people"));
    for (let from = 0; from < NAME_INJECTIONS.length; from += 20) {
      const names = NAME_INJECTIONS.slice(from, from + 20);
      for (const name of names) {
        lobby.update({ room: { ...lobby.info, name, topic: name } });
        lobby.say(name, `@${name} hello`);
        await until(() => find(element, "h2")?.textContent === name);
      }
      lobby.update({ presence: { joined: names } });
      lobby.update({ drafts: names.map((sender, index) => ({ id: `d${index}`, sender, append: "x" })) });
      await painted();
      expectHarmless(element.shadowRoot as ShadowRoot);
    }
  });

  test("as the room's id in the page's own markup: the element asks its server, and nobody else", async () => {
    for (const id of ROOM_ID_INJECTIONS) {
      const { element, box } = mount(server, { room: id });
      await until(() => find(element, ".banner.closed"));
      expectHarmless(element.shadowRoot as ShadowRoot);
      box.remove();
    }
    for (const url of server.fetched) expect(new URL(url).origin).toBe(location.origin);
  });

  test("in the field: it is sent as it was typed and shown as text", async () => {
    localStorage.setItem(`meet-ai:guest:${location.origin}`, "x".repeat(22));
    const lobby = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => find(element, "textarea"));
    const text = MESSAGE_INJECTIONS[0] as string;
    await element.send(text);
    await until(() => contents(element).includes(text));
    expect(lobby.log.at(-1)?.content).toBe(text);
    expect(findAll(element, ".content").at(-1)?.textContent).toBe(text);
    expectHarmless(element.shadowRoot as ShadowRoot);
  });
});
