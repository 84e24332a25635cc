import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CLOSE } from "../../party/protocol.ts";
import { joined, setUp, YOU } from "./fake-room.ts";
import { run, welcome } from "./fake-socket.ts";

let page: EventTarget;

beforeEach(() => {
  page = new EventTarget();
  vi.stubGlobal("window", page);
});

afterEach(() => void vi.unstubAllGlobals());

const hide = () => page.dispatchEvent(new Event("pagehide"));
const show = () => page.dispatchEvent(new Event("pageshow"));

test("a page that is hidden keeps no socket, and resumes where it was when it is shown", () => {
  const { connection, socket, seqs } = joined();
  hide();
  expect([connection.status, socket.closed]).toEqual(["offline", true]);
  show();
  socket.open();
  expect(socket.urls.at(-1)).toContain("after=3&epoch=e1");
  socket.deliver(welcome(run(4, 5)));
  socket.deliver(YOU);
  expect([connection.status, seqs()]).toEqual(["open", [1, 2, 3, 4, 5]]);
});

test("a page that is shown for the first time changes nothing", () => {
  const { socket } = joined();
  show();
  expect(socket.reconnects).toBe(0);
});

test("a connection that is closed hears no page, until it connects again", () => {
  const added = vi.spyOn(page, "addEventListener");
  const { connection, socket } = setUp();
  socket.open();
  socket.lose(CLOSE.notFound);
  for (const [, , options] of added.mock.calls) expect((options as { signal: AbortSignal }).signal.aborted).toBe(true);
  hide();
  show();
  expect([connection.status, socket.reconnects]).toEqual(["closed", 0]);
  connection.reconnect();
  socket.open();
  socket.deliver(welcome([]));
  hide();
  expect([connection.status, socket.closed]).toEqual(["offline", true]);
});
