/** What a reader has set in their system or browser: high contrast, less motion, larger text. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cdp, page, userEvent } from "vitest/browser";
import { everything } from "../../../test/browser/everything.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, painted, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

beforeEach(async () => {
  await page.viewport(920, 660);
});

afterEach(async () => {
  await prefer({});
});

/** Sets media features, as the reader's system would. */
const prefer = (features: Readonly<Record<string, string>>) =>
  cdp().send("Emulation.setEmulatedMedia", {
    features: Object.entries(features).map(([name, value]) => ({ name, value })),
  });

const found = (element: MeetAiRoom, selector: string) => until(() => find(element, selector));
const isShown = (part: HTMLElement) => part.checkVisibility() && !part.matches(".to-tools");

/** Leaves the newest end, so that the pill is there. */
function leave(element: MeetAiRoom): void {
  const scroller = find(element, ".scroller") as HTMLElement;
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
  scroller.scrollTop = 0;
}

describe.each(["dark", "light"])("in high contrast, %s", (scheme) => {
  beforeEach(() => prefer({ "forced-colors": "active", "prefers-color-scheme": scheme }));

  const open = () => everything(server, { theme: "auto" }, { width: 900, height: 640 });

  /** What a system colour is in this scheme. */
  function systemColor(element: MeetAiRoom, name: string): string {
    const probe = document.createElement("span");
    probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
    find(element, ".room")?.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  /** The lines around something that can be seen: style and colour of borders and outline. */
  function lines(element: MeetAiRoom, part: Element, pseudo?: string): string[] {
    const style = getComputedStyle(part, pseudo);
    const invisible = [systemColor(element, "Canvas"), "rgba(0, 0, 0, 0)"];
    return ["border-block-start", "border-block-end", "border-inline-start", "border-inline-end", "outline"].flatMap(
      (line) => {
        const [kind, width, color] = ["style", "width", "color"].map((what) =>
          style.getPropertyValue(`${line}-${what}`),
        );
        if (kind === "none" || width === "0px" || invisible.includes(color ?? "")) return [];
        return [`${line} ${kind} ${width} ${color}`];
      },
    );
  }

  /** How something looks without its background and shadow, which are not there. */
  const look = (element: MeetAiRoom, part: Element) => {
    const { color, borderRadius, clipPath, textDecorationLine, fontStyle } = getComputedStyle(part);
    return JSON.stringify([color, borderRadius, clipPath, textDecorationLine, fontStyle, lines(element, part)]);
  };

  const outlineOf = (element: MeetAiRoom, part: Element) =>
    lines(element, part).find((line) => line.startsWith("outline"));

  test("every colour is the system's", async () => {
    const { element } = await open();
    const names = "Canvas CanvasText LinkText GrayText Highlight HighlightText ButtonText ButtonFace ButtonBorder";
    const allowed = new Set(
      `${names} Field FieldText Mark MarkText AccentColor`.split(" ").map((name) => systemColor(element, name)),
    );
    allowed.add("rgba(0, 0, 0, 0)");
    const foreign = findAll(element, ".room, .room *")
      .filter(isShown)
      .flatMap((part) => {
        const { color, backgroundColor } = getComputedStyle(part);
        const borders = lines(element, part).map((line) => line.slice(line.indexOf("rgb")));
        const opaque = backgroundColor.replace(/rgba\((.*), 0\)/, "rgba(0, 0, 0, 0)");
        return [color, opaque, ...borders]
          .filter((used) => !allowed.has(used))
          .map((used) => `${part.localName}.${part.className} ${used}`);
      });
    expect(foreign).toEqual([]);
  });

  test("every button has a border, and the pill", async () => {
    const { room, element } = await open();
    leave(element);
    find(element, '[data-seq="4"]')?.focus();
    await found(element, ".tools");
    await found(element, ".pill");
    const bare = () =>
      findAll(element, "button")
        .filter(isShown)
        .filter((button) => lines(element, button).filter((line) => line.startsWith("border")).length < 4)
        .map(({ className, title, textContent }) => `${className} ${title || textContent}`);
    expect(bare()).toEqual([]);
    room.say("amber-fox", "New");
    await found(element, ".pill.counting");
    room.online = false;
    room.drop();
    await found(element, ".banner:not([hidden]) button");
    expect(bare()).toEqual([]);
  });

  test("the focus is seen wherever it is", async () => {
    const { element, field } = await open();
    await userEvent.click(field);
    await userEvent.keyboard("{Shift}");
    const places = [
      ".here",
      ".send",
      ".help",
      '[data-seq="4"]',
      ".prose a",
      ".code-copy",
      ".fold-toggle",
      "button.who",
    ];
    for (const selector of places) {
      const part = find(element, selector) as HTMLElement;
      part.focus();
      expect(outlineOf(element, part), selector).toBeDefined();
    }
    const box = field.parentElement as HTMLElement;
    expect(outlineOf(element, box)).toBeUndefined();
    await userEvent.click(field);
    expect(outlineOf(element, box)).toBeDefined();
  });

  test("what is chosen, marked, or can't be used is told by more than a background", async () => {
    const { element, field } = await open();
    const send = find(element, ".send") as HTMLElement;
    const unusable = look(element, send);
    await userEvent.click(field);
    await userEvent.keyboard("@sw");
    await found(element, ".names");
    expect(send.ariaDisabled).toBe("false");
    expect(look(element, send)).not.toBe(unusable);
    const [first, second] = findAll(element, ".names li") as [HTMLElement, HTMLElement];
    expect(look(element, first)).not.toBe(look(element, second));
    await userEvent.keyboard("{ArrowDown}");
    await until(() => second.ariaSelected === "true");
    expect(outlineOf(element, second)).toBeDefined();
    expect(outlineOf(element, first)).toBeUndefined();
    await element.scrollToMessage(3);
    await found(element, '.marked[data-seq="3"]');
    const [, marked] = ["1", "3"].map((seq) => find(element, `[data-seq="${seq}"]`)) as [HTMLElement, HTMLElement];
    expect(outlineOf(element, marked)).toBeDefined();
    expect(outlineOf(element, find(element, '[data-seq="1"]') as HTMLElement)).toBeUndefined();
  });

  test("the states of the connection are four shapes", async () => {
    const { element } = await open();
    const dot = find(element, ".dot") as HTMLElement;
    const looks = ["connecting", "open", "offline", "closed"].map((status) => {
      dot.className = `dot ${status}`;
      const isFilled = getComputedStyle(dot).backgroundColor === systemColor(element, "CanvasText");
      expect(lines(element, dot), status).toHaveLength(4);
      return `${isFilled} ${look(element, dot)}`;
    });
    expect(new Set(looks).size).toBe(4);
  });

  test("people, agents and guests are three shapes", async () => {
    const { element } = await open();
    const avatars = ["person", "agent", "guest"].map((kind) => find(element, `.people .avatar.${kind}`) as HTMLElement);
    expect(new Set(avatars.map((avatar) => look(element, avatar))).size).toBe(3);
    const [person, agent, guest] = avatars as [HTMLElement, HTMLElement, HTMLElement];
    expect(lines(element, person)).toHaveLength(4);
    expect(lines(element, guest)).toHaveLength(4);
    // A hexagon has no border to show: it is filled, and its letters are not. Left to itself, the browser would put a
    // box of the page's colour behind them.
    const { backgroundColor, color, forcedColorAdjust } = getComputedStyle(agent) as CSSStyleDeclaration & {
      forcedColorAdjust: string;
    };
    expect([backgroundColor, color]).toEqual(["CanvasText", "Canvas"].map((name) => systemColor(element, name)));
    expect(forcedColorAdjust).toBe("none");
  });

  test("what is new, about the reader, deleted, not sent or a link says so", async () => {
    const { element } = await open();
    expect(lines(element, find(element, ".unread") as HTMLElement, "::before")).toHaveLength(1);
    expect(find(element, ".unread")?.textContent?.trim()).not.toBe("");
    expect(outlineOf(element, find(element, ".mention.me") as HTMLElement)).toBeDefined();
    expect(outlineOf(element, find(element, ".mention:not(.me)") as HTMLElement)).toBeUndefined();
    expect(getComputedStyle(find(element, ".deleted") as HTMLElement).fontStyle).toBe("italic");
    const icon = find(element, ".delivery.failed .icon") as HTMLElement;
    expect(getComputedStyle(icon).stroke).toBe(systemColor(element, "CanvasText"));
    const { color, textDecorationLine } = getComputedStyle(find(element, ".prose a") as HTMLElement);
    expect([color, textDecorationLine]).toEqual([systemColor(element, "LinkText"), "underline"]);
    expect(lines(element, find(element, ".prose blockquote") as HTMLElement)).toHaveLength(1);
    expect(lines(element, find(element, ".field") as HTMLElement)).toHaveLength(4);
  });
});

describe("motion", () => {
  /** Everything that moves by itself, from the first frame to the last. */
  async function movesWhile(act: () => Promise<MeetAiRoom>): Promise<Animation[]> {
    const seen = new Set<Animation>();
    let isOver = false;
    const look = () => {
      const rooms = [...document.querySelectorAll("meet-ai-room")];
      for (const { shadowRoot } of [document, ...rooms].map((place) =>
        "shadowRoot" in place ? place : { shadowRoot: place },
      ))
        for (const animation of shadowRoot?.getAnimations() ?? []) seen.add(animation);
      if (!isOver) requestAnimationFrame(look);
    };
    look();
    await act();
    await painted();
    isOver = true;
    return [...seen];
  }

  /** Through all that could move. */
  async function tour(): Promise<MeetAiRoom> {
    const { room, element, field } = await everything(server, {}, { width: 900, height: 640 });
    const point = async (selector: string) => userEvent.hover(await found(element, selector));
    await point(".here");
    await point(".people .quiet");
    await point("button.who");
    await userEvent.click(field);
    await userEvent.keyboard("@sw");
    await found(element, ".names");
    await point(".names li:last-child");
    await point(".send");
    await userEvent.keyboard("{Escape}");
    // It lies above the pill.
    find(element, ".help")?.click();
    leave(element);
    await point(".pill");
    room.say("amber-fox", "New");
    await point(".pill.counting");
    await point('[data-seq="4"]');
    await point(".tools button");
    await element.scrollToMessage(1);
    await found(element, ".marked");
    find(element, ".pill")?.click();
    find(element, ".fold-toggle")?.click();
    find(element, ".people .quiet:not(.moderate)")?.click();
    room.online = false;
    room.drop();
    await found(element, ".dot.offline");
    element.reconnect();
    await painted();
    for (const part of findAll(element, ".room, .room *"))
      expect(getComputedStyle(part).scrollBehavior, part.className).toBe("auto");
    return element;
  }

  test("there is none for who wants less of it", async () => {
    await prefer({ "prefers-reduced-motion": "reduce" });
    const moved = await movesWhile(tour);
    expect(moved.map(({ effect }) => ((effect as KeyframeEffect).target as HTMLElement).className)).toEqual([]);
  });

  test("what there is is short, and only a connection that is being made goes on", async () => {
    await prefer({ "prefers-reduced-motion": "no-preference" });
    const moved = await movesWhile(tour);
    expect(moved.some((animation) => animation instanceof CSSTransition)).toBe(true);
    expect(moved.some((animation) => animation instanceof CSSAnimation)).toBe(true);
    for (const { effect } of moved) {
      const { duration, iterations } = (effect as KeyframeEffect).getTiming();
      const target = (effect as KeyframeEffect).target as HTMLElement;
      if (iterations === Number.POSITIVE_INFINITY) expect(target.className).toMatch(/^dot/);
      else expect(duration, target.className).toBeLessThanOrEqual(200);
    }
  });
});

describe("at 320 px, nothing is cut off, on top of something else or beside the view", () => {
  const SIZES = {
    "text as browsers set it": { text: 16, zoom: 1 },
    "text of 24 px": { text: 24, zoom: 1 },
    "zoomed to 200 %": { text: 16, zoom: 2 },
    "text of 24 px, zoomed to 200 %": { text: 24, zoom: 2 },
  };

  afterEach(async () => {
    await cdp().send("Page.setFontSizes", { fontSizes: { standard: 16, fixed: 13 } });
    await cdp().send("Emulation.clearDeviceMetricsOverride");
  });

  /** Shortened with an ellipsis, on purpose: a title, a hint or an excerpt may be. */
  const SHORTENED = "h2, .topic, .writers, .hint, .excerpt";

  /** Parts that reach out of the room, or have less room than their text. */
  function cutOff(element: MeetAiRoom): string[] {
    const room = (find(element, ".room") as HTMLElement).getBoundingClientRect();
    const scrolls = (part: Element) => part.closest("pre, .table, .spoken, .to-tools") !== null;
    return findAll(element, ".room *")
      .filter((part) => part.checkVisibility() && !scrolls(part))
      .flatMap((part) => {
        const box = part.getBoundingClientRect();
        const what = `${part.localName}.${part.className}`;
        if (box.left < room.left - 0.5 || box.right > room.right + 0.5) return [`${what} reaches out sideways`];
        const hides = getComputedStyle(part).overflow !== "visible";
        const isHigh = part.matches(".scroller, .folded, .names, .shortcuts, textarea, meet-ai-people");
        if (hides && !isHigh && part.scrollHeight > part.clientHeight + 1) return [`${what} is too low`];
        if (hides && !part.matches(SHORTENED) && part.scrollWidth > part.clientWidth) return [`${what} is too narrow`];
        return [];
      });
  }

  /** Neighbours that lie on each other. */
  function overlapping(element: MeetAiRoom, parents: string): string[] {
    return findAll(element, parents).flatMap((parent) => {
      const boxes = [...parent.children]
        .filter((child) => child.checkVisibility() && !child.matches(".to-tools, meet-ai-message-tools, .spoken"))
        .map((child) => ({ child, box: child.getBoundingClientRect() }));
      return boxes.flatMap(({ child, box }, index) =>
        boxes
          .slice(index + 1)
          .filter(
            (other) =>
              Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left) > 1 &&
              Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top) > 1,
          )
          .map(
            (other) => `${child.localName}.${child.className} and ${other.child.localName}.${other.child.className}`,
          ),
      );
    });
  }

  test.each(Object.entries(SIZES))("%s", async (_size, { text, zoom }) => {
    await cdp().send("Page.setFontSizes", { fontSizes: { standard: text, fixed: text } });
    await cdp().send("Emulation.setDeviceMetricsOverride", {
      width: 0,
      height: 0,
      deviceScaleFactor: zoom,
      mobile: false,
    });
    const { room, element, field } = await everything(server, {}, { width: 320, height: 560 });
    expect(getComputedStyle(find(element, ".room") as HTMLElement).fontSize).toBe(`${text}px`);
    expect(devicePixelRatio).toBe(zoom);
    const check = async (state: string) => {
      await painted();
      const scroller = find(element, ".scroller") as HTMLElement;
      expect(scroller.scrollWidth, state).toBe(scroller.clientWidth);
      // Some lines of what is said are still to be seen.
      expect(scroller.clientHeight, state).toBeGreaterThan(100);
      expect(cutOff(element), state).toEqual([]);
      const parents =
        ".room, header, .title, .main, .log, .head, .body, .row, .field, .below, .replying, .who, .banner, .names li";
      expect(overlapping(element, parents), state).toEqual([]);
    };
    room.say(
      "~brisk-lynx-4f2a9c",
      `${"x".repeat(300)} https://example.com/${"y".repeat(200)}\n\n\`\`\`\n${"z".repeat(300)}\n\`\`\``,
    );
    await until(() => contents(element).some((content) => content.includes("xxx")));
    await painted();
    expect(cutOff(element), "who is here, and the keys").toEqual([]);
    find(element, ".help")?.click();
    find(element, ".people .quiet:not(.moderate)")?.click();
    await until(() => !find(element, ".shortcuts") && !find(element, ".people"));
    await check("reading");
    await userEvent.click(field);
    await userEvent.keyboard("@sw");
    await found(element, ".names");
    await check("choosing a name");
    await userEvent.keyboard("{Escape}");
    find(element, '[data-seq="4"]')?.focus();
    (await found(element, ".tools button"))?.click();
    await found(element, ".replying");
    await check("answering");
    find(element, ".replying button")?.click();
    leave(element);
    await found(element, ".pill");
    room.online = false;
    room.drop();
    await found(element, ".banner:not([hidden])");
    await check("offline");
  });
});
