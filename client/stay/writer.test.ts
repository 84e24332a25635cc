import { describe, expect, test } from "vitest";
import { CLOSE, LIMITS } from "../../party/protocol.ts";
import type { Credentials } from "./credentials.ts";
import { comeBack, drafts, GUEST, joined, last, sends, setUp, YOU } from "./fake-room.ts";
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

  test("more than 10,000 that wait are not taken", async () => {
    const writer = new Writer(setUp({ credentials: GUEST }).connection);
    for (let index = 0; index < 10_000; index++) void writer.send("x", { id: `m${index}` });
    await expect(writer.send("x")).rejects.toMatchObject({ code: "rate_limited" });
  });

  test("an agent that lives long keeps nothing: 100,000 messages and 100,000 refusals", () => {
    const { connection, socket } = joined();
    const writer = new Writer(connection);
    let seq = 3;
    for (let index = 0; index < 100_000; index++) {
      writer.send("x", { id: `r${index}` }).catch(() => {});
      socket.deliver({ type: "error", code: "muted", message: "", id: `r${index}` });
      void writer.send("x", { id: `m${index}` });
      socket.deliver({ type: "update", messages: [message(++seq, { id: `m${index}`, sender: YOU.sender })] });
      socket.sent.length = 0;
    }
    expect(writer.close()).toEqual([]);
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

describe("what outlives a visit", () => {
  const kept = (storage = memoryStorage()) => ({ kept: new KeptMessages(storage, "pending"), storage });

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
    storage.set("pending", "{broken");
    expect(sends(joined({ kept: new KeptMessages(storage, "pending") }).socket)).toEqual([]);
  });
});

describe("deleting", () => {
  test("is done when the room tells it, or says that it was done", async () => {
    const { writer, socket } = joined();
    const [first, again, second] = [writer.delete(2), writer.delete(2), writer.delete(3)];
    expect(socket.sent).toContainEqual({ type: "delete", seq: 2 });
    expect(socket.sent).not.toContainEqual({ type: "delete", seq: 3 });
    socket.deliver({ type: "update", messages: [message(4, { kind: "deletion", target: 2, content: "" })] });
    await Promise.all([first, again]);
    expect(socket.sent.at(-1)).toEqual({ type: "delete", seq: 3 });
    socket.deliver({ type: "ack", id: "delete:3", seq: 5 });
    await second;
  });

  test("refused, it says what was refused, and the next one is asked for", async () => {
    const { writer, socket, events } = joined();
    const [first, second] = [writer.delete(2), writer.delete(3)];
    socket.deliver({ type: "error", code: "forbidden", message: "Not yours." });
    await expect(first).rejects.toMatchObject({ code: "forbidden", about: { type: "delete", seq: 2 } });
    expect(last(events, "error")?.error.about).toEqual({ type: "delete", seq: 2 });
    socket.deliver({ type: "error", code: "not_found", message: "" });
    await expect(second).rejects.toMatchObject({ code: "not_found", about: { type: "delete", seq: 3 } });
  });

  test("without a connection it waits for one", async () => {
    const { writer, socket } = joined();
    const before = writer.delete(1);
    socket.lose();
    const meanwhile = writer.delete(2);
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    socket.deliver({ type: "ack", id: "delete:1", seq: 4 });
    socket.deliver({ type: "ack", id: "delete:2", seq: 5 });
    await Promise.all([before, meanwhile]);
  });
});

describe("a draft", () => {
  test("of many tokens is 20 frames a second, and all of it arrives", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    for (let token = 0; token < 1_000; token++) {
      draft.write(`${token} `);
      clock.pass(1);
    }
    clock.pass(50);
    expect(drafts(socket).length).toBeLessThanOrEqual(21);
    expect(
      drafts(socket)
        .map(({ append }) => append)
        .join(""),
    ).toBe(draft.text);
  });

  test("begins anew over a new connection, as a whole, and ends with its message", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d", replyTo: 2 });
    draft.write("Once ");
    clock.pass(50);
    socket.lose();
    draft.write("upon a time");
    comeBack(socket);
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "Once upon a time" }]);
    void draft.end();
    expect(sends(socket)).toEqual([{ type: "send", id: "d", content: "Once upon a time", replyTo: 2 }]);
    comeBack(socket);
    expect([drafts(socket), sends(socket).length]).toEqual([[], 1]);
  });

  test("that nobody goes on with does not come back after it has lapsed, and is not kept", () => {
    const { writer, socket, clock } = joined();
    const abandoned = writer.draft({ id: "a" });
    abandoned.write("Half a");
    clock.pass(45_000);
    comeBack(socket);
    expect([drafts(socket), abandoned.hasLapsed]).toEqual([[], true]);
    abandoned.write(" thought");
    expect(drafts(socket)).toEqual([{ type: "draft", id: "a", append: "Half a thought" }]);
  });

  test("that is aborted is over", async () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hel");
    draft.write("lo");
    draft.abort();
    clock.pass(1_000);
    comeBack(socket);
    expect([drafts(socket), clock.waiting]).toEqual([[], 1]);
    expect(() => draft.write("!")).toThrow(expect.objectContaining({ code: "invalid" }));
    await expect(draft.end()).rejects.toMatchObject({ code: "invalid" });
  });

  test("a refusal of it is not the message's: that goes out again and arrives", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    const sent = draft.end();
    socket.deliver({ type: "error", code: "rate_limited", message: "Too many drafts.", id: "d", retryAfter: 60 });
    expect(sends(socket)).toHaveLength(2);
    socket.deliver({ type: "update", messages: [message(4, { id: "d", sender: YOU.sender })] });
    await expect(sent).resolves.toEqual({ id: "d", seq: 4 });
  });

  test("when it was the message that was refused, it is refused again, and that is believed", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    const sent = draft.end();
    const refusal = { type: "error", code: "muted", message: "", id: "d" } as const;
    socket.deliver(refusal);
    socket.deliver(refusal);
    await expect(sent).rejects.toMatchObject({ code: "muted" });
    expect(sends(socket)).toHaveLength(2);
  });

  test("whose pieces the room has told back can't be what a refusal means", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    socket.deliver({ type: "update", drafts: [{ id: "d", sender: YOU.sender, append: "Hello" }] });
    const sent = draft.end();
    socket.deliver({ type: "error", code: "muted", message: "", id: "d" });
    await expect(sent).rejects.toMatchObject({ code: "muted" });
    expect(sends(socket)).toHaveLength(1);
  });

  test("a server that says what a refusal is about is believed", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    const sent = draft.end();
    socket.deliver({ type: "error", code: "muted", message: "", id: "d", about: "send" } as never);
    await expect(sent).rejects.toMatchObject({ code: "muted" });
  });

  test("a refused piece is told, and nothing follows in its place until a new connection has the whole", () => {
    const { writer, socket, clock, events } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once ");
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "d" });
    draft.write("upon");
    clock.pass(100);
    expect(last(events, "error")?.error.about).toEqual({ type: "draft", id: "d" });
    expect(drafts(socket)).toHaveLength(1);
    comeBack(socket);
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "Once upon" }]);
  });

  test("longer than a message is not shown, not kept in memory, and can be ended by a shorter text", async () => {
    const { writer, socket } = joined();
    socket.lose();
    const draft = writer.draft({ id: "d" });
    for (let piece = 0; piece < 100; piece++) draft.write("ä".repeat(1_000));
    expect(draft.text.length).toBeLessThan(LIMITS.contentBytes + 10_000);
    expect(draft.bytesLeft).toBeLessThan(0);
    comeBack(socket);
    expect(drafts(socket)).toEqual([]);
    await expect(writer.send(draft.text, { id: "d" })).rejects.toMatchObject({ code: "too_large" });
    void draft.end("In short: yes.");
    expect(sends(socket)).toMatchObject([{ id: "d", content: "In short: yes." }]);
  });

  test.each([
    ['"', 1],
    ["\u0001", 0],
  ])("of %j alone, as long as a message may be: no frame that a room refuses for its length", (character, told) => {
    const { writer, socket } = joined();
    socket.lose();
    const draft = writer.draft({ id: "d" });
    draft.write(character.repeat(16_000));
    const frames: string[] = [];
    const { send } = socket;
    socket.send = (data) => {
      frames.push(data);
      send.call(socket, data);
    };
    comeBack(socket);
    expect(drafts(socket)).toHaveLength(told);
    expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThan(LIMITS.frameBytes);
  });

  test("halves of a character and of a line end are told together", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft();
    for (const piece of ["a\ud83d", "\ude00\r", "\nb"]) {
      draft.write(piece);
      clock.pass(50);
    }
    expect(
      drafts(socket)
        .map(({ append }) => append)
        .join(""),
    ).toBe("a\ud83d\ude00\r\nb");
  });

  test("that somebody writes is said as soon as they have a name, once, and not after a reconnect", () => {
    const { connection, writer, socket } = setUp();
    socket.open();
    socket.deliver(welcome([]));
    connection.identify(GUEST);
    writer.draft({ id: "d" }).write("");
    expect(drafts(socket)).toEqual([]);
    socket.deliver(YOU);
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "" }]);
    comeBack(socket);
    expect(drafts(socket)).toEqual([]);
  });

  test("that is begun by a listener that hears the name is said once", () => {
    const { connection, writer, socket } = setUp({ credentials: GUEST });
    connection.on("you", () => writer.draft({ id: "d" }).write("Hello"));
    socket.open();
    socket.deliver(welcome([]));
    socket.deliver(YOU);
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "Hello" }]);
  });

  test("that the room has ended begins anew with its next piece, once", () => {
    const { writer, socket, clock } = joined();
    const own = { id: "d", sender: YOU.sender };
    const draft = writer.draft({ id: "d" });
    const write = (piece: string) => {
      draft.write(piece);
      clock.pass(50);
    };
    write("Once ");
    socket.deliver({ type: "update", drafts: [{ ...own, append: "Once " }] });
    socket.deliver({ type: "update", drafts: [{ ...own, end: true }] });
    write("upon");
    // The room tells that what it had of the draft has ended, and then of the new beginning.
    socket.deliver({ type: "update", drafts: [{ ...own, end: true }] });
    write(" a");
    socket.deliver({ type: "update", drafts: [{ ...own, append: "Once upon a" }] });
    write(" time");
    expect(drafts(socket)).toEqual([
      { type: "draft", id: "d", append: "Once " },
      { type: "draft", id: "d", append: "Once upon", whole: true },
      { type: "draft", id: "d", append: " a" },
      { type: "draft", id: "d", append: " time" },
    ]);
  });

  test("another's of the same id that ends is none of this one's", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once ");
    clock.pass(50);
    socket.deliver({ type: "update", drafts: [{ id: "d", sender: "swift-otter", end: true }] });
    draft.write("upon");
    expect(drafts(socket).at(-1)).toEqual({ type: "draft", id: "d", append: "upon" });
  });

  test("10,000 abandoned ones leave nothing behind", () => {
    const { writer, socket, clock } = joined();
    for (let index = 0; index < 10_000; index++) {
      writer.draft().write("x");
      clock.pass(45_000);
      socket.sent.length = 0;
    }
    comeBack(socket);
    expect(drafts(socket)).toEqual([]);
  });
});
