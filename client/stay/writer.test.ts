import { describe, expect, test } from "vitest";
import { CLOSE } from "../../party/protocol.ts";
import type { Credentials } from "./credentials.ts";
import { comeBack, GUEST, joined, last, sends, setUp, YOU } from "./fake-room.ts";
import { message, run, welcome } from "./fake-socket.ts";
import { KeptMessages } from "./kept-messages.ts";
import { memoryStorage } from "./storage.ts";
import { Writer } from "./writer.ts";

describe("sending", () => {
  test("waits for welcome and name, then goes out in order", () => {
    const { writer, socket } = setUp({ credentials: GUEST });
    void writer.send("one", { id: "a" });
    void writer.send("two", { id: "b", replyTo: 2 });
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
    const { writer, socket, events } = joined();
    const sent = writer.send("hello", { id: "a" });
    socket.deliver({ type: "update", messages: [message(4, { id: "a", sender: YOU.sender })] });
    await expect(sent).resolves.toEqual({ id: "a", seq: 4 });
    expect(last(events, "pending")).toMatchObject({ pending: [] });
  });

  test("sent twice while it is on its way, a message goes out once, and both who sent it hear of it", async () => {
    const { writer, socket } = joined();
    const promises = [writer.send("Hello.", { id: "a" }), writer.send("Hello.", { id: "a" })];
    await expect(writer.send("Something else.", { id: "a" })).rejects.toMatchObject({ code: "conflict" });
    expect(sends(socket)).toHaveLength(1);
    socket.deliver({ type: "ack", id: "a", seq: 7 });
    expect(await Promise.all(promises)).toEqual([
      { id: "a", seq: 7 },
      { id: "a", seq: 7 },
    ]);
  });

  test("somebody else's message with the same id acknowledges nothing", () => {
    const { writer, socket, events } = joined();
    void writer.send("hello", { id: "a" });
    socket.deliver({ type: "update", messages: [message(4, { id: "a" })] });
    expect(last(events, "pending")).toMatchObject({ pending: [{ id: "a", state: "sent" }] });
  });

  test("a message that arrived before the connection broke is not sent again", async () => {
    const { writer, socket } = joined();
    const sent = writer.send("hello", { id: "a" });
    socket.lose();
    socket.open();
    socket.deliver(welcome([message(4, { id: "a", sender: YOU.sender })]));
    socket.deliver(YOU);
    await expect(sent).resolves.toEqual({ id: "a", seq: 4 });
    expect(sends(socket)).toEqual([]);
  });

  test("one that did not arrive goes out again under its id, and an ack settles it", async () => {
    const { writer, socket } = joined();
    const sent = writer.send("hello", { id: "a" });
    socket.lose();
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(sends(socket)).toEqual([{ type: "send", id: "a", content: "hello" }]);
    socket.deliver({ type: "ack", id: "a", seq: 2 });
    await expect(sent).resolves.toEqual({ id: "a", seq: 2 });
  });

  test("over quota it waits as long as it was told, keeps what comes after it back, and then goes out in order", () => {
    const { writer, socket, clock, events } = joined();
    void writer.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    expect(last(events, "pending")).toMatchObject({ heldUntil: clock.now() + 12_000, pending: [{ state: "held" }] });
    void writer.send("two", { id: "b" });
    clock.pass(11_999);
    expect(sends(socket)).toHaveLength(1);
    clock.pass(1);
    socket.deliver({ type: "ack", id: "a", seq: 4 });
    expect(sends(socket).slice(1)).toMatchObject([{ id: "a" }, { id: "b" }]);
  });

  test("what a quota holds goes out in time also when the connection was lost meanwhile", () => {
    const { writer, socket, clock } = joined();
    void writer.send("one", { id: "a" });
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

  test("what a quota holds goes out also when the timer comes a moment early, and its time in that moment", () => {
    const { writer, socket, clock } = joined();
    void writer.send("one", { id: "a" });
    clock.early = 0.2;
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    clock.reading = 0.3;
    clock.pass(12_001);
    expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "a" }]);
  });

  test("a refusal that names no time to wait starts no storm", () => {
    const { writer, socket } = joined();
    void writer.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "unavailable", message: "", id: "a", retryAfter: 0 });
    expect(sends(socket)).toHaveLength(1);
  });

  test("of two refusals the longer wait counts", () => {
    const { writer, socket, clock, events } = joined();
    for (const id of ["a", "b"]) void writer.send(id, { id });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 30 });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "b", retryAfter: 5 });
    expect(last(events, "pending")?.heldUntil).toBe(clock.now() + 30_000);
    clock.pass(29_999);
    expect(sends(socket)).toHaveLength(2);
  });

  test("after a refusal that passes the first goes out alone: the room could take a later one before it", () => {
    const { writer, socket, clock } = joined();
    for (const id of ["a", "b", "c"]) void writer.send(id, { id });
    for (const id of ["a", "b", "c"]) socket.deliver({ type: "error", code: "unavailable", message: "", id });
    socket.sent.length = 0;
    clock.pass(5_000);
    expect(sends(socket)).toMatchObject([{ id: "a" }]);
    socket.deliver({ type: "error", code: "unavailable", message: "", id: "a" });
    clock.pass(5_000);
    expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "a" }]);
    socket.deliver({ type: "update", messages: [message(4, { id: "a", sender: YOU.sender })] });
    expect(sends(socket).slice(2)).toMatchObject([{ id: "b" }, { id: "c" }]);
  });

  test.each(["by discard", "by its signal"])("the next goes out when the first is taken back %s", (how) => {
    const { writer, socket, clock } = joined();
    const over = new AbortController();
    for (const id of ["a", "b", "c"])
      writer.send(id, { id, signal: id === "a" ? over.signal : undefined }).catch(() => {});
    socket.deliver({ type: "error", code: "unavailable", message: "", id: "a" });
    socket.sent.length = 0;
    clock.pass(5_000);
    comeBack(socket);
    expect(sends(socket)).toMatchObject([{ id: "a" }]);
    if (how === "by discard") writer.discard("a");
    else over.abort();
    expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "b" }]);
  });

  test("a refusal for good rejects, is told with the message, and leaves nothing behind", async () => {
    const { writer, socket, events } = joined();
    const sent = writer.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "muted", message: "You are muted.", id: "a" });
    await expect(sent).rejects.toMatchObject({ code: "muted", about: { type: "send", id: "a" } });
    expect(last(events, "refused")?.message).toMatchObject({ id: "a", content: "one", state: "failed" });
    expect(last(events, "error")?.error).toMatchObject({ code: "muted", about: { type: "send", id: "a" } });
    expect(writer.close()).toEqual([]);
  });

  test("a refused message can be sent again under its id", async () => {
    const { writer, socket } = joined();
    writer.send("one", { id: "a" }).catch(() => {});
    socket.deliver({ type: "error", code: "muted", message: "", id: "a" });
    const again = writer.send("one", { id: "a" });
    expect(sends(socket)).toHaveLength(2);
    socket.deliver({ type: "ack", id: "a", seq: 9 });
    await expect(again).resolves.toEqual({ id: "a", seq: 9 });
  });

  test.each([
    ["an id that no message can have", () => joined().writer.send("one", { id: "not:valid" }), "invalid"],
    ["a seq that is none", () => joined().writer.send("one", { replyTo: 1.5 }), "invalid"],
    ["nothing", () => joined().writer.send("  "), "invalid"],
    ["too much", () => joined().writer.send("x".repeat(20_000)), "too_large"],
    ["a deletion of nothing", () => joined().writer.delete(0), "invalid"],
  ])("%s is refused at once", async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
    expect(() => joined().writer.draft({ id: "not:valid" })).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("a signal takes a message back that is waiting, and leaves one alone that has arrived", async () => {
    const { writer, socket, events } = setUp({ credentials: GUEST });
    const waiting = new AbortController();
    const sent = writer.send("one", { id: "a", signal: waiting.signal });
    waiting.abort(new Error("Enough."));
    await expect(sent).rejects.toThrow("Enough.");
    expect(last(events, "pending")?.pending).toEqual([]);
    await expect(writer.send("two", { signal: waiting.signal })).rejects.toThrow("Enough.");
    const late = new AbortController();
    const arrived = writer.send("three", { id: "c", signal: late.signal });
    socket.deliver({ type: "ack", id: "c", seq: 7 });
    late.abort();
    await expect(arrived).resolves.toEqual({ id: "c", seq: 7 });
  });

  test("of two who sent the same message the one who gives up leaves the other's alone; when both have, it is taken back", async () => {
    const { writer, socket } = setUp({ credentials: GUEST });
    const callers = [new AbortController(), new AbortController()];
    const send = (index: number) => writer.send("Hello.", { id: "a", signal: callers[index]?.signal });
    const both = [send(0), send(1)];
    callers[0]?.abort(new Error("Not any more."));
    await expect(both[0]).rejects.toThrow("Not any more.");
    // A conflict is no wait for the message.
    const other = new AbortController();
    const refused = writer.send("Another.", { id: "a", signal: other.signal });
    other.abort();
    await expect(refused).rejects.toMatchObject({ code: "conflict" });
    socket.open();
    socket.deliver(welcome(run(1, 3)));
    socket.deliver(YOU);
    expect(sends(socket)).toEqual([{ type: "send", id: "a", content: "Hello." }]);
    socket.lose();
    callers[1]?.abort(new Error("Nor here."));
    await expect(both[1]).rejects.toThrow("Nor here.");
    expect(writer.close()).toEqual([]);
  });

  test("a signal that comes too late does not take back another message of the same id", () => {
    const { writer, socket } = joined();
    const late = new AbortController();
    writer.send("one", { id: "a", signal: late.signal }).catch(() => {});
    writer.discard("a");
    writer.send("two", { id: "a" }).catch(() => {});
    late.abort();
    comeBack(socket);
    expect(sends(socket)).toEqual([{ type: "send", id: "a", content: "two" }]);
  });

  test("more than 10,000 that wait are not taken", async () => {
    const writer = new Writer(setUp({ credentials: GUEST }).connection);
    for (let index = 0; index < 10_000; index++) void writer.send("x", { id: `m${index}` });
    await expect(writer.send("x")).rejects.toMatchObject({ code: "rate_limited" });
  });
});

describe("the end", () => {
  test("what is pending is rejected as pending, and given back", async () => {
    const { writer, socket, clock } = joined();
    const sent = writer.send("one", { id: "a" });
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "a", retryAfter: 12 });
    const second = writer.send("two", { id: "b" });
    expect(writer.close()).toMatchObject([{ id: "a", content: "one" }, { id: "b" }]);
    await expect(sent).rejects.toMatchObject({ code: "unavailable", pending: false });
    await expect(second).rejects.toMatchObject({ code: "unavailable", pending: false });
    await expect(writer.send("three")).rejects.toMatchObject({ code: "unavailable" });
    expect(clock.waiting).toBe(1); // The heartbeat of the connection, which goes on.
  });

  test("one that is on its way may have arrived: that is said", async () => {
    const { writer } = joined();
    const sent = writer.send("one", { id: "a" });
    writer.close();
    await expect(sent).rejects.toMatchObject({ pending: true, about: { type: "send", id: "a" } });
  });

  test("closed by the room, everything is refused with the room's reason, then and afterwards", async () => {
    const { writer, socket, events } = joined();
    const sent = writer.send("one", { id: "a" });
    const deleted = writer.delete(2);
    socket.deliver({ type: "error", code: "unauthorized", message: "This key is not valid." });
    socket.lose(CLOSE.unauthorized);
    for (const refused of [sent, deleted, writer.send("Too late", { id: "b" }), writer.delete(3)]) {
      await expect(refused).rejects.toMatchObject({ code: "unauthorized", pending: false });
    }
    expect(last(events, "refused")?.message).toMatchObject({ id: "b", state: "failed" });
  });
});

describe("a name that has to wait", () => {
  test("holds what is sent until the room is asked again, and says why", async () => {
    const { writer, socket, clock, events } = setUp({ credentials: GUEST });
    void writer.send("one", { id: "a" });
    socket.open();
    socket.deliver(welcome(run(1, 3)));
    const refusal = { code: "rate_limited", message: "Too many guests.", retryAfter: 30 } as const;
    socket.deliver({ type: "error", about: "hello", ...refusal });
    void writer.send("two", { id: "b" });
    expect(last(events, "delayed")?.error).toMatchObject({ ...refusal, about: { type: "hello" } });
    expect(last(events, "pending")).toMatchObject({
      heldUntil: clock.now() + 30_000,
      pending: [{ state: "held" }, { state: "held" }],
    });
    clock.pass(30_000);
    expect(socket.sent.filter(({ type }) => type === "hello")).toHaveLength(2);
    socket.deliver(YOU);
    expect(sends(socket)).toMatchObject([{ id: "a" }, { id: "b" }]);
  });
});

describe("what outlives a visit", () => {
  const kept = (storage = memoryStorage()) => ({ kept: new KeptMessages(storage, "pending"), storage });

  test("an answer is one again after a reload", () => {
    const { storage, ...options } = kept();
    const first = joined(options);
    void first.writer.send("Yes", { id: "a", replyTo: 2, answer: { target: 2, option: "yes" } });
    const second = joined({ kept: new KeptMessages(storage, "pending") });
    expect(sends(second.socket)).toEqual([{ type: "send", id: "a", answer: { target: 2, option: "yes" } }]);
  });

  test("messages on their way go out with the next, under their ids, once", () => {
    const { storage, ...options } = kept();
    const first = joined(options);
    void first.writer.send("one", { id: "a", replyTo: 2 });
    first.writer.close();
    const second = joined({ kept: new KeptMessages(storage, "pending") });
    expect(sends(second.socket)).toEqual([{ type: "send", id: "a", content: "one", replyTo: 2 }]);
    second.socket.deliver({ type: "ack", id: "a", seq: 4 });
    second.writer.close();
    const third = joined({ kept: new KeptMessages(storage, "pending") });
    expect(sends(third.socket)).toEqual([]);
  });

  test("go out before what the next has written by then, in the order in which all was written", () => {
    const { storage, ...options } = kept();
    const first = joined(options);
    for (const id of ["a", "b"]) void first.writer.send(id, { id });
    first.writer.close();
    const second = setUp({ credentials: GUEST, kept: new KeptMessages(storage, "pending") });
    for (const id of ["c", "d"]) second.writer.send(id, { id }).catch(() => {});
    second.writer.close();
    const third = setUp({ credentials: GUEST, kept: new KeptMessages(storage, "pending") });
    void third.writer.send("e", { id: "e" });
    const welcomed = () => {
      third.socket.open();
      third.socket.deliver(YOU);
      third.socket.deliver(welcome(run(1, 3)));
      return sends(third.socket).map(({ id }) => id);
    };
    expect(welcomed()).toEqual(["a", "b", "c", "d", "e"]);
    third.socket.lose();
    expect(welcomed()).toEqual(["a", "b", "c", "d", "e"]);
    const since = last(third.events, "pending")?.pending.map((message) => message.since) ?? [];
    expect(since).toEqual([...since].sort());
  });

  test("what was written before the room had said who sends goes out for the same credentials, and for no others", () => {
    const storage = memoryStorage();
    const visit = (credentials: Credentials) => setUp({ credentials, kept: new KeptMessages(storage, "pending") });
    const offline = visit(GUEST);
    void offline.writer.send("written as a guest", { id: "a" });
    offline.writer.close();
    const welcomed = (credentials: Credentials, sender: string) => {
      const { socket, writer } = visit(credentials);
      socket.open();
      socket.deliver({ ...YOU, sender });
      socket.deliver(welcome(run(1, 3)));
      const sent = sends(socket);
      writer.close();
      return sent;
    };
    const key = `mai_${"k".repeat(24)}`;
    expect(welcomed({ key }, "swift-otter")).toEqual([]);
    expect(welcomed(GUEST, YOU.sender)).toEqual([{ type: "send", id: "a", content: "written as a guest" }]);
    for (const secret of [key, ...("guest" in GUEST ? [GUEST.guest] : [])])
      expect(storage.get("pending")).not.toContain(secret);
  });

  test("what is written for other credentials than before is not kept under the name before", () => {
    const { kept: messages, storage } = kept();
    const { writer, connection } = joined({ kept: messages });
    connection.identify({ key: `mai_${"k".repeat(24)}` });
    void writer.send("with the key", { id: "a" });
    writer.close();
    expect(sends(joined({ kept: new KeptMessages(storage, "pending") }).socket)).toEqual([]);
  });

  test("one that the room has refused does not come back", () => {
    const { storage, ...options } = kept();
    const first = joined(options);
    first.writer.send("one", { id: "a" }).catch(() => {});
    first.socket.deliver({ type: "error", code: "muted", message: "", id: "a" });
    first.writer.close();
    expect(storage.get("pending")).toBeUndefined();
  });

  test("a rejection for what is kept says that it is pending", async () => {
    const { writer, socket } = joined(kept());
    socket.lose();
    const sent = writer.send("one");
    writer.close();
    await expect(sent).rejects.toMatchObject({ pending: true });
  });

  test("what two stays in one room have left is not taken from each other", () => {
    const storage = memoryStorage();
    const rooms = [1, 2].map(() => joined({ kept: new KeptMessages(storage, "pending") }));
    for (const [index, { writer }] of rooms.entries()) void writer.send(`from ${index}`, { id: `m${index}` });
    for (const { writer } of rooms) writer.close();
    const next = joined({ kept: new KeptMessages(storage, "pending") });
    expect(sends(next.socket)).toMatchObject([{ id: "m0" }, { id: "m1" }]);
  });

  test("somebody else's are left alone, broken ones are forgotten", () => {
    const { storage, ...options } = kept();
    storage.set("pending", JSON.stringify([{ id: "a", content: "mine", sender: "~quiet-heron-111111" }]));
    expect(sends(joined(options).socket)).toEqual([]);
    for (const broken of ["{broken", JSON.stringify([{ id: "not:valid", content: "mine", sender: YOU.sender }])]) {
      storage.set("pending", broken);
      expect(sends(joined({ kept: new KeptMessages(storage, "pending") }).socket)).toEqual([]);
    }
  });
});
