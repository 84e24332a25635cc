/** The element in another document than the one that has loaded its script. */

import { afterEach, expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { contents, find, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

async function frame(): Promise<Document> {
  const inner = document.createElement("iframe");
  inner.style.cssText = "inline-size: 800px; block-size: 500px";
  document.body.append(inner);
  return until(() => (inner.contentDocument?.readyState === "complete" ? inner.contentDocument : undefined));
}

/** What the browser complains about: an observer of sizes that never comes to rest does so with each frame. */
const complaints: string[] = [];
addEventListener("error", ({ message }) => complaints.push(message));

afterEach(async () => {
  for (let frames = 0; frames < 10; frames++) await new Promise(requestAnimationFrame);
  expect(complaints.splice(0)).toEqual([]);
});

/** How a part looks, as far as style sheets decide. */
const looks = (element: MeetAiRoom) =>
  [".room", ".scroller", "meet-ai-message", ".content", ".avatar"].map((selector) => {
    const part = find(element, selector) as HTMLElement;
    const { display, overflowY, color, borderTopStyle } = getComputedStyle(part);
    return { selector, display, overflowY, color, borderTopStyle };
  });

test("an element that is moved into another document keeps its connection and its looks, there and back", async () => {
  const room = server.room("lobby").fill(3);
  const { element, box } = mount(server);
  await until(() => contents(element).length === 3 && find(element, ".prose"));
  const before = looks(element);
  const [socket] = room.sockets;
  const other = await frame();
  for (const place of [other.body, box, other.body]) {
    place.append(element);
    await element.updateComplete;
    expect(element.ownerDocument).toBe(place.ownerDocument);
    expect(looks(element)).toEqual(before);
  }
  expect([...room.sockets]).toEqual([socket]);
  room.say("amber-fox", "Still here?");
  await until(() => contents(element).at(-1) === "Still here?");
});

test("a style sheet of the page's in the shadow root keeps none of the parts from their own, there and back", async () => {
  const room = server.room("lobby").fill(3);
  room.people = ["swift-otter"];
  const { element, box } = mount(server);
  await until(() => contents(element).length === 3 && find(element, ".prose"));
  const other = await frame();
  for (const place of [other.body, box, other.body]) {
    place.append(element);
    const { defaultView } = place.ownerDocument;
    const foreign = new (defaultView as typeof globalThis & Window).CSSStyleSheet();
    foreign.replaceSync(".topic { color: red }");
    element.shadowRoot?.adoptedStyleSheets.push(foreign);
    find(element, ".here")?.click();
    await until(() => find(element, ".people li"));
    expect(getComputedStyle(find(element, "meet-ai-people") as HTMLElement).overflowY).toBe("auto");
    expect(element.shadowRoot?.adoptedStyleSheets.filter((sheet) => sheet === foreign)).toHaveLength(1);
    find(element, ".here")?.click();
    await until(() => !find(element, ".people li"));
  }
});

test("parts that come only after the move look as they do elsewhere", async () => {
  const room = server.room("lobby").fill(3);
  room.people = ["swift-otter"];
  const here = mount(server, { theme: "light" });
  await until(() => find(here.element, "textarea"));
  find(here.element, ".here")?.click();
  await until(() => find(here.element, ".people li"));
  const other = await frame();
  const element = document.createElement("meet-ai-room");
  for (const [name, value] of [
    ["room", "lobby"],
    ["lang", "en"],
    ["theme", "light"],
  ] as const)
    element.setAttribute(name, value);
  other.body.append(element);
  await until(() => contents(element).length === 3 && find(element, "textarea"));
  find(element, ".here")?.click();
  await until(() => find(element, ".people li"));
  for (const selector of [".composer", "textarea", ".people", ".people h4"]) {
    const [one, two] = [here.element, element].map((room) => getComputedStyle(find(room, selector) as HTMLElement));
    expect([two?.display, two?.fontSize, two?.color, two?.paddingTop], selector).toEqual([
      one?.display,
      one?.fontSize,
      one?.color,
      one?.paddingTop,
    ]);
  }
});
