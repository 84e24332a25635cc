/**
 * Runs in the page: a server in memory that speaks the room's protocol over a `WebSocket` and `fetch` of its own, and what
 * is measured of the widget and of deep-chat. Bundled into one script by `run.ts`.
 */

import type { Message, ServerFrame } from "../../party/protocol.ts";
import { MESSAGES } from "../prose/messages.ts";

const LOG: Message[] = [];
const sockets = new Set<BenchSocket>();

function fill(count: number): void {
  LOG.length = 0;
  for (let index = 0; index < count; index++) push();
}

function push(): Message {
  const seq = LOG.length + 1;
  const message: Message = {
    seq,
    id: `m${seq}`,
    kind: "text",
    sender: ["swift-otter", "swift-otter/claude", "~brisk-lynx-4f2a9c"][seq % 3] as string,
    content: MESSAGES[seq % MESSAGES.length] as string,
    createdAt: new Date(1_790_000_000_000 + seq * 20_000).toISOString(),
  };
  LOG.push(message);
  return message;
}

class BenchSocket extends EventTarget {
  static readonly OPEN = 1;
  readyState = 0;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    queueMicrotask(() => {
      this.readyState = 1;
      sockets.add(this);
      this.dispatchEvent(new Event("open"));
      this.deliver({
        type: "welcome",
        protocol: 1,
        room: { id: "lobby", name: "Lobby", topic: "", guests: "write", loopGuard: 0, agentsPaused: false },
        epoch: "e",
        head: LOG.length,
        messages: LOG.slice(-50),
        presence: { people: ["swift-otter", "swift-otter/claude"], spectators: 1 },
        drafts: [],
      });
    });
  }

  deliver(frame: ServerFrame): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  send(): void {}

  close(): void {
    this.readyState = 3;
    sockets.delete(this);
  }
}

const realFetch = globalThis.fetch;
globalThis.WebSocket = BenchSocket as unknown as typeof WebSocket;
globalThis.fetch = (input, init) => {
  const url = new URL(String(input), location.href);
  if (!url.pathname.startsWith("/api/")) return realFetch(input, init);
  const before = Number(url.searchParams.get("before") ?? Number.POSITIVE_INFINITY);
  const after = Number(url.searchParams.get("after") ?? -1);
  const limit = Number(url.searchParams.get("limit"));
  const messages = after >= 0 ? LOG.slice(after, after + limit) : LOG.slice(0, before - 1).slice(-limit);
  return Promise.resolve(Response.json({ messages, head: LOG.length, epoch: "e", more: true }));
};

const frame = () => new Promise(requestAnimationFrame);

/** The end of the frame that is being made: script, style, layout and paint are done. */
function afterPaint(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      port1.onmessage = () => resolve();
      port2.postMessage(undefined);
    });
  });
}

/** How long anything may take to be seen, ms: much longer than it takes. */
const PATIENCE = 60_000;

/** Waits until `condition` holds; rejects with `what` was waited for when it does not come to that. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + PATIENCE; !condition(); await frame()) {
    if (performance.now() > end) throw new Error(`In ${PATIENCE / 1000} s it has not come to this: ${what}`);
  }
}

function put(element: HTMLElement): void {
  element.style.cssText = "display: block; width: 780px; height: 600px; border: 0";
  document.body.replaceChildren(element);
}

const inRoom = (selector: string) =>
  document.querySelector("meet-ai-room")?.shadowRoot?.querySelectorAll(selector) ?? [];

/** Whether all fifty are as they stay: their Markdown rendered. */
const areAllShown = () => inRoom("meet-ai-message .prose").length === 50;

/** Whether those at the end that fill the view are. They are in view when the frame is painted: the log follows. */
function isViewShown(): boolean {
  let left = inRoom(".scroller")[0]?.clientHeight ?? Number.POSITIVE_INFINITY;
  for (const row of [...inRoom("meet-ai-message")].reverse()) {
    if (left <= 0 || !row.querySelector(".prose")) break;
    left -= row.getBoundingClientRect().height;
  }
  return left <= 0;
}

const isDeepChatShown = () =>
  document.querySelector("deep-chat")?.shadowRoot?.querySelectorAll(".message-bubble").length === 50;

/** The time at which the first frame in which `condition` holds is on the screen. */
async function whenPainted(what: string, condition: () => boolean): Promise<number> {
  await until(what, condition);
  // We are among the frame's animation callbacks: the message comes when it is painted.
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(undefined);
  });
}

interface Shown {
  /** Ms until everything in view is painted as it stays: its Markdown rendered. */
  readonly shown: number;
  /** Ms until the messages that are not in view are as they stay, too. */
  readonly all: number;
}

function roomElement(): HTMLElement {
  const element = document.createElement("meet-ai-room");
  element.setAttribute("room", "lobby");
  return element;
}

/** An element with the same fifty messages: asked of the same server in memory, or given with the element. */
function deepChatElement(who: "deepChat" | "deepChatGiven"): HTMLElement {
  const element = document.createElement("deep-chat") as HTMLElement & { loadHistory: () => Promise<object[]> };
  const toHistory = (messages: readonly Message[]) =>
    messages.map(({ content, sender }) => ({ text: content, role: sender.includes("/") ? "ai" : "user" }));
  element.setAttribute("connect", JSON.stringify({ url: "/api/none" }));
  if (who === "deepChatGiven") element.setAttribute("history", JSON.stringify(toHistory(LOG)));
  else {
    element.loadHistory = async () => {
      const response = await fetch("/api/rooms/lobby/messages?limit=50");
      return toHistory(((await response.json()) as { messages: Message[] }).messages);
    };
  }
  return element;
}

function elementFor(who: Contender): HTMLElement {
  if (who === "room") return roomElement();
  if (who !== "nothing") return deepChatElement(who);
  const element = document.createElement("p");
  element.textContent = "Nothing";
  return element;
}

async function paintedFrom(start: number, who: Contender): Promise<Shown> {
  if (who !== "room") {
    const shown =
      (await whenPainted("deep-chat shows all messages", who === "nothing" ? () => true : isDeepChatShown)) - start;
    return { shown, all: shown };
  }
  const [shown, all] = await Promise.all([
    whenPainted("the view is shown", isViewShown),
    whenPainted("all messages are shown", areAllShown),
  ]);
  return { shown: shown - start, all: all - start };
}

/** Nothing: a page with a word, which is what a browser takes in any case. */
export type Contender = "room" | "deepChat" | "deepChatGiven" | "nothing";

/** From putting the element into a page that has loaded its script. */
async function show(who: Contender): Promise<Shown> {
  fill(50);
  const element = elementFor(who);
  const start = performance.now();
  put(element);
  return paintedFrom(start, who);
}

/** From the navigation to a page that has the element in it: this script runs before the element's own. */
async function visit(who: Contender): Promise<Shown> {
  fill(50);
  // What is set on a deep-chat before its script has come is lost: its page waits for it.
  if (who === "deepChat") await customElements.whenDefined("deep-chat");
  put(elementFor(who));
  return paintedFrom(0, who);
}

const visited = new URLSearchParams(location.search).get("visit") as Contender | null;
const visiting = visited ? visit(visited) : undefined;

/** Opens a room with `count` messages of history. */
async function openRoom(count: number): Promise<HTMLElement> {
  fill(count);
  const element = roomElement();
  put(element);
  await until("a room is open", () => inRoom("meet-ai-message").length >= 50 && inRoom(".content .prose").length >= 50);
  return element;
}

/** Goes up through the history until `rows` messages have been seen; the most rows that were in the DOM at once. */
async function readUpwards(rows: number): Promise<number> {
  const scroller = inRoom(".scroller")[0] as HTMLElement;
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
  let most = 0;
  await until(`${rows} messages have been read`, () => {
    scroller.scrollTop = 0;
    most = Math.max(most, inRoom("meet-ai-message").length);
    const oldest = Number((inRoom("meet-ai-message")[0] as HTMLElement).dataset.seq);
    return oldest <= LOG.length - rows + 50;
  });
  (inRoom(".pill")[0] as HTMLElement).click();
  await until("the newest message is in view", () => inRoom(".pill").length === 0);
  return most;
}

/** Stands in a trace where a message comes. */
const MARK = "meet-ai append";

/** What one more message costs a full window: ms from the start of its frame to the end of its paint, `count` times. */
async function append(count: number): Promise<number[]> {
  const costs: number[] = [];
  for (let index = 0; index < count; index++) {
    let start = 0;
    requestAnimationFrame(() => {
      start = performance.now();
    });
    performance.mark(MARK);
    for (const socket of sockets) socket.deliver({ type: "update", messages: [push()] });
    await afterPaint();
    costs.push(performance.now() - start);
  }
  return costs;
}

interface Stream {
  readonly delivered: number;
  /** Tasks of more than 50 ms. */
  readonly long: number[];
  /** The longest time between two frames, ms. */
  readonly gap: number;
  /** Frames in which the place of somebody who reads further up had moved, px. */
  readonly moved: number;
}

/** `rate` messages a second for `duration` ms, while somebody follows or reads further up. */
async function stream(rate: number, duration: number, follows: boolean): Promise<Stream> {
  const long: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration: time } of list.getEntries()) long.push(time);
  });
  const scroller = inRoom(".scroller")[0] as HTMLElement;
  if (!follows) {
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
    scroller.scrollTop = scroller.scrollHeight / 2;
    await frame();
    await frame();
  }
  observer.observe({ type: "longtask" });
  const begin = performance.now();
  let delivered = 0;
  let gap = 0;
  let moved = 0;
  let last = begin;
  const top = scroller.scrollTop;
  while (performance.now() - begin < duration) {
    await frame();
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    const due = Math.floor(((now - begin) / 1000) * rate) - delivered;
    if (due <= 0) continue;
    const messages = Array.from({ length: due }, push);
    delivered += due;
    for (const socket of sockets) socket.deliver({ type: "update", messages });
    if (!follows && Math.abs(scroller.scrollTop - top) > 1) moved++;
  }
  await afterPaint();
  observer.disconnect();
  return { delivered, long, gap, moved };
}

/** Puts a room in and takes it out again, `count` times; how many sockets are left. */
async function mounts(count: number): Promise<number> {
  for (let index = 0; index < count; index++) await openRoom(50);
  document.body.replaceChildren();
  await until("all sockets are closed", () => sockets.size === 0);
  await afterPaint();
  return sockets.size;
}

export const bench = {
  show,
  visited: () => visiting,
  openRoom: (count: number) => openRoom(count).then(() => {}),
  readUpwards,
  append,
  stream,
  mounts,
};
export type Bench = typeof bench;

Object.assign(globalThis, { bench });
