import { describe, expect, test } from "vitest";
import { LIMITS, PONG } from "../../party/protocol.ts";
import { comeBack, drafts, GUEST, joined, last, sends, setUp, YOU } from "./fake-room.ts";
import { message, welcome } from "./fake-socket.ts";

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
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "Once upon a time", replyTo: 2 }]);
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
    expect(drafts(socket)).toEqual([{ type: "draft", id: "a", append: "Half a thought", whole: true }]);
  });

  test.each(["as the room told", "which the room is about to tell", "after which another began"])(
    "that goes on after 45 s of silence shows its whole text again, %s",
    (how) => {
      const { writer, socket, clock } = joined();
      const own = { id: "d", sender: YOU.sender };
      const draft = writer.draft({ id: "d", replyTo: 2 });
      draft.write("Once upon");
      socket.deliver({ type: "update", drafts: [{ ...own, append: "Once upon" }] });
      for (let pings = 0; pings < 5; pings++) {
        clock.pass(9_000);
        socket.deliver(PONG);
      }
      const end = () => socket.deliver({ type: "update", drafts: [{ ...own, end: true }] });
      if (how === "as the room told") end();
      if (how === "after which another began") writer.draft();
      draft.write(" a");
      if (how === "which the room is about to tell") end();
      socket.deliver({ type: "update", drafts: [{ ...own, append: "Once upon a" }] });
      clock.pass(50);
      draft.write(" time");
      expect(drafts(socket).slice(1)).toEqual([
        { type: "draft", id: "d", append: "Once upon a", whole: true, replyTo: 2 },
        { type: "draft", id: "d", append: " time" },
      ]);
    },
  );

  test("that goes on after its silence without a connection is told with the next one", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once upon");
    clock.pass(45_000);
    writer.draft();
    socket.lose();
    draft.write(" a time");
    comeBack(socket);
    expect(drafts(socket)).toEqual([{ type: "draft", id: "d", append: "Once upon a time", whole: true }]);
  });

  test("of which a piece was refused is taken from the others' sight when it is aborted: they have those before", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once ");
    clock.pass(50);
    draft.write("upon");
    socket.deliver({ type: "error", code: "muted", message: "", about: "draft", id: "d" });
    draft.abort();
    expect(drafts(socket).at(-1)).toEqual({ type: "draft", id: "d", append: "", end: true });
  });

  test("of which a part was not kept is refused as a whole, though the beginning would fit", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    // Line breaks of two characters: a message keeps one of them.
    for (const piece of ["line\r\n".repeat(2_800), "The end."]) draft.write(piece);
    await expect(draft.end()).rejects.toMatchObject({ code: "too_large", about: { type: "send", id: "d" } });
    expect(sends(socket)).toEqual([]);
  });

  test("of characters that come by halves has as many bytes as its text", () => {
    const { writer } = joined();
    const draft = writer.draft();
    for (let count = 0; count < 4_000; count++) {
      draft.write("\ud83d");
      draft.write("\ude42");
    }
    expect(draft.bytesLeft).toBe(16 * 1_024 - 4 * 4_000);
    expect(draft.text).toBe("🙂".repeat(4_000));
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

  test("says what it answers when it begins, and when it begins anew", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d", replyTo: 2 });
    for (const piece of ["", "Once ", "upon "]) {
      draft.write(piece);
      clock.pass(50);
    }
    socket.deliver({ type: "update", drafts: [{ id: "d", sender: YOU.sender, end: true }] });
    draft.write("a");
    expect(drafts(socket)).toEqual([
      { type: "draft", id: "d", append: "", replyTo: 2 },
      { type: "draft", id: "d", append: "Once " },
      { type: "draft", id: "d", append: "upon " },
      { type: "draft", id: "d", append: "Once upon a", whole: true, replyTo: 2 },
    ]);
  });

  test("that is aborted is taken from the others' sight, once, if they have seen it", () => {
    const { writer, socket, clock } = joined();
    writer.draft({ id: "unseen" }).abort();
    expect(drafts(socket)).toEqual([]);
    const draft = writer.draft({ id: "d" });
    draft.write("Once");
    draft.abort();
    draft.abort();
    clock.pass(1_000);
    expect(drafts(socket)).toEqual([
      { type: "draft", id: "d", append: "Once" },
      { type: "draft", id: "d", append: "", end: true },
    ]);
  });

  test("whose message is refused for good is taken from the others' sight; one whose message is sent is not", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once");
    const sent = draft.end();
    socket.deliver({ type: "error", code: "muted", message: "", about: "send", id: "d" });
    await expect(sent).rejects.toMatchObject({ code: "muted" });
    expect(drafts(socket).at(-1)).toEqual({ type: "draft", id: "d", append: "", end: true });
    const other = writer.draft({ id: "e" });
    other.write("Once");
    const arrived = other.end();
    socket.deliver({ type: "ack", id: "e", seq: 4 });
    await arrived;
    expect(drafts(socket).at(-1)).toEqual({ type: "draft", id: "e", append: "Once" });
  });

  test("is over when its message is sent by its id", () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Once");
    void writer.send("Once upon a time", { id: "d" });
    expect(() => draft.write("!")).toThrow(expect.objectContaining({ code: "invalid" }));
    clock.pass(50);
    expect(socket.sent.slice(1)).toEqual([
      { type: "draft", id: "d", append: "Once" },
      { type: "send", id: "d", content: "Once upon a time" },
    ]);
  });

  test("refused is not its message refused, and the other way round", async () => {
    const { writer, socket } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    const sent = draft.end();
    socket.deliver({ type: "error", code: "muted", message: "", about: "draft", id: "d" });
    socket.deliver({ type: "update", messages: [message(4, { id: "d", sender: YOU.sender })] });
    await expect(sent).resolves.toEqual({ id: "d", seq: 4 });
    expect(sends(socket)).toHaveLength(1);
    const second = writer.draft({ id: "e" });
    second.write("Hello");
    const refused = second.end();
    socket.deliver({ type: "error", code: "muted", message: "", about: "send", id: "e" });
    await expect(refused).rejects.toMatchObject({ code: "muted", about: { type: "send", id: "e" } });
  });

  test("that an older room refuses without saying so delays its message, which arrives", async () => {
    const { writer, socket, clock } = joined();
    const draft = writer.draft({ id: "d" });
    draft.write("Hello");
    const sent = draft.end();
    socket.deliver({ type: "error", code: "rate_limited", message: "", id: "d", retryAfter: 3 });
    clock.pass(3_000);
    expect(sends(socket)).toHaveLength(2);
    socket.deliver({ type: "update", messages: [message(4, { id: "d", sender: YOU.sender })] });
    await expect(sent).resolves.toEqual({ id: "d", seq: 4 });
  });

  test("ended with a signal, the message is taken back by it", async () => {
    const { writer } = setUp({ credentials: GUEST });
    const over = new AbortController();
    const sent = writer.draft().end("Hello", { signal: over.signal });
    over.abort(new Error("Enough."));
    await expect(sent).rejects.toThrow("Enough.");
    expect(writer.close()).toEqual([]);
  });
});
