/** Reading beyond the window, while the log begins anew and one of two ends fails. */

import { describe, expect, test } from "vitest";
import { FakeClock } from "../stay/fake-clock.ts";
import { message, run, welcome } from "../stay/fake-socket.ts";
import type { Page, PageRequest } from "../stay/page.ts";
import { RoomError } from "../stay/room-error.ts";
import { LogPages } from "./log-pages.ts";
import { Quotes } from "./quotes.ts";
import { reduce } from "./reduce.ts";
import { EMPTY_ROOM, quotedAt, type RoomState } from "./room-state.ts";

/** A view whose pages come when the test says so. */
function setUp() {
  let state: RoomState = EMPTY_ROOM;
  const clock = new FakeClock();
  const requests: (PageRequest & { answer(page: Partial<Page>): void; fail(): void })[] = [];
  const begin = (from: number, to: number, epoch = "e1") => {
    const messages = run(from, to);
    state = reduce(state, { type: "welcome", welcome: welcome(messages, { epoch }), resumed: false });
    state = reduce(state, { type: "messages", messages, history: true });
  };
  const deps = {
    clock,
    page: (request: PageRequest) => {
      const { promise, resolve, reject } = Promise.withResolvers<Page>();
      const answer = (page: Partial<Page>) => resolve({ messages: [], head: 100, epoch: "e1", more: false, ...page });
      requests.push({ ...request, answer, fail: () => reject(new RoomError("unavailable", "Not now.")) });
      return promise;
    },
    state: () => state,
    dispatch: (event: Parameters<typeof reduce>[1]) => {
      state = reduce(state, event);
    },
    changed: () => {},
  };
  const seqs = () => state.messages.map(({ seq }) => seq);
  return { pages: new LogPages(deps), quotes: new Quotes(deps), begin, requests, seqs, clock, state: () => state };
}

describe("a page", () => {
  test("that was requested in the history before is not taken for one of the new log", async () => {
    const { pages, begin, requests, seqs } = setUp();
    begin(51, 100);
    const loading = pages.load("older");
    begin(51, 60, "e2");
    requests[0]?.answer({ messages: run(1, 50) });
    await loading;
    expect(seqs()).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59, 60]);
    expect([...pages.failed]).toEqual([]);
  });

  test("around a message that is not wanted any more moves no window", async () => {
    const { pages, begin, requests, seqs } = setUp();
    begin(51, 100);
    let isWanted = true;
    const loading = pages.loadAround(10, () => isWanted);
    isWanted = false;
    requests[0]?.answer({ messages: run(1, 35) });
    await loading;
    expect(seqs()[0]).toBe(51);
  });

  test("around a message, requested in the history before, moves no window", async () => {
    const { pages, begin, requests, seqs } = setUp();
    begin(51, 100);
    const loading = pages.loadAround(10);
    begin(91, 92, "e2");
    requests[0]?.answer({ messages: run(1, 35) });
    await loading;
    expect(seqs()).toEqual([91, 92]);
  });

  test("of the new history is requested while one of the history before is still on its way", async () => {
    const { pages, begin, requests, seqs } = setUp();
    begin(51, 100);
    const before = pages.load("older");
    begin(51, 60, "e2");
    const now = pages.load("older");
    expect(requests).toHaveLength(2);
    requests[0]?.answer({ messages: [message(50, { content: "of the old history" })] });
    await before;
    void pages.load("older");
    expect(requests).toHaveLength(2);
    requests[1]?.answer({ messages: run(49, 50), epoch: "e2" });
    await now;
    expect(seqs()[0]).toBe(49);
  });

  test("that failed at one end is still told of while the other end loads", async () => {
    const { pages, begin, requests } = setUp();
    begin(51, 100);
    const older = pages.load("older");
    requests[0]?.fail();
    await older;
    expect([...pages.failed]).toEqual(["older"]);
    const newer = pages.load("newer");
    expect([...pages.failed]).toEqual(["older"]);
    requests[1]?.fail();
    await newer;
    expect([...pages.failed]).toEqual(["older", "newer"]);
    const again = pages.load("older");
    expect([...pages.failed]).toEqual(["newer"]);
    requests[2]?.answer({ messages: run(1, 50) });
    await again;
    expect([...pages.failed]).toEqual(["newer"]);
  });

  test("that failed in the history before has not failed in the new one", async () => {
    const { pages, begin, requests } = setUp();
    begin(51, 100);
    const loading = pages.load("older");
    requests[0]?.fail();
    await loading;
    begin(51, 60, "e2");
    expect([...pages.failed]).toEqual([]);
  });
});

describe("a quote", () => {
  const asked = async (requests: unknown[], count: number) => {
    while (requests.length < count) await new Promise((resolve) => setTimeout(resolve));
  };

  test("that was requested in the history before is not shown in the new log", async () => {
    const { quotes, begin, requests, state } = setUp();
    begin(51, 100);
    quotes.ask(7);
    await asked(requests, 1);
    begin(51, 60, "e2");
    requests[0]?.answer({ messages: [message(7, { content: "of the old history" })] });
    quotes.ask(7);
    await asked(requests, 2);
    expect(quotedAt(state(), 7)).toBeUndefined();
    requests[1]?.answer({ messages: [message(7)], epoch: "e2" });
    while (!quotedAt(state(), 7)) await new Promise((resolve) => setTimeout(resolve));
    expect(quotedAt(state(), 7)?.content).toBe("Message 7");
  });

  test("that could not be read is requested again after a pause, and not before", async () => {
    const { quotes, begin, requests, clock } = setUp();
    begin(51, 100);
    quotes.ask(7);
    await asked(requests, 1);
    requests[0]?.fail();
    // The next question goes out when the first one is settled.
    quotes.ask(30);
    await asked(requests, 2);
    quotes.ask(7);
    requests[1]?.answer({ messages: [message(30)] });
    clock.pass(5_000);
    quotes.ask(7);
    await asked(requests, 3);
    expect(requests[2]).toMatchObject({ before: 8 });
    expect(requests).toHaveLength(3);
  });
});
