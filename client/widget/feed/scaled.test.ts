/** A page may show the element larger or smaller than it is: by a transform, as presentations do, or by zoom. */

import { describe, expect, test } from "vitest";
import { server } from "../../../test/browser/server.ts";
import { find, findAll, isWhole, mount, painted, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

const SCALES: [name: string, style: Partial<CSSStyleDeclaration>, scale: number][] = [
  ["as it is", {}, 1],
  ["by scale(.5)", { transform: "scale(.5)" }, 0.5],
  ["by scale(1.5)", { transform: "scale(1.5)", transformOrigin: "0 0" }, 1.5],
  ["by zoom .6", { zoom: ".6" }, 0.6],
  ["by zoom 1.5", { zoom: "1.5" }, 1.5],
];

const rowOf = (element: MeetAiRoom, seq: number) => find(element, `[data-seq="${seq}"]`) as HTMLElement;

describe.each(SCALES)("shown %s", (_name, style, scale) => {
  async function room(count: number) {
    const lobby = server.room("lobby").fill(count);
    // A height that is not whole, as in most pages.
    const { element, box } = mount(server, {}, { width: 400, height: 520.4 });
    Object.assign(box.style, style);
    await until(() => isWhole(element, 50));
    await painted();
    const scroller = find(element, ".scroller") as HTMLElement;
    return { lobby, element, scroller };
  }

  /** A px of the element's own, or of the screen where that is larger: a browser scrolls by neither's fractions. */
  const onePx = Math.max(1, 1 / scale);

  /** Px of the element's own from the top of the view. */
  const offsetOf = (element: MeetAiRoom, part: Element) => {
    const view = find(element, ".scroller") as HTMLElement;
    return (part.getBoundingClientRect().top - view.getBoundingClientRect().top) / scale;
  };

  const firstInView = (element: MeetAiRoom) =>
    findAll(element, "meet-ai-message").find((row) => offsetOf(element, row) >= 0) as HTMLElement;

  test("older messages come in without a jump, and what changes its height pushes nothing away", async () => {
    const { element, scroller } = await room(300);
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
    let row = rowOf(element, 251);
    for (let rows = 100; rows <= 250; rows += 50) {
      scroller.scrollTop = 300;
      row = firstInView(element);
      const offset = offsetOf(element, row);
      await until(() => findAll(element, "meet-ai-message").length === rows && !find(element, ".unrendered"));
      await painted();
      expect(Math.abs(offsetOf(element, row) - offset)).toBeLessThanOrEqual(onePx);
    }
    const above = findAll(element, "meet-ai-message")[0] as HTMLElement;
    let worst = 0;
    const before = offsetOf(element, row);
    for (let change = 1; change <= 10; change++) {
      above.style.paddingBottom = `${change * 11.4}px`;
      await painted();
      worst = Math.max(worst, Math.abs(offsetOf(element, row) - before));
    }
    expect(worst).toBeLessThanOrEqual(onePx);
  });

  test("a message that is gone to stands in the upper third", async () => {
    const { element, scroller } = await room(300);
    await element.scrollToMessage(100);
    const row = await until(() => find(element, ".marked"));
    expect(row.dataset.seq).toBe("100");
    // Rows above it that get their height later must not move it.
    await until(() => Math.abs(offsetOf(element, row) - scroller.clientHeight / 3) <= onePx);
  });

  test("the keys bring a message into view with the smallest move there is", async () => {
    const { element, scroller } = await room(60);
    const press = (key: string) =>
      element.shadowRoot?.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    element.renderRoot.querySelector("meet-ai-feed")?.focusRow();
    for (let step = 0; step < 30; step++) press("ArrowUp");
    await painted();
    expect(Math.abs(offsetOf(element, rowOf(element, 30)) - 8)).toBeLessThanOrEqual(onePx);
    for (let step = 0; step < 20; step++) press("ArrowDown");
    await painted();
    const below = rowOf(element, 50);
    const bottom = offsetOf(element, below) + below.getBoundingClientRect().height / scale;
    expect(Math.abs(scroller.clientHeight - bottom - 8)).toBeLessThanOrEqual(onePx);
  });

  test("a long message folds under the pointer", async () => {
    const { lobby, element, scroller } = await room(50);
    lobby.say("amber-fox", "A long one.\n\n".repeat(200));
    lobby.sayAll(Array.from({ length: 30 }, () => ({})));
    const toggle = await until(() => find(element, ".fold-toggle"));
    await until(() => rowOf(element, 81));
    await painted();
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
    scroller.scrollTop += offsetOf(element, toggle) - 200;
    await painted();
    toggle.click();
    await painted();
    scroller.scrollTop += offsetOf(element, toggle) - 300;
    await painted();
    const place = offsetOf(element, toggle);
    toggle.click();
    await painted();
    expect(Math.abs(offsetOf(element, toggle) - place)).toBeLessThanOrEqual(onePx);
  });
});
