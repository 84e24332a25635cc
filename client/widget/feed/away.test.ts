/** A page hides the element, shows it again and moves it: the reader is where they were. */

import { describe, expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { find, findAll, fromEnd, isWhole, mount, painted, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

const rowsOf = (element: MeetAiRoom) => findAll(element, "meet-ai-message");

async function room() {
  const lobby = server.room("lobby").fill(300);
  const { element, box } = mount(server, {}, { width: 400, height: 520.4 });
  await until(() => isWhole(element, 50));
  await painted();
  const scroller = find(element, ".scroller") as HTMLElement;
  return { lobby, element, box, scroller };
}

/** A reader further up, and where what they read stands. */
async function reader() {
  const { lobby, element, box, scroller } = await room();
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
  scroller.scrollTop = 1000;
  await until(() => find(element, ".pill"));
  await painted();
  const { top } = scroller.getBoundingClientRect();
  const row = rowsOf(element).find((candidate) => candidate.getBoundingClientRect().top >= top) as HTMLElement;
  const offset = () => row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  return { lobby, element, box, scroller, row, offset };
}

describe("hidden and shown again", () => {
  test.each([
    ["nothing", () => {}],
    ["what is said", ({ lobby }) => lobby.say("amber-fox", "New")],
    ["another height of what is above", ({ element }) => rowsOf(element)[3]?.style.setProperty("padding", "60px 0")],
    ["another width", ({ box }) => box.style.setProperty("width", "300px")],
  ] satisfies [string, (state: Awaited<ReturnType<typeof reader>>) => void][])(
    "the reader is where they were, after %s",
    async (_name, change) => {
      const state = await reader();
      const { element, box, offset } = state;
      const before = offset();
      box.style.display = "none";
      await painted();
      change(state);
      await painted();
      box.style.display = "";
      await painted();
      expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
      expect(find(element, ".pill")).not.toBeNull();
      await painted();
      expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
    },
  );

  test("older messages that were on their way have moved nothing", async () => {
    const { lobby, element, box, scroller } = await reader();
    let release = () => {};
    lobby.pagesHeldUntil = new Promise((resolve) => {
      release = resolve;
    });
    scroller.scrollTop = 500;
    await until(() => server.fetched.length === 1);
    await painted();
    const { top } = scroller.getBoundingClientRect();
    const row = rowsOf(element).find((candidate) => candidate.getBoundingClientRect().top >= top) as HTMLElement;
    const before = row.getBoundingClientRect().top;
    box.style.display = "none";
    await painted();
    release();
    await until(() => rowsOf(element).length === 100);
    await painted();
    box.style.display = "";
    await painted();
    expect(Math.abs(row.getBoundingClientRect().top - before)).toBeLessThanOrEqual(1);
  });

  test("nothing is loaded while nobody can see it, whether they read or follow", async () => {
    for (const begin of [reader, room]) {
      server.rooms.clear();
      const { lobby, element, box } = await begin();
      server.fetched.length = 0;
      box.style.display = "none";
      for (let count = 0; count < 5; count++) {
        lobby.say("amber-fox", "New");
        await painted();
      }
      expect(server.fetched).toEqual([]);
      await until(() => rowsOf(element).length === 55);
      box.remove();
    }
  });

  test("who followed is at the newest message", async () => {
    const { lobby, element, box, scroller } = await room();
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: 1 }));
    box.style.display = "none";
    await painted();
    lobby.say("amber-fox", "New");
    await until(() => rowsOf(element).length === 51);
    box.style.display = "";
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    expect(find(element, ".pill")).toBeNull();
  });

  test("a message that was gone to meanwhile is in view", async () => {
    const { element, box, scroller } = await room();
    box.style.display = "none";
    await painted();
    await element.scrollToMessage(100);
    const marked = await until(() => find(element, ".marked"));
    box.style.display = "";
    await painted();
    const view = scroller.getBoundingClientRect();
    const row = marked.getBoundingClientRect();
    expect(row.top).toBeGreaterThanOrEqual(view.top - 1);
    expect(row.bottom).toBeLessThanOrEqual(view.bottom);
  });

  test("shrunk to nothing, as some panels are closed: the reader is where they were", async () => {
    const { lobby, box, offset } = await reader();
    const before = offset();
    box.style.transform = "scale(0)";
    await painted();
    for (let count = 0; count < 3; count++) {
      lobby.say("amber-fox", "New");
      await painted();
    }
    box.style.transform = "";
    await painted();
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
  });
});

describe("moved within the page", () => {
  const elsewhere = () => document.body.appendChild(document.createElement("section"));

  test("the reader is where they were, and is told of what comes", async () => {
    const { lobby, element, box, offset } = await reader();
    const before = offset();
    elsewhere().append(box);
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
    await painted();
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
    lobby.say("amber-fox", "New");
    await until(() => find(element, ".pill.counting")?.textContent?.trim() === "1 new message");
    await painted();
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
  });

  test("into a place of another size: the reader is where they were", async () => {
    const { element, offset } = await reader();
    const before = offset();
    const place = elsewhere();
    place.style.cssText = "width: 300px; height: 400px";
    element.remove();
    place.append(element);
    await painted();
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
  });

  test("into a place that is hidden, until it is shown", async () => {
    const { element, offset } = await reader();
    const before = offset();
    const place = elsewhere();
    place.style.cssText = "width: 400px; height: 520.4px; display: none";
    place.append(element);
    await painted();
    place.style.display = "";
    await painted();
    expect(Math.abs(offset() - before)).toBeLessThanOrEqual(1);
  });

  test("who followed follows, and counts nothing as new that is in view", async () => {
    const { lobby, element, box, scroller } = await room();
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: 1 }));
    elsewhere().append(box);
    await painted();
    lobby.say("amber-fox", "New");
    await until(() => rowsOf(element).length === 51);
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    expect(find(element, ".pill")).toBeNull();
  });

  test("taken out and put back later, it opens at its newest message", async () => {
    const { lobby, element, box } = await reader();
    box.remove();
    await until(() => lobby.sockets.size === 0);
    document.body.append(box);
    await until(() => lobby.sockets.size === 1 && rowsOf(element).length === 50);
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(find(element, ".scroller") as HTMLElement)).toBeLessThan(2);
  });
});
