import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { CLOSE, FINAL_CLOSE_CODES, HEARTBEAT, PONG } from "../../party/protocol.ts";
import type { Credentials } from "./credentials.ts";
import { GUEST, joined, last, sends, setUp, YOU } from "./fake-room.ts";
import { type FakeSocket, message, run, welcome } from "./fake-socket.ts";
import { readPage } from "./page.ts";
import { randomId } from "./random-id.ts";

describe("resume", () => {
  test("a first connection asks for nothing, a later one for what came after", () => {
    const { socket, seqs } = joined();
    socket.lose();
    socket.open();
    expect(socket.urls).toEqual([
      "wss://meet.example/api/rooms/lobby/ws?knows=erasure",
      "wss://meet.example/api/rooms/lobby/ws?knows=erasure&after=3&epoch=e1",
    ]);
    socket.deliver(welcome(run(4, 5)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5]);
  });

  test("who was removed from the room and is let in again starts over: a view has dropped what there was", () => {
    const { connection, socket } = joined();
    socket.lose(CLOSE.forbidden);
    expect([connection.status, connection.error?.code]).toEqual(["closed", "forbidden"]);
    connection.reconnect();
    socket.open();
    expect(socket.urls.at(-1)).toBe("wss://meet.example/api/rooms/lobby/ws?knows=erasure");
  });

  test("nothing is heard twice, in whatever frames it comes again", () => {
    const { socket, seqs } = joined();
    socket.deliver({ type: "update", messages: run(2, 4) });
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(3, 6)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a hole in the log starts the connection over from before it, after a wait", () => {
    const { socket, seqs } = joined();
    socket.deliver({ type: "update", messages: [message(4), message(6)] });
    expect([socket.retries, socket.reconnects]).toEqual([1, 0]);
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=4");
    socket.deliver(welcome(run(5, 6)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a frame that is no JSON is a hole", () => {
    const { connection, socket } = joined();
    socket.deliver("{broken");
    expect([socket.retries, connection.status]).toEqual([1, "offline"]);
  });

  test("a hole that three resumes don't close ends in a log that begins anew, for all to see", () => {
    const { socket, events } = joined();
    const resumes: string[] = [];
    socket.deliver({ type: "update", messages: [message(5)] });
    for (let attempt = 0; attempt < 3; attempt++) {
      socket.open();
      resumes.push(new URL(socket.urls.at(-1) ?? "").search);
      if (resumes.at(-1) !== "?knows=erasure") socket.deliver(welcome([message(5)]));
    }
    const cursor = "?knows=erasure&after=3&epoch=e1";
    expect(resumes).toEqual([cursor, cursor, "?knows=erasure"]);
    expect([socket.retries, socket.reconnects]).toEqual([3, 0]);
    socket.deliver(welcome([message(5), message(6)]));
    expect(last(events, "welcome")).toMatchObject({ resumed: false });
    expect(last(events, "messages")).toMatchObject({ history: true, messages: [{ seq: 5 }, { seq: 6 }] });
  });

  test("resumes that bring something are not counted: the log goes on where it is", () => {
    const { socket } = joined();
    for (let seq = 4; seq < 14; seq++) {
      socket.deliver({ type: "update", messages: [message(seq), message(seq + 2)] });
      socket.open();
      expect(socket.urls.at(-1)).toContain(`after=${seq}&epoch=e1`);
      socket.deliver(welcome([]));
    }
  });

  test("a reset of the same epoch is believed: it begins anew and stays connected", () => {
    const { connection, socket, events } = joined();
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(9_001, 9_050), { reset: true }));
    expect([connection.status, socket.retries]).toEqual(["open", 0]);
    expect(last(events, "welcome")).toMatchObject({ resumed: false });
    socket.lose();
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=9050&epoch=e1");
  });

  test("an earlier stay's cursor is where the first connection begins", () => {
    const { socket, events } = setUp({ from: { after: 7, epoch: "e1" } });
    socket.open();
    expect(socket.urls).toEqual(["wss://meet.example/api/rooms/lobby/ws?knows=erasure&after=7&epoch=e1"]);
    socket.deliver(welcome(run(8, 9)));
    expect(last(events, "welcome")).toMatchObject({ resumed: true });
    expect(last(events, "messages")).toMatchObject({ history: false });
  });

  test("a reset, or another epoch, is told as a log that begins anew", () => {
    const { socket, events } = joined();
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(1, 2), { epoch: "e2", reset: true }));
    expect(last(events, "welcome")).toMatchObject({ resumed: false });
    expect(last(events, "messages")).toMatchObject({ history: true, messages: [{ seq: 1 }, { seq: 2 }] });
    socket.lose();
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=2&epoch=e2");
  });

  test("whatever is cut, repeated or left out, each message is heard once and in order", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("deliver" as const), from: fc.nat(40), count: fc.nat(8) }),
        fc.constant({ kind: "lose" as const }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const { socket, seqs } = setUp();
        const log = run(1, 40);
        /** What an honest server answers: everything after the cursor in the URL. */
        const answer = () => {
          const after = Number(new URL(socket.urls.at(-1) ?? "").searchParams.get("after") ?? 0);
          socket.deliver(welcome(log.slice(after, after + 5), { head: 40 }));
        };
        socket.open();
        answer();
        for (const step of script) {
          const { retries } = socket;
          if (step.kind === "deliver") {
            socket.deliver({ type: "update", messages: log.slice(step.from, step.from + step.count) });
          } else socket.lose();
          if (step.kind === "lose" || socket.retries > retries) {
            socket.open();
            answer();
          }
        }
        expect(seqs()).toEqual(log.slice(0, seqs().length).map(({ seq }) => seq));
      }),
    );
  });
});

describe("the connection", () => {
  test("says what it is", () => {
    const { connection, socket, events } = setUp();
    expect(connection.status).toBe("connecting");
    socket.open();
    socket.deliver(welcome([]));
    expect(connection.status).toBe("open");
    socket.lose();
    expect(connection.status).toBe("offline");
    socket.lose(CLOSE.deleted);
    expect(last(events, "status")).toMatchObject({
      status: "closed",
      code: CLOSE.deleted,
      error: { code: "not_found" },
    });
  });

  test("closed for good it stays away, until it is told to come back", () => {
    for (const code of FINAL_CLOSE_CODES) {
      const { connection, socket, clock, events } = joined();
      socket.lose(code);
      expect([connection.status, socket.reconnects, clock.waiting]).toEqual(["closed", 0, 0]);
      connection.reconnect();
      expect(last(events, "status")).toEqual({ type: "status", status: "connecting" });
      socket.open();
      socket.deliver(welcome([]));
      expect(connection.status).toBe("open");
    }
  });

  test("a hole in the welcome itself opens nothing", () => {
    const { connection, socket, seqs } = joined();
    socket.lose();
    socket.open();
    socket.deliver(welcome([message(4), message(6)]));
    expect(connection.status).toBe("offline");
    socket.open();
    socket.deliver(welcome(run(5, 6)));
    expect([connection.status, seqs()]).toEqual(["open", [1, 2, 3, 4, 5, 6]]);
  });

  test("pings, and gives up on a peer that is silent", () => {
    const { socket, clock, events } = joined();
    expect(socket.pings).toBe(1);
    socket.deliver(PONG);
    clock.pass(HEARTBEAT.every);
    expect(socket.pings).toBe(2);
    clock.pass(HEARTBEAT.deadAfter - 1);
    expect(socket.retries).toBe(0);
    clock.pass(1);
    expect(socket.retries).toBe(1);
    expect(last(events, "status")).toEqual({ type: "status", status: "offline" });
  });

  test("the next connection is listened for, too", () => {
    const { socket, clock } = joined();
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    clock.pass(HEARTBEAT.deadAfter);
    expect(socket.retries).toBe(1);
  });

  test("a room's presence and drafts as a whole take the place of what was told before", () => {
    const { socket, events } = joined();
    const snapshot = { presence: { people: ["amber-fox"], spectators: 2 }, drafts: [] };
    socket.deliver({ type: "update", snapshot } as never);
    expect(last(events, "snapshot")).toEqual({ type: "snapshot", snapshot });
  });

  test("suspended it has no socket, and resumes where it stopped", () => {
    const { connection, socket, clock, events } = joined();
    connection.suspend();
    expect([connection.status, socket.closed, clock.waiting]).toEqual(["offline", true, 0]);
    connection.resume();
    connection.resume();
    expect(socket.reconnects).toBe(1);
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=3&epoch=e1");
    socket.deliver(welcome([]));
    connection.resume();
    expect([socket.reconnects, last(events, "status")]).toEqual([1, { type: "status", status: "open" }]);
  });

  test("what the room has closed is not brought back by showing the page", () => {
    const { connection, socket } = joined();
    socket.lose(CLOSE.deleted);
    connection.suspend();
    connection.resume();
    expect([connection.status, socket.reconnects]).toEqual(["closed", 0]);
  });

  test("where no socket can be made, it is closed and says why", () => {
    const { connection, socket } = setUp();
    socket.fail(new Error("An insecure WebSocket connection may not be initiated."));
    expect(connection.status).toBe("closed");
    expect(connection.error).toMatchObject({ code: "unavailable", message: expect.stringContaining("insecure") });
  });

  test("answers a check with its number", () => {
    const { socket } = joined();
    socket.deliver({ type: "check", n: 7 });
    expect(socket.sent.at(-1)).toEqual({ type: "read", n: 7 });
  });

  test.each(["welcome", "messages", "you", "status"] as const)("a listener of %s may close it", (type) => {
    const { connection, socket, clock, events } = setUp({ credentials: GUEST });
    connection.on(type, () => connection.status !== "closed" && connection.close());
    socket.open();
    socket.deliver(welcome(run(1, 3)));
    socket.deliver(YOU);
    expect([connection.status, socket.closed, socket.reconnects, clock.waiting]).toEqual(["closed", true, 0, 0]);
    expect(last(events, "status")).toEqual({ type: "status", status: "closed", code: 1000 });
  });

  test("a listener that closes it at a hole in the log is obeyed", () => {
    const { connection, socket } = joined();
    connection.on("messages", () => connection.close());
    socket.deliver({ type: "update", messages: [message(4), message(6)] });
    expect([connection.status, socket.closed]).toEqual(["closed", true]);
  });

  test("what its owner closes was never offline, and what was lost has a code only if somebody gave one", () => {
    const { connection, socket, events } = joined();
    const told = () => events.splice(0).filter(({ type }) => type === "status");
    told();
    socket.lose(1000);
    expect(told()).toEqual([{ type: "status", status: "offline" }]);
    socket.open();
    socket.deliver(welcome([]));
    socket.lose(CLOSE.goingAway);
    expect(told().at(-1)).toEqual({ type: "status", status: "offline", code: CLOSE.goingAway });
    socket.open();
    socket.deliver(welcome([]));
    told();
    connection.close();
    expect(told()).toEqual([{ type: "status", status: "closed", code: 1000 }]);
  });

  test("one listener that throws does not keep an event from the others", () => {
    const thrown: unknown[] = [];
    const onUncaught = (error: unknown) => thrown.push(error);
    const { connection, socket, seqs } = setUp();
    connection.on("status", () => {
      throw new Error("A listener's own mistake.");
    });
    process.once("uncaughtException", onUncaught);
    socket.open();
    socket.deliver(welcome(run(1, 2)));
    expect(seqs()).toEqual([1, 2]);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      process.off("uncaughtException", onUncaught);
      expect(thrown).toHaveLength(1);
    });
  });
});

describe("identifying", () => {
  const CLAUDE: Credentials = { key: "mai_x", as: "claude" };
  const hellos = (socket: FakeSocket) => socket.sent.filter((frame) => frame.type === "hello");

  test.each(["at first", "once open", "while welcomed", "when welcomed"])(
    "a spectator becomes a participant by it, %s, and says hello once",
    (moment) => {
      const { connection, writer, socket } = setUp();
      const identifyAt = (now: string) => now === moment && connection.identify(CLAUDE);
      void writer.send("one", { id: "a" });
      connection.on("welcome", () => identifyAt("while welcomed"));
      identifyAt("at first");
      socket.open();
      identifyAt("once open");
      socket.deliver(welcome([]));
      identifyAt("when welcomed");
      expect(socket.sent).toEqual([{ type: "hello", ...CLAUDE }]);
      socket.deliver(YOU);
      expect(sends(socket)).toMatchObject([{ id: "a" }]);
      expect([hellos(socket).length, socket.reconnects]).toEqual([1, 0]);
    },
  );

  test.each(["before it is open", "with a hello on its way", "as a participant"])(
    "as somebody else, %s, takes a connection on which only they say hello",
    (moment) => {
      const { connection, writer, socket } = setUp({ credentials: GUEST });
      void writer.send("one", { id: "a" });
      if (moment !== "before it is open") socket.open();
      if (moment === "as a participant") {
        socket.deliver(welcome([]));
        socket.deliver(YOU);
      }
      void writer.send("two", { id: "b" });
      connection.identify({ guest: "b".repeat(22) });
      connection.identify(CLAUDE);
      socket.open();
      expect(socket.sent).toEqual([{ type: "hello", ...CLAUDE }]);
      socket.deliver(welcome([]));
      expect(sends(socket)).toEqual([]);
      socket.deliver(YOU);
      expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "b" }]);
    },
  );
});

describe("a hello that is refused", () => {
  test("for good, before or without a close: it is closed, with the room's code and words", () => {
    for (const code of ["unauthorized", "forbidden", "invalid", "not_found"] as const) {
      const { connection, socket, events, clock } = setUp({ credentials: GUEST });
      socket.open();
      socket.deliver({ type: "error", code, message: "No." });
      const error = { code, message: "No.", about: { type: "hello" } };
      expect(connection.error).toMatchObject(error);
      expect(last(events, "status")).toMatchObject({ status: "closed", error });
      expect([socket.closed, clock.waiting]).toEqual([true, 0]);
    }
  });

  test("by a close alone: it has the code of the protocol", () => {
    for (const [close, code] of [
      [CLOSE.unauthorized, "unauthorized"],
      [CLOSE.notFound, "not_found"],
      [CLOSE.deleted, "not_found"],
    ] as const) {
      const { connection, socket } = joined();
      socket.lose(close);
      expect(connection.error).toMatchObject({ code });
    }
  });

  test("for now: it says hello again when it was told, on the same connection", () => {
    const { connection, socket, clock } = setUp({ credentials: GUEST });
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver({ type: "error", code: "unavailable", message: "Not now.", retryAfter: 7 });
    clock.pass(6_999);
    expect(socket.sent).toHaveLength(1);
    clock.pass(1);
    expect(socket.sent).toEqual([
      { type: "hello", ...GUEST },
      { type: "hello", ...GUEST },
    ]);
    socket.deliver(YOU);
    expect([connection.isReady, socket.retries, socket.reconnects]).toEqual([true, 0, 0]);
  });

  test("for now, and closed with 1013: it comes back by itself, and says hello once", () => {
    const { connection, socket, clock } = setUp({ credentials: GUEST });
    socket.open();
    socket.deliver({ type: "identify" });
    socket.deliver({ type: "error", code: "unavailable", message: "Not now.", retryAfter: 5, about: "hello" });
    socket.lose(CLOSE.tryLater);
    expect([connection.status, connection.error, socket.closed]).toEqual(["offline", undefined, false]);
    socket.open();
    clock.pass(6_000);
    expect(socket.sent.filter(({ type }) => type === "hello")).toEqual([{ type: "hello", ...GUEST }]);
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(connection.isReady).toBe(true);
  });

  test("reconnect forgets the reason", () => {
    const { connection, socket } = joined();
    socket.lose(CLOSE.unauthorized);
    connection.reconnect();
    expect([connection.status, connection.error]).toEqual(["connecting", undefined]);
  });
});

describe("an id", () => {
  test("of a message, or a guest's secret, is as long as asked, of the letters that the protocol allows", () => {
    const ids = Array.from({ length: 200 }, () => randomId());
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(new Set(ids).size).toBe(200);
    expect(new Set(ids.join("")).size).toBe(64);
    expect(randomId(64)).toHaveLength(64);
  });
});

/** The beginning of an answer over a connection that breaks. */
const cutOff = (text: string) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.error(new TypeError("terminated"));
    },
  });

describe("pages", () => {
  const page = (answer: () => Response, asked: string[] = []) =>
    setUp({
      from: { after: 3, epoch: "e1" },
      deps: {
        fetch: async (url) => {
          asked.push(url);
          return answer();
        },
      },
    }).connection;
  const body = { messages: run(1, 2), head: 9, epoch: "e1", more: true };

  test("are asked for by cursor, within the history that the cursor is of", async () => {
    const asked: string[] = [];
    const connection = page(() => Response.json(body), asked);
    await expect(readPage(connection, { before: 3, limit: 2 })).resolves.toEqual(body);
    await readPage(connection);
    expect(asked).toEqual([
      "https://meet.example/api/rooms/lobby/messages?epoch=e1&before=3&limit=2",
      "https://meet.example/api/rooms/lobby/messages?",
    ]);
  });

  test("of another history are called so, whether the server says it or not", async () => {
    await expect(
      readPage(
        page(() => Response.json({ ...body, epoch: "e2" })),
        { before: 3 },
      ),
    ).resolves.toMatchObject({
      reset: true,
    });
    await expect(
      readPage(
        page(() => Response.json({ ...body, epoch: "e2", reset: true })),
        { after: 3 },
      ),
    ).resolves.toMatchObject({ reset: true });
  });

  test("that are refused have the server's code, those without an answer `unavailable`", async () => {
    const refusal = { error: { code: "not_found", message: "There is no such room." } };
    await expect(readPage(page(() => Response.json(refusal, { status: 404 })))).rejects.toMatchObject({
      code: "not_found",
      message: "There is no such room.",
    });
    const unreachable = page(() => {
      throw new TypeError("fetch failed");
    });
    await expect(readPage(unreachable)).rejects.toMatchObject({ code: "unavailable", message: "fetch failed" });
  });

  test.each([
    ["ends in the middle", () => cutOff('{"messages":[')],
    ["comes from something else than the server", () => "<h1>Sign in to this network</h1>"],
  ])("of which the answer %s are `unavailable`, as without an answer", async (_, answer) => {
    const source = page(() => new Response(answer()));
    await expect(readPage(source)).rejects.toMatchObject({ name: "RoomError", code: "unavailable" });
  });

  test("that never come are given up: their signal ends the wait, and so does half a minute", async () => {
    const source = setUp({
      deps: {
        fetch: (_, init) =>
          new Promise((_, reject) => {
            init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          }),
      },
    }).connection;
    const [over, late] = [new AbortController(), new AbortController()];
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(late.signal);
    const stopped = readPage(source, { signal: over.signal });
    const waiting = readPage(source);
    over.abort(new Error("Enough."));
    await expect(stopped).rejects.toThrow("Enough.");
    late.abort(new DOMException("The operation timed out.", "TimeoutError"));
    await expect(waiting).rejects.toMatchObject({ name: "RoomError", code: "unavailable" });
    expect(timeout).toHaveBeenCalledWith(30_000);
    timeout.mockRestore();
  });
});
