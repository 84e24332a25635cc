/** What a reader meets who has no mouse: targets as large as a finger, and an on-screen keyboard. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cdp, page, userEvent } from "vitest/browser";
import { everything } from "../../../test/browser/everything.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, mount, painted, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

/** CSS px that a finger needs: WCAG 2.5.5. */
const FINGER = 44;

beforeEach(async () => {
  await page.viewport(920, 660);
  await cdp().send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 1 });
  await until(() => matchMedia("(pointer: coarse)").matches);
});

afterEach(async () => {
  await cdp().send("Emulation.setTouchEmulationEnabled", { enabled: false });
});

/** What is there to be hit and is smaller than a finger. Links stand in lines of text. */
const small = (element: MeetAiRoom): string[] =>
  findAll(element, "button, [role=option]")
    .filter((part) => part.checkVisibility() && !part.matches(".to-tools"))
    .flatMap((part) => {
      const { width, height } = part.getBoundingClientRect();
      const name = `${part.className} ${part.title || part.textContent?.trim()}`;
      return Math.min(width, height) < FINGER ? [`${name}: ${width} × ${height}`] : [];
    });

describe.each([
  ["wide", { width: 900, height: 640 }],
  ["as narrow as a phone", { width: 360, height: 640 }],
])("in a room that is %s", (_, size) => {
  test("everything that can be touched is as large as a finger", async () => {
    const { room, element, field } = await everything(server, {}, size);
    expect(small(element)).toEqual([]);
    room.say("amber-fox", "```\ncode\n```");
    await until(() => contents(element).some((content) => content.includes("code")));
    await userEvent.click(field);
    await userEvent.keyboard("@sw");
    await until(() => find(element, ".names"));
    expect(small(element)).toEqual([]);
    await userEvent.keyboard("{Escape}");
    find(element, '[data-seq="4"]')?.focus();
    await until(() => find(element, ".tools"));
    expect(small(element)).toEqual([]);
    find(element, '.tools [aria-label="Reply"]')?.click();
    await until(() => find(element, ".replying"));
    find(element, '[data-seq="7"]')?.focus();
    (await until(() => find(element, '.tools [aria-label="Delete"]'))).click();
    await until(() => find(element, ".tools .danger"));
    expect(small(element)).toEqual([]);
    const scroller = find(element, ".scroller") as HTMLElement;
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
    scroller.scrollTop = 0;
    await until(() => find(element, ".pill"));
    room.online = false;
    room.drop();
    await until(() => find(element, ".banner:not([hidden]) button"));
    expect(small(element)).toEqual([]);
  });

  test("the button over code without a language is as large as a finger, and all of it is in its box", async () => {
    server.room("lobby").fill(1, () => ({ content: "```\none line\n```" }));
    const { element } = mount(server, {}, size);
    const button = (await until(() => find(element, ".code-copy"))).getBoundingClientRect();
    const box = (find(element, "figure.code") as HTMLElement).getBoundingClientRect();
    expect(Math.min(button.width, button.height)).toBeGreaterThanOrEqual(FINGER);
    expect(button.top).toBeGreaterThanOrEqual(box.top);
    expect(button.bottom).toBeLessThanOrEqual(box.bottom);
  });

  test("messages that could not be loaded are asked for again by a finger", async () => {
    const room = server.room("lobby").fill(200);
    room.pagesFail = true;
    const { element } = mount(server, {}, size);
    await until(() => contents(element).length === 50);
    const scroller = find(element, ".scroller") as HTMLElement;
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
    scroller.scrollTop = 0;
    await until(() => find(element, ".edge button"));
    expect(small(element)).toEqual([]);
  });
});

describe("an on-screen keyboard", () => {
  /** A room whose field has the focus. */
  async function writing() {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
    await userEvent.click(field);
    return { room, element, field };
  }

  test("breaks the line by Enter, and the button sends", async () => {
    const { room, element, field } = await writing();
    expect(field.enterKeyHint).toBe("enter");
    await userEvent.keyboard("One{Enter}two");
    expect(field.value).toBe("One\ntwo");
    find(element, ".send")?.click();
    await until(() => room.log.at(-1)?.content === "One\ntwo");
  });

  test("with a Ctrl or ⌘ key sends by it and Enter", async () => {
    const { room } = await writing();
    await userEvent.keyboard("One{Control>}{Enter}{/Control}");
    await until(() => room.log.at(-1)?.content === "One");
  });

  test("is told so by the hint and by the list of keys", async () => {
    const { element } = await writing();
    expect(find(element, ".hint")?.textContent).toBe("Enter breaks the line, the button sends");
    find(element, ".help")?.click();
    const list = await until(() => find(element, ".shortcuts"));
    expect([...list.querySelectorAll("dl > div")].slice(0, 2).map(({ textContent }) => textContent)).toEqual([
      "Ctrl EnterSend",
      "EnterNew line",
    ]);
    await painted();
  });

  test("gives way to a mouse", async () => {
    await cdp().send("Emulation.setTouchEmulationEnabled", { enabled: false });
    const { room, field } = await writing();
    expect(field.enterKeyHint).toBe("send");
    await userEvent.keyboard("One{Enter}");
    await until(() => room.log.at(-1)?.content === "One");
  });
});
