import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLOSE, FINAL_CLOSE_CODES, HEARTBEAT, type Message, PONG } from "../../party/protocol.ts";
import { FakeClock, FakeSocket, message, run, welcome } from "./fake-socket.ts";
import type { Credentials, RoomClientOptions } from "./room-client.ts";
import { RoomClient, randomId } from "./room-client.ts";
import type { RoomEvent } from "./room-event.ts";

const QUOTA = { limit: 5, remaining: 5, window: 60 };
const YOU = { type: "you", sender: "~brisk-lynx-4f2a9c", owner: false, quota: QUOTA } as const;
const GUEST: Credentials = { guest: "a".repeat(22) };

function setUp(options: Partial<RoomClientOptions> = {}) {
  let socket: FakeSocket | undefined;
  const clock = new FakeClock();
  const client = new RoomClient({
    server: "https://meet.example/",
    room: "lobby",
    ...options,
    deps: {
      clock,
      connect: (options) => {
        socket = new FakeSocket(options);
        return socket;
      },
      ...options.deps,
    },
  });
  const events: RoomEvent[] = [];
  client.subscribe((event) => events.push(event));
  const heard: Message[] = [];
  client.on("messages", ({ messages }) => heard.push(...messages));
  return { client, socket: socket as FakeSocket, clock, events, heard, seqs: () => heard.map(({ seq }) => seq) };
}

/** A participant, welcomed. */
function joined() {
  const room = setUp({ credentials: GUEST });
  room.socket.open();
  room.socket.deliver(welcome(run(1, 3)));
  room.socket.deliver(YOU);
  return room;
}

const last = (events: RoomEvent[], type: RoomEvent["type"]) => events.findLast((event) => event.type === type);
const sends = (socket: FakeSocket) => socket.sent.filter((frame) => frame.type === "send");

describe("resume", () => {
  test("a first connection asks for nothing, a later one for what came after", () => {
    const { socket, seqs } = joined();
    socket.lose();
    socket.open();
    expect(socket.urls).toEqual([
      "wss://meet.example/api/rooms/lobby/ws",
      "wss://meet.example/api/rooms/lobby/ws?after=3&epoch=e1",
    ]);
    socket.deliver(welcome(run(4, 5)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5]);
  });

  test("nothing is heard twice, in whatever frames it comes again", () => {
    const { socket, seqs } = joined();
    socket.deliver({ type: "update", messages: run(2, 4) });
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(3, 6)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a hole in the log starts the connection over from before it", () => {
    const { socket, seqs } = joined();
    socket.deliver({ type: "update", messages: [message(4), message(6)] });
    expect(socket.reconnects).toBe(1);
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=4");
    socket.deliver(welcome(run(5, 6)));
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
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
          const { reconnects } = socket;
          if (step.kind === "deliver") {
            socket.deliver({ type: "update", messages: log.slice(step.from, step.from + step.count) });
          } else socket.lose();
          if (step.kind === "lose" || socket.reconnects > reconnects) {
            socket.open();
            answer();
          }
        }
        expect(seqs()).toEqual(log.slice(0, seqs().length).map(({ seq }) => seq));
      }),
    );
  });
});

describe("sending", () => {
  test("waits for welcome and name, then goes out in order", () => {
    const { client, socket } = setUp({ credentials: GUEST });
    void client.send("one", { id: "a" });
    void client.send("two", { id: "b", replyTo: 2 });
    socket.open();
    expect(socket.sent).toEqual([{ type: "hello", ...GUEST }]);
    socket.deliver(YOU);
    expect(sends(socket)).toEqual([]);
    socket.deliver(welcome(run(1, 3)));
    expect(sends(socket)).toEqual([
      { type: "send", id: "a", content: "one" },
      { type: "send", id: "b", content: "two", replyTo: 2 },
    ]);
  });

  test("is acknowledged by the message itself", async () => {
    const { client, socket, events } = joined();
    const sent = client.send("hello", { id: "a" });
    socket.deliver({ type: "update", messages: [message(4, { id: "a", sender: YOU.sender })] });
    await expect(sent).resolves.toBe(4);
    expect(last(events, "pending")).toMatchObject({ pending: [] });
  });

  test("sent twice while it is on its way, a message goes out once, and both who sent it hear of it", async () => {
    const { client, socket } = joined();
    const promises = [client.send("Hello.", { id: "a" }), client.send("Hello.", { id: "a" })];
    await expect(client.send("Something else.", { id: "a" })).rejects.toMatchObject({ code: "conflict" });
    expect(sends(socket)).toHaveLength(1);
    socket.deliver({ type: "ack", id: "a", seq: 7 });
    expect(await Promise.all(promises)).toEqual([7, 7]);
  });

  test("somebody else's message with the same id acknowledges nothing", () => {
    const { client, socket, events } = joined();
    void client.send("hello", { id: "a" });
    socket.deliver({ type: "update", messages: [message(4, { id: "a" })] });
    expect(last(events, "pending")).toMatchObject({ pending: [{ id: "a", state: "sent" }] });
  });

  test("a message that arrived before the connection broke is not sent again", async () => {
    const { client, socket } = joined();
    const sent = client.send("hello", { id: "a" });
    socket.lose();
    socket.open();
    socket.deliver(welcome([message(4, { id: "a", sender: YOU.sender })]));
    socket.deliver(YOU);
    await expect(sent).resolves.toBe(4);
    expect(sends(socket)).toEqual([]);
  });

  test("one that did not arrive goes out again under its id, and an ack settles it", async () => {
    const { client, socket } = joined();
    const sent = client.send("hello", { id: "a" });
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(sends(socket)).toEqual([{ type: "send", id: "a", content: "hello" }]);
    socket.deliver({ type: "ack", id: "a", seq: 2 });
    await expect(sent).resolves.toBe(2);
  });

  test("over quota it waits as long as it was told, keeps what comes after it back, and then goes out in order", () => {
    const { client, socket, clock, events } = joined();
    void client.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    expect(last(events, "pending")).toMatchObject({ heldUntil: clock.now() + 12_000, pending: [{ state: "held" }] });
    void client.send("two", { id: "b" });
    clock.pass(11_999);
    expect(sends(socket)).toHaveLength(1);
    clock.pass(1);
    expect(sends(socket).slice(1)).toMatchObject([{ id: "a" }, { id: "b" }]);
  });

  test("what a quota holds goes out in time also when the connection was lost meanwhile", () => {
    const { client, socket, clock } = joined();
    void client.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    clock.pass(11_999);
    expect(sends(socket)).toEqual([]);
    clock.pass(1);
    expect(sends(socket)).toMatchObject([{ id: "a" }]);
  });

  test("a refusal that names no time to wait starts no storm", () => {
    const { client, socket } = joined();
    void client.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "unavailable", message: "", id: "a", retryAfter: 0 });
    expect(sends(socket)).toHaveLength(1);
  });

  test("a refusal for good rejects and stays in sight until it is retried or taken back", async () => {
    const { client, socket, events } = joined();
    const sent = client.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "muted", message: "You are muted.", id: "a" });
    await expect(sent).rejects.toMatchObject({ code: "muted" });
    expect(last(events, "pending")).toMatchObject({
      pending: [{ id: "a", state: "failed", error: { code: "muted" } }],
    });
    client.retry("a");
    expect(sends(socket)).toHaveLength(2);
    client.discard("a");
    expect(last(events, "pending")).toMatchObject({ pending: [] });
  });

  test("what no room would take is refused at once", async () => {
    const { client } = joined();
    await expect(client.send("  ")).rejects.toMatchObject({ code: "invalid" });
    await expect(client.send("x".repeat(20_000))).rejects.toMatchObject({ code: "too_large" });
  });

  test("a draft is said again as a whole after a reconnect, and ends with its message", () => {
    const { client, socket } = joined();
    client.draft("d", "Once ");
    client.draft("d", "upon");
    socket.lose();
    client.draft("d", " a time");
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent).toContainEqual({ type: "draft", id: "d", append: "Once upon a time" });
    void client.send("Once upon a time", { id: "d" });
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent.filter((frame) => frame.type === "draft")).toEqual([]);
  });
});

describe("the connection", () => {
  test("says what it is", () => {
    const { client, socket, events } = setUp();
    expect(client.status).toBe("connecting");
    socket.open();
    socket.deliver(welcome([]));
    expect(client.status).toBe("open");
    socket.lose();
    expect(client.status).toBe("offline");
    socket.lose(CLOSE.deleted);
    expect(last(events, "status")).toEqual({ type: "status", status: "closed", code: CLOSE.deleted });
  });

  test("closed for good it stays away, until it is told to come back", () => {
    for (const code of FINAL_CLOSE_CODES) {
      const { client, socket, clock, events } = joined();
      socket.lose(code);
      expect([client.status, socket.reconnects, clock.waiting]).toEqual(["closed", 0, 0]);
      client.reconnect();
      expect(last(events, "status")).toEqual({ type: "status", status: "connecting" });
      socket.open();
      socket.deliver(welcome([]));
      expect(client.status).toBe("open");
    }
  });

  test("that a connection is dropped is told at once, and what was on its way goes out in order with the next", () => {
    const { client, socket, events } = joined();
    void client.send("one", { id: "a" });
    void client.send("two", { id: "b" });
    client.reconnect();
    expect(last(events, "status")).toEqual({ type: "status", status: "offline" });
    void client.send("three", { id: "c" });
    expect(last(events, "pending")).toMatchObject({ pending: [{ state: "queued" }, {}, { state: "queued" }] });
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    socket.deliver(YOU);
    expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "b" }, { id: "c" }]);
  });

  test("whoever hears that it is lost can already count on it", () => {
    const { client, socket } = joined();
    const deleted: boolean[] = [];
    client.on("status", ({ status }) => {
      if (status !== "offline") return;
      deleted.push(client.delete(3));
      void client.send("one", { id: "a" });
    });
    client.reconnect();
    expect(deleted).toEqual([false]);
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent.filter(({ type }) => type !== "hello")).toMatchObject([{ type: "send", id: "a" }]);
  });

  test("a hole in the welcome itself opens nothing", () => {
    const { client, socket, seqs } = joined();
    socket.lose();
    socket.open();
    socket.deliver(welcome([message(4), message(6)]));
    expect(client.status).toBe("offline");
    socket.open();
    socket.deliver(welcome(run(5, 6)));
    expect([client.status, seqs()]).toEqual(["open", [1, 2, 3, 4, 5, 6]]);
  });

  test("pings, and gives up on a peer that is silent", () => {
    const { socket, clock, events } = joined();
    expect(socket.pings).toBe(1);
    clock.pass(HEARTBEAT.every);
    expect(socket.pings).toBe(2);
    socket.deliver(PONG);
    clock.pass(HEARTBEAT.deadAfter - 1);
    expect(socket.reconnects).toBe(0);
    clock.pass(HEARTBEAT.every);
    expect(socket.reconnects).toBe(1);
    expect(last(events, "status")).toEqual({ type: "status", status: "offline" });
  });

  test("answers a check with its number", () => {
    const { socket } = joined();
    socket.deliver({ type: "check", n: 7 });
    expect(socket.sent.at(-1)).toEqual({ type: "read", n: 7 });
  });

  test("closing gives back what is pending, rejects it, and leaves no timer behind", async () => {
    const { client, socket, clock } = joined();
    const sent = client.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    expect(client.close()).toMatchObject([{ id: "a", content: "one" }]);
    expect(socket.closed).toBe(true);
    expect(clock.waiting).toBe(0);
    expect(client.status).toBe("closed");
    await expect(sent).rejects.toMatchObject({ code: "unavailable" });
  });

  test.each(["welcome", "messages", "you", "status"] as const)("a listener of %s may close it", (type) => {
    const { client, socket, clock, events } = setUp({ credentials: GUEST });
    client.on(type, () => client.status !== "closed" && client.close());
    socket.open();
    socket.deliver(welcome(run(1, 3)));
    socket.deliver(YOU);
    expect([client.status, socket.closed, socket.reconnects, clock.waiting]).toEqual(["closed", true, 0, 0]);
    expect(last(events, "status")).toEqual({ type: "status", status: "closed", code: 1000 });
  });

  test("a listener that closes it at a hole in the log is obeyed", () => {
    const { client, socket } = joined();
    client.on("messages", () => client.close());
    socket.deliver({ type: "update", messages: [message(4), message(6)] });
    expect([client.status, socket.closed]).toEqual(["closed", true]);
  });

  test("what its owner closes was never offline, and what was lost has a code only if somebody gave one", () => {
    const { client, socket, events } = joined();
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
    client.close();
    expect(told()).toEqual([{ type: "status", status: "closed", code: 1000 }]);
  });

  test("closed for good, what is said afterwards is refused at once and in sight", async () => {
    const { client, socket, events } = joined();
    socket.lose(CLOSE.deleted);
    await expect(client.send("Too late", { id: "a" })).rejects.toMatchObject({ code: "unavailable" });
    expect(last(events, "pending")).toMatchObject({ pending: [{ id: "a", state: "failed" }] });
    const left = joined().client;
    left.close();
    await expect(left.send("Too late")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("closed for good, what is pending is refused and in sight", async () => {
    const { client, socket, events } = joined();
    const sent = client.send("one", { id: "a" });
    socket.lose(CLOSE.unauthorized);
    await expect(sent).rejects.toMatchObject({ code: "unavailable" });
    expect(last(events, "pending")).toMatchObject({ pending: [{ id: "a", state: "failed" }] });
  });

  test("a deletion says whether there was a connection for it", () => {
    const { client, socket } = joined();
    expect(client.delete(3)).toBe(true);
    socket.lose();
    expect(client.delete(3)).toBe(false);
  });

  test("a draft that the room has ended begins anew with its next piece, once", () => {
    const { client, socket } = joined();
    const own = { id: "d", sender: YOU.sender };
    client.draft("d", "Once ");
    socket.deliver({ type: "update", drafts: [{ ...own, append: "Once " }] });
    socket.deliver({ type: "update", drafts: [{ ...own, end: true }] });
    client.draft("d", "upon");
    // The room tells that what it had of the draft has ended, and then of the new beginning.
    socket.deliver({ type: "update", drafts: [{ ...own, end: true }] });
    client.draft("d", " a");
    socket.deliver({ type: "update", drafts: [{ ...own, append: "Once upon a" }] });
    client.draft("d", " time");
    expect(socket.sent.filter((frame) => frame.type === "draft")).toEqual([
      { type: "draft", id: "d", append: "Once " },
      { type: "draft", id: "d", append: "Once upon", whole: true },
      { type: "draft", id: "d", append: " a" },
      { type: "draft", id: "d", append: " time" },
    ]);
  });

  test("another's draft of the same id that ends is none of this client's", () => {
    const { client, socket } = joined();
    client.draft("d", "Once ");
    socket.deliver({ type: "update", drafts: [{ id: "d", sender: "swift-otter", end: true }] });
    client.draft("d", "upon");
    expect(socket.sent.at(-1)).toEqual({ type: "draft", id: "d", append: "upon" });
  });

  test("a draft that is begun by whoever hears their name is said once", () => {
    const { client, socket } = setUp({ credentials: GUEST });
    client.on("you", () => client.draft("d", "Hello"));
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent.filter(({ type }) => type === "draft")).toEqual([{ type: "draft", id: "d", append: "Hello" }]);
  });

  test("a draft that is taken back is not said again after a reconnect", () => {
    const { client, socket } = joined();
    client.draft("d", "Hello");
    client.discard("d");
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent.filter(({ type }) => type === "draft")).toEqual([]);
  });

  test("that somebody writes is said as soon as they have a name, and once", () => {
    const { client, socket } = setUp();
    socket.open();
    socket.deliver(welcome([]));
    client.identify(GUEST);
    client.draft("d", "");
    socket.deliver(YOU);
    const drafts = () => socket.sent.filter((frame) => frame.type === "draft");
    expect(drafts()).toEqual([{ type: "draft", id: "d", append: "" }]);
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(drafts()).toEqual([]);
  });

  test("that somebody writes is not said again by itself", () => {
    const { client, socket } = joined();
    client.draft("d", "");
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(socket.sent.filter((frame) => frame.type === "draft")).toEqual([]);
  });

  test("one listener that throws does not keep an event from the others", () => {
    const thrown: unknown[] = [];
    const onUncaught = (error: unknown) => thrown.push(error);
    const { client, socket, seqs } = setUp();
    client.on("status", () => {
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
      const { client, socket } = setUp();
      const identifyAt = (now: string) => now === moment && client.identify(CLAUDE);
      void client.send("one", { id: "a" });
      client.on("welcome", () => identifyAt("while welcomed"));
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
      const { client, socket } = setUp({ credentials: GUEST });
      void client.send("one", { id: "a" });
      if (moment !== "before it is open") socket.open();
      if (moment === "as a participant") {
        socket.deliver(welcome([]));
        socket.deliver(YOU);
      }
      void client.send("two", { id: "b" });
      client.identify({ guest: "b".repeat(22) });
      client.identify(CLAUDE);
      socket.open();
      expect(socket.sent).toEqual([{ type: "hello", ...CLAUDE }]);
      socket.deliver(welcome([]));
      expect(sends(socket)).toEqual([]);
      socket.deliver(YOU);
      expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "b" }]);
    },
  );
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

describe("pages", () => {
  test("are asked for by cursor", async () => {
    const asked: string[] = [];
    const { client } = setUp({
      deps: {
        fetch: async (url) => {
          asked.push(url);
          return Response.json({ messages: run(1, 2), head: 9, epoch: "e1", more: true });
        },
      },
    });
    await expect(client.page({ before: 3, limit: 2 })).resolves.toMatchObject({ head: 9, more: true });
    expect(asked).toEqual(["https://meet.example/api/rooms/lobby/messages?before=3&limit=2"]);
  });

  test("a refusal has the server's code", async () => {
    const body = { error: { code: "not_found", message: "There is no such room." } };
    const { client } = setUp({ deps: { fetch: async () => Response.json(body, { status: 404 }) } });
    await expect(client.page()).rejects.toMatchObject({ code: "not_found", message: "There is no such room." });
  });
});
