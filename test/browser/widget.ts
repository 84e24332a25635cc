/** What tests of the widget share: putting a room into the page, looking into it, waiting for what is to be seen. */

import { onTestFinished, vi } from "vitest";
import { cdp } from "vitest/browser";
import "../../client/widget/index.ts";
import { systemClock } from "../../client/stay/clock.ts";
import type { MeetAiRoom } from "../../client/widget/index.ts";
import type { FakeServer } from "./fake-server.ts";

export interface Mounted {
  readonly server: FakeServer;
  readonly element: MeetAiRoom;
  readonly box: HTMLElement;
}

/** Puts `<meet-ai-room>` into a box of the page. */
export function mount(
  server: FakeServer,
  attributes: Readonly<Record<string, string>> = {},
  size: { width: number; height: number } = { width: 800, height: 560 },
): Mounted {
  const box = document.createElement("div");
  box.style.width = `${size.width}px`;
  box.style.height = `${size.height}px`;
  const element = document.createElement("meet-ai-room");
  for (const [name, value] of Object.entries({ room: "lobby", lang: "en", ...attributes }))
    element.setAttribute(name, value);
  element.style.height = "100%";
  box.append(element);
  document.body.append(box);
  return { server, element, box };
}

/** The first element of the widget that fits. */
export function find<Found extends HTMLElement = HTMLElement>(element: MeetAiRoom, selector: string): Found | null {
  return element.renderRoot.querySelector<Found>(selector);
}

export function findAll(element: MeetAiRoom, selector: string): HTMLElement[] {
  return [...element.renderRoot.querySelectorAll<HTMLElement>(selector)];
}

/** The texts of the messages in view, in order. */
export const contents = (element: MeetAiRoom): string[] =>
  findAll(element, "meet-ai-message .content, meet-ai-message .deleted").map(({ textContent }) => textContent ?? "");

/**
 * Whether so many messages are shown as they are to be, and the field below them: nothing is on its way any more that would
 * take room.
 */
export const isWhole = (element: MeetAiRoom, count: number): boolean =>
  contents(element).length === count && !find(element, ".unrendered") && find(element, "textarea") !== null;

/** How long something may take to be seen, ms. Only ends a test that hangs: on a busy machine everything takes its time. */
const PATIENCE = 60_000;

/** A frame that takes longer, ms, is not waited for. */
const BETWEEN_FRAMES = 100;

/** Stops the clock by which the element waits and counts down, for one test. The returned function lets ms pass. */
export function stopClock(): (ms: number) => void {
  let now = systemClock.now();
  const clock = vi.spyOn(systemClock, "now").mockImplementation(() => now);
  onTestFinished(() => void clock.mockRestore());
  return (ms) => {
    now += ms;
  };
}

/**
 * Resolves when `look` gives something; rejects with what was looked for when it does not come. Between frames, which may be
 * seconds apart, timers ring: what the element shows until one of its own rings is seen by one that rings before.
 */
export async function until<Seen>(look: () => Seen | null | undefined | false): Promise<Seen> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
    const seen = look();
    // A promise is something at once, whatever it comes to.
    if (seen instanceof Promise) throw new TypeError(`This waits for nothing: ${look}`);
    if (seen) return seen;
    await new Promise<unknown>((resolve) => {
      const timer = setTimeout(resolve, BETWEEN_FRAMES);
      requestAnimationFrame(() => resolve(clearTimeout(timer)));
    });
  }
  throw new Error(`In ${PATIENCE / 1000} s it has not come to this: ${look}`);
}

/** Two frames of the screen, the second to its end: what has been rendered is laid out, observed and painted. */
export async function painted(): Promise<void> {
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(undefined);
  });
}

/** Where the middle of a part is for the DevTools protocol, which counts from the corner of the page around the test's. */
export function pointOf(part: HTMLElement): { x: number; y: number } {
  const { left, top, width, height } = part.getBoundingClientRect();
  const frame = window.frameElement?.getBoundingClientRect();
  return { x: (frame?.left ?? 0) + left + width / 2, y: (frame?.top ?? 0) + top + height / 2 };
}

/** When a list has not moved by itself for a while. `meanwhile` happens between two looks at it. */
export async function atRest(scroller: HTMLElement, meanwhile: () => Promise<void> = painted): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let [still, last] = [0, Number.NaN]; still < 10; ) {
    if (performance.now() > end) throw new Error(`In ${PATIENCE / 1000} s the list has not come to rest.`);
    await meanwhile();
    still = scroller.scrollTop === last ? still + 1 : 0;
    last = scroller.scrollTop;
  }
}

/** Px that are left below the view. */
export const fromEnd = ({ scrollHeight, scrollTop, clientHeight }: HTMLElement): number =>
  scrollHeight - scrollTop - clientHeight;

/** A notch of a real mouse wheel over a part, as the browser gets it from the system. */
export async function turnWheel(part: HTMLElement, deltaY: number): Promise<void> {
  await cdp().send("Input.dispatchMouseEvent", { type: "mouseWheel", ...pointOf(part), deltaX: 0, deltaY });
}
