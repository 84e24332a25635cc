/** What becomes of the lines that the runtime prints. */

import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LINES_A_MINUTE } from "../../../party/operator-log/log-bound.ts";
import { linesOf } from "../../../test/logged.ts";
import { RuntimeLog } from "./runtime-log.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
let printed: ReturnType<typeof spy>;
const spy = () => vi.spyOn(console, "error").mockReturnValue();

beforeEach(() => {
  printed = spy();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The log after the runtime has printed `lines`, read to its end. */
async function after(...lines: string[]): Promise<RuntimeLog> {
  const log = new RuntimeLog();
  const stream = new PassThrough();
  log.read(stream);
  stream.end(lines.map((line) => `${line}\n`).join(""));
  await log.isRead;
  return log;
}

const said = (level: string, message: string) => JSON.stringify({ timestamp: NOON, level, message });

it("lines of the Worker's log are printed as they are, with the time in front", async () => {
  const line = '{"level":"info","event":"archive.resumed","message":"D1 takes messages again","room":"lobby"}';
  (await after(said("info", line))).isStarted();
  expect(printed.mock.calls).toEqual([[`{"time":"2026-11-24T12:00:00.000Z",${line.slice(1)}`]]);
});

it("of the runtime's own insides, and of a visitor's broken frame, nothing is printed; of the Worker's lines each is", async () => {
  const inside = "Uncaught (async) jsg.Error: WebSocket protocol error: reserved bits";
  const line = `{"level":"error","event":"frame.failed","error":{"message":"${inside}"}}`;
  (await after(said("error", inside), "NOSENTRY something", said("error", line))).isStarted();
  expect(linesOf(printed)).toMatchObject([{ event: "frame.failed" }]);
});

it("words of the runtime's own become an event, without what they quote", async () => {
  const error =
    "Uncaught SyntaxError: Unexpected token 'h', \"hello all\" is not valid JSON\n    at run (worker.js:1:2)";
  (await after(said("error", error), "*** Received signal #11", said("debug", "all is well"))).isStarted();
  const lines = linesOf(printed);
  expect(lines).toMatchObject([
    {
      time: "2026-11-24T12:00:00.000Z",
      level: "error",
      event: "runtime.said",
      error: { stack: "at run (worker.js:1:2)" },
    },
    { level: "error", event: "runtime.said", error: { message: "*** Received signal #11" } },
    { level: "info", event: "runtime.said", error: { message: "all is well" } },
  ]);
  expect(JSON.stringify(lines)).not.toContain("hello");
});

it("what is said before a start is kept for whoever has to say why there is none", async () => {
  const log = await after("Address already in use");
  expect([log.lines, printed.mock.calls]).toEqual([["Address already in use"], []]);
});

it("of the runtime's own words a minute has a hundred lines, in whatever order they come, and the next says how many are missing", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  const spoken = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      JSON.stringify({ timestamp: NOON - index * 61_000, level: "error", message: "SQLite failed" }),
    );
  (await after(...spoken(LINES_A_MINUTE + 7))).isStarted();
  expect(linesOf(printed)).toHaveLength(LINES_A_MINUTE);
  expect(linesOf(printed).at(-1)).toMatchObject({ event: "runtime.said", lastOfMinute: true });
  vi.setSystemTime(NOON + 60_000);
  (await after(...spoken(1))).isStarted();
  expect(linesOf(printed).slice(LINES_A_MINUTE)).toMatchObject([{ event: "runtime.said", leftOut: 7 }]);
});
