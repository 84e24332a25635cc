/** The real partysocket on a WebSocket that does what a test says, and on a clock that a test moves. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CLOSE, FINAL_CLOSE_CODES } from "../../party/protocol.ts";
import { Connection } from "./connection.ts";
import { openSocket } from "./reconnecting-socket.ts";

// partysocket looks for Node when it is loaded, and treats its events otherwise in a browser.
const { restoreNode } = vi.hoisted(() => {
  const { process } = globalThis;
  globalThis.process = Object.create(process, { versions: { value: {} } });
  return {
    restoreNode: () => {
      globalThis.process = process;
    },
  };
});
restoreNode();

class CodeEvent extends Event {
  readonly code: number;
  constructor(type: string, { code }: { code: number }) {
    super(type);
    this.code = code;
  }
}

class StubWebSocket extends EventTarget {
  static made: StubWebSocket[] = [];
  readonly since = Date.now();
  readyState = 0;
  readonly sent: string[] = [];

  constructor(readonly url: string) {
    super();
    if (url === "refused:") throw new DOMException("Not from here.", "SecurityError");
    StubWebSocket.made.push(this);
  }

  send(data: string): void {
    this.sent.push(data);
  }

  /** As for a peer that does not answer: `closing` until `shut`. */
  close(): void {
    this.readyState = Math.max(this.readyState, 2);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  /** The peer has begun to close. */
  startClosing(): void {
    this.readyState = 2;
  }

  shut(code = 1006): void {
    this.readyState = 3;
    this.dispatchEvent(new CodeEvent("close", { code }));
  }

  /** No network, or nobody there: what a browser fires then. */
  fail(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new CodeEvent("close", { code: 1006 }));
  }

  get isLive(): boolean {
    return this.readyState < 2;
  }
}

const made = () => StubWebSocket.made;
const newest = () => made().at(-1) as StubWebSocket;
/** Time enough for what is to happen at once. */
const AT_ONCE = 10;
const pass = (duration: number) => vi.advanceTimersByTimeAsync(duration);

/** Ms until the next attempt. */
async function waited(): Promise<number> {
  const attempts = made().length;
  const since = Date.now();
  while (made().length === attempts) await pass(25);
  return newest().since - since;
}

function setUp() {
  const told: (string | number)[] = [];
  const socket = openSocket({
    url: () => "wss://meet.example/",
    onopen: () => told.push("open"),
    onmessage: ({ data }) => told.push(String(data)),
    onclose: ({ code }) => told.push(code),
    onimpossible: ({ message }) => told.push(message),
  });
  return { socket, told };
}

beforeEach(() => {
  StubWebSocket.made = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", StubWebSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Wherever a connection may be, and how it gets there. */
const STATES: Record<string, () => Promise<void>> = {
  "before the first attempt": async () => {},
  "during an attempt": async () => {
    await pass(AT_ONCE);
  },
  "while it is open": async () => {
    await pass(AT_ONCE);
    newest().open();
  },
  "while its peer closes": async () => {
    await pass(AT_ONCE);
    newest().open();
    newest().startClosing();
  },
  "just after a failure": async () => {
    await pass(AT_ONCE);
    newest().fail();
  },
  "in a long wait": async () => {
    await pass(AT_ONCE);
    for (let failures = 0; failures < 20; failures++) {
      newest().fail();
      await waited();
    }
    newest().fail();
    await pass(5_000);
  },
  "after a final close": async () => {
    await pass(AT_ONCE);
    newest().open();
    newest().shut(CLOSE.unauthorized);
  },
};
const EVERYWHERE = Object.keys(STATES);
const reach = (state: string) => STATES[state]?.();

describe("by itself", () => {
  test("it tries at once, then after waits that grow to 15 s and are each spread anew", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    setUp();
    expect(await waited()).toBeLessThan(AT_ONCE);
    const wait = async () => {
      newest().fail();
      return Math.round((await waited()) / 100) * 100;
    };
    expect([await wait(), await wait(), await wait()]).toEqual([3_000, 3_900, 5_100]);
    for (let failures = 0; failures < 20; failures++) await wait();
    expect(await wait()).toBe(15_000);
    random.mockReturnValue(0);
    expect(await wait()).toBe(500);
    random.mockRestore();
  });

  test("connections that end as soon as they have begun count as failures", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    setUp();
    await pass(AT_ONCE);
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      newest().open();
      newest().shut();
      waits.push(Math.round((await waited()) / 100) * 100);
    }
    newest().open();
    await pass(5_000);
    newest().shut();
    waits.push(Math.round((await waited()) / 100) * 100);
    expect(waits).toEqual([3_000, 3_900, 5_100, 3_000]);
    random.mockRestore();
  });

  test("an address that the browser refuses is said, and not tried again", async () => {
    const told: string[] = [];
    openSocket({
      url: () => "refused:",
      onopen: () => {},
      onmessage: () => {},
      onclose: ({ code }) => told.push(String(code)),
      onimpossible: ({ message }) => told.push(message),
    });
    await pass(60_000);
    expect([told, vi.getTimerCount()]).toEqual([["Not from here."], 0]);
  });

  test("where there is no WebSocket, that is said, and not tried again", async () => {
    vi.stubGlobal("WebSocket", undefined);
    const error = vi.spyOn(console, "error").mockReturnValue();
    const { told } = setUp();
    await pass(60_000);
    expect([told.length, vi.getTimerCount(), error.mock.calls]).toEqual([1, 0, []]);
    error.mockRestore();
  });

  test("a peer that does not answer is given up after 10 s", async () => {
    const { told } = setUp();
    await pass(AT_ONCE + 10_000);
    expect(told).toEqual([1000]);
    await waited();
    expect(made().filter(({ isLive }) => isLive)).toHaveLength(1);
  });

  test("it comes back after every close but a final one", async () => {
    for (const code of [1000, 1006, ...Object.values(CLOSE)]) {
      const { socket, told } = setUp();
      await pass(AT_ONCE);
      newest().open();
      const attempts = made().length;
      newest().shut(code);
      expect(told).toEqual(["open", code]);
      await pass(60_000);
      expect(made().length > attempts).toBe(!FINAL_CLOSE_CODES.includes(code));
      if (!FINAL_CLOSE_CODES.includes(code)) newest().fail();
      socket.close();
    }
  });

  test("what there is no connection for is dropped", async () => {
    const { socket } = setUp();
    socket.send("early");
    await pass(AT_ONCE);
    socket.send("early, too");
    newest().open();
    socket.send("in time");
    expect(newest().sent).toEqual(["in time"]);
  });
});

describe("reconnect", () => {
  test.each(EVERYWHERE)("%s: one connection, at once, and no word of the one before", async (state) => {
    const { socket, told } = setUp();
    await reach(state);
    const before = [...made()];
    told.length = 0;
    socket.reconnect();
    await pass(AT_ONCE);
    expect(made().length - before.length).toBe(1);
    expect(made().filter(({ isLive }) => isLive)).toEqual([newest()]);
    for (const old of before) old.shut();
    newest().open();
    newest().dispatchEvent(new MessageEvent("message", { data: "hello" }));
    expect(told).toEqual(["open", "hello"]);
    await pass(60_000);
    expect(made().length - before.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each(EVERYWHERE)("%s, and closed and called again: still one connection", async (state) => {
    const { socket } = setUp();
    await reach(state);
    const attempts = made().length;
    socket.reconnect();
    socket.close();
    socket.reconnect();
    socket.reconnect();
    await pass(AT_ONCE);
    expect(made().length - attempts).toBe(1);
    newest().open();
    await pass(60_000);
    expect(made().length - attempts).toBe(1);
  });

  test.each(["while it is open", "while its peer closes"])(
    "retry %s: one connection, after a wait, and no word of the one before",
    async (state) => {
      const { socket, told } = setUp();
      await reach(state);
      const attempts = made().length;
      told.length = 0;
      socket.retry();
      await pass(499);
      expect(made().length - attempts).toBe(0);
      await pass(3_000);
      expect(made().length - attempts).toBe(1);
      newest().open();
      expect(told).toEqual(["open"]);
    },
  );

  test.each(EVERYWHERE)("%s: the waits start over", async (state) => {
    const { socket } = setUp();
    await reach(state);
    socket.reconnect();
    await pass(AT_ONCE);
    const waits: number[] = [];
    for (let failures = 0; failures < 3; failures++) {
      newest().fail();
      waits.push(await waited());
    }
    expect(waits[0]).toBeGreaterThanOrEqual(350);
    expect(waits[0]).toBeLessThan(3_000 + AT_ONCE);
    expect(waits[2]).toBeLessThan(3_000 * 1.3 ** 2 + AT_ONCE);
  });
});

describe("close", () => {
  test.each(EVERYWHERE)("%s: no socket, no timer and no word is left", async (state) => {
    const { socket, told } = setUp();
    await reach(state);
    told.length = 0;
    socket.close();
    await pass(AT_ONCE);
    expect(vi.getTimerCount()).toBe(0);
    const attempts = made().length;
    expect(made().filter(({ isLive }) => isLive)).toEqual([]);
    for (const old of made()) old.shut();
    await pass(60_000);
    expect([told, made().length]).toEqual([[], attempts]);
  });
});

describe("a client on it", () => {
  function client() {
    const room = new Connection({ server: "https://meet.example", room: "lobby" });
    const told: unknown[] = [];
    room.on("status", ({ status, code }) => told.push(code === undefined ? status : [status, code]));
    return { room, told };
  }

  test("tells a code only where the room gave one, and a number", async () => {
    const { room, told } = client();
    await pass(AT_ONCE);
    newest().fail();
    room.reconnect();
    await pass(AT_ONCE);
    newest().open();
    newest().shut(CLOSE.deleted);
    room.reconnect();
    expect(told).toEqual(["offline", ["closed", CLOSE.deleted], "connecting"]);
    room.close();
  });

  test("closed by whoever hears that it is offline, it stays closed", async () => {
    const { room, told } = client();
    room.on("status", ({ status }) => {
      if (status === "offline") room.close();
    });
    await pass(AT_ONCE);
    newest().open();
    room.reconnect();
    expect(told).toEqual(["offline", ["closed", 1000]]);
    await pass(60_000);
    expect([made().length, made().filter(({ isLive }) => isLive).length, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  test("brought back by whoever hears that it is offline, it has one connection", async () => {
    const { room } = client();
    room.on("status", ({ status }) => {
      if (status === "offline") room.reconnect();
    });
    await pass(AT_ONCE);
    newest().open();
    newest().shut();
    await pass(AT_ONCE);
    expect(made().map(({ isLive }) => isLive)).toEqual([false, true]);
    room.close();
  });
});
