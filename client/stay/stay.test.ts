import { describe, expect, test, vi } from "vitest";
import { CLOSE, type Message } from "../../party/protocol.ts";
import type { Cursor, CursorStore } from "./cursor.ts";
import { FakeClock } from "./fake-clock.ts";
import { YOU } from "./fake-room.ts";
import { FakeSocket, message, run, welcome } from "./fake-socket.ts";
import { type JoinOptions, join } from "./join.ts";
import { replyId } from "./reply-id.ts";
import type { Stay } from "./stay.ts";

const ROOM = "https://meet.example/r/lobby";
const KEY = `mai_${"k".repeat(24)}`;
const ME = { ...YOU, sender: "swift-otter/claude" };
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A join that is under way. */
function joining(options: JoinOptions = {}, url = ROOM) {
  const clock = new FakeClock();
  const sockets: FakeSocket[] = [];
  const openSocket = (asked: ConstructorParameters<typeof FakeSocket>[0]) => {
    const socket = new FakeSocket(asked);
    sockets.push(socket);
    return socket;
  };
  const stay = join(url, { ...options, deps: { clock, openSocket } });
  stay.catch(() => {});
  return { stay, clock, sockets };
}

/** An agent in a room with three messages. */
async function joined(options: JoinOptions = { key: KEY, as: "claude" }, messages: Message[] = run(1, 3)) {
  const { stay, clock, sockets } = joining(options);
  await settled();
  const [socket] = sockets as [FakeSocket];
  socket.open();
  socket.deliver(welcome(messages, { presence: { people: ["amber-fox"], spectators: 2 } }));
  socket.deliver(ME);
  return { room: await stay, clock, socket };
}

function memoryCursor(cursor?: Cursor): CursorStore & { saved: Cursor[] } {
  const saved: Cursor[] = [];
  return { saved, load: async () => saved.at(-1) ?? cursor, save: async (next) => void saved.push(next) };
}

/** A loop over the messages of a stay, which goes on by itself. */
function read(room: Stay, filter: Parameters<Stay["messages"]>[0] = {}) {
  const contents: string[] = [];
  const over = (async () => {
    for await (const { content } of room.messages(filter)) contents.push(content);
  })();
  over.catch(() => {});
  return { contents, over };
}

describe("join", () => {
  test.each([
    [`${ROOM}#invite=inv_secret-_1`, {}, { invite: "inv_secret-_1" }],
    [`${ROOM}#from=mail&invite=inv_2`, {}, { invite: "inv_2" }],
    [ROOM, { invite: "inv_3" }, { invite: "inv_3" }],
    [`${ROOM}#seq=4`, {}, {}],
  ])("says the invite in %s with its hello, each time", async (url, options, said) => {
    const { sockets } = joining({ key: KEY, ...options }, url);
    await settled();
    const [socket] = sockets as [FakeSocket];
    const hello = { type: "hello", key: KEY, ...said };
    for (let visit = 0; visit < 2; visit++) {
      socket.open();
      socket.deliver({ type: "identify" });
      expect(socket.sent.filter(({ type }) => type === "hello")).toEqual([hello]);
      socket.deliver(welcome(run(1, 3)));
      socket.deliver(ME);
      socket.lose();
    }
  });

  test("rejects at once in a room of members when one has not said who one is", async () => {
    const { stay, sockets } = joining();
    await settled();
    (sockets[0] as FakeSocket).open();
    (sockets[0] as FakeSocket).deliver({ type: "identify" });
    await expect(stay).rejects.toMatchObject({ code: "unauthorized", message: "This room is for members." });
  });

  test.each(["forbidden", "conflict"] as const)("rejects with %s when the room says so of an invite", async (code) => {
    const { stay, sockets } = joining({ key: KEY, invite: "inv_1" });
    await settled();
    (sockets[0] as FakeSocket).open();
    (sockets[0] as FakeSocket).deliver({ type: "identify" });
    (sockets[0] as FakeSocket).deliver({ type: "error", code, message: "No.", about: "hello" });
    (sockets[0] as FakeSocket).lose(CLOSE.forbidden);
    await expect(stay).rejects.toMatchObject({ code, about: { type: "hello" } });
  });

  test("that was removed from the room ends, and one that is to say again who it is comes back and says it", async () => {
    const { room, socket } = await joined();
    socket.lose(CLOSE.identifyAgain);
    expect(room.status).toBe("offline");
    socket.open();
    socket.deliver({ type: "identify" });
    socket.deliver(welcome([], { head: 3 }));
    socket.deliver(ME);
    expect(room.status).toBe("open");
    socket.deliver({ type: "error", code: "forbidden", message: "Not any more." });
    socket.lose(CLOSE.forbidden);
    expect([room.status, room.error?.code]).toEqual(["closed", "forbidden"]);
  });

  test("waits as long as it may, also where no timer is so long", async () => {
    const { stay, clock } = joining({ key: KEY, timeout: Number.POSITIVE_INFINITY });
    await settled();
    clock.pass(3_600_000);
    expect(await Promise.race([stay.catch(() => "given up"), settled()])).toBeUndefined();
  });

  test("resolves when the room has said who one is", async () => {
    const { room } = await joined();
    expect([room.me, room.status, room.info?.name, room.people, room.spectators]).toEqual([
      "swift-otter/claude",
      "open",
      "Lobby",
      ["amber-fox"],
      2,
    ]);
    expect([room.server, room.room, room.error]).toEqual(["https://meet.example", "lobby", undefined]);
  });

  test("without credentials, when one may watch", async () => {
    const { stay, sockets } = joining();
    await settled();
    sockets[0]?.open();
    sockets[0]?.deliver(welcome(run(1, 3)));
    const room = await stay;
    expect([room.me, sockets[0]?.sent]).toEqual([undefined, []]);
    expect(() => room.reply(message(1))).toThrow(expect.objectContaining({ code: "unauthorized" }));
  });

  test.each<[string, JoinOptions, string]>([
    ["a key that is missing", { key: undefined }, "unauthorized"],
    ["a key that is empty", { key: "" }, "unauthorized"],
    ["an agent without a key", { as: "claude" }, "invalid"],
    ["a guest's agent", { guest: "a".repeat(22), as: "claude" }, "invalid"],
    ["a key and a guest", { key: KEY, guest: "a".repeat(22) }, "invalid"],
  ])("refuses %s without asking the room", async (_, options, code) => {
    const { stay, sockets } = joining(options);
    await expect(stay).rejects.toMatchObject({ code, about: { type: "hello" } });
    expect(sockets).toEqual([]);
  });

  test.each([
    "localhost:8787",
    "localhost:8787/r/lobby",
    "https://meet.example",
    "https://meet.example/r/%zz",
    "https:///r/lobby",
    "lobby",
    "ftp://x/r/y",
  ])("refuses the address %s", async (url) => {
    await expect(joining({}, url).stay).rejects.toMatchObject({ code: "invalid" });
  });

  test.each([
    ["https://meet.example/r/lobby/", "wss://meet.example/api/rooms/lobby/ws?knows=erasure"],
    ["http://localhost:8787/r/lobby#msg-12", "ws://localhost:8787/api/rooms/lobby/ws?knows=erasure"],
    ["https://example.com/chat/r/a?x=1", "wss://example.com/chat/api/rooms/a/ws?knows=erasure"],
  ])("%s leads to %s", async (url, socketUrl) => {
    const { sockets } = joining({}, url);
    await settled();
    sockets[0]?.open();
    expect(sockets[0]?.urls).toEqual([socketUrl]);
  });

  test.each([
    ["unauthorized", CLOSE.unauthorized],
    ["not_found", CLOSE.notFound],
    ["forbidden", undefined],
  ] as const)("rejects with the room's code: %s", async (code, close) => {
    const { stay, sockets, clock } = joining({ key: KEY });
    await settled();
    const [socket] = sockets as [FakeSocket];
    socket.open();
    socket.deliver({ type: "error", code, message: "No." });
    if (close !== undefined) socket.lose(close);
    await expect(stay).rejects.toMatchObject({ code, message: "No." });
    expect([socket.closed, clock.waiting]).toEqual([true, 0]);
  });

  test("rejects when the room does not answer in time, and leaves nothing behind", async () => {
    const { stay, sockets, clock } = joining({ key: KEY });
    await settled();
    clock.pass(30_000);
    await expect(stay).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("30 s") });
    expect([sockets[0]?.closed, clock.waiting]).toEqual([true, 0]);
  });

  test("rejects with what the room said last, when a name has to wait for too long", async () => {
    const { stay, sockets, clock } = joining({ guest: "a".repeat(22) });
    await settled();
    sockets[0]?.open();
    sockets[0]?.deliver({ type: "error", code: "rate_limited", message: "Too many guests.", retryAfter: 60 });
    clock.pass(30_000);
    await expect(stay).rejects.toMatchObject({ code: "rate_limited", retryAfter: 60, about: { type: "hello" } });
  });

  test("rejects with the signal's reason, before and during the wait", async () => {
    const reason = new Error("Enough.");
    await expect(joining({ signal: AbortSignal.abort(reason) }).stay).rejects.toBe(reason);
    const during = new AbortController();
    const { stay, sockets, clock } = joining({ signal: during.signal });
    await settled();
    during.abort(reason);
    await expect(stay).rejects.toBe(reason);
    expect([sockets[0]?.closed, clock.waiting]).toEqual([true, 0]);
  });

  test("rejects with the signal's reason also while the cursor's store is asked", async () => {
    const reason = new Error("Enough.");
    const over = new AbortController();
    const slow = { load: () => new Promise<undefined>(() => {}), save: async () => {} };
    const { stay, sockets } = joining({ signal: over.signal, cursor: slow });
    over.abort(reason);
    await expect(stay).rejects.toBe(reason);
    expect(sockets).toEqual([]);
  });

  test("says what the cursor's store throws", async () => {
    const broken = { load: () => Promise.reject(new Error("EACCES")), save: async () => {} };
    await expect(joining({ cursor: broken }).stay).rejects.toThrow("EACCES");
  });
});

describe("a stay", () => {
  test("gives messages once and in order over a break, without one's own", async () => {
    const { room, socket } = await joined();
    const { contents } = read(room);
    socket.deliver({ type: "update", messages: [message(4), message(5, { sender: ME.sender })] });
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(6, 7)));
    await settled();
    expect(contents).toEqual(["Message 4", "Message 6", "Message 7"]);
  });

  test("gives what was asked for: mentions, people's, everybody's; never deleted ones or deletions", async () => {
    const said = [
      message(4, { content: "@swift-otter/claude hello" }),
      message(5, { sender: "amber-fox/scout", content: "@swift-otter/claude hi" }),
      message(6, { content: "@swift-otter hello" }),
      message(7, { kind: "deletion", target: 1, content: "" }),
      message(8, { deleted: true, content: "" }),
      message(9, { sender: ME.sender, content: "mine" }),
    ];
    const given = async (filter: (room: Stay) => Parameters<Stay["messages"]>[0]) => {
      const { room, socket } = await joined();
      const { contents } = read(room, filter(room));
      socket.deliver({ type: "update", messages: said });
      await settled();
      return contents.length;
    };
    expect(await given(() => ({}))).toBe(3);
    expect(await given(({ me }) => ({ mentioning: me }))).toBe(2);
    expect(await given(({ me }) => ({ mentioning: me, from: "people" }))).toBe(1);
    expect(await given(({ me }) => ({ mentioning: [me as string, "swift-otter"] }))).toBe(3);
    expect(await given(() => ({ from: "everybody" }))).toBe(4);
  });

  test("begins where its cursor is; a first one is stored before join resolves", async () => {
    const cursor = memoryCursor();
    await joined({ key: KEY, as: "claude", cursor });
    expect(cursor.saved).toEqual([{ after: 3, epoch: "e1", at: message(3).createdAt }]);
    const { stay, sockets } = joining({ key: KEY, as: "claude", cursor });
    await settled();
    const [socket] = sockets as [FakeSocket];
    socket.open();
    expect(socket.urls.at(-1)).toContain("after=3&epoch=e1");
    socket.deliver(welcome(run(4, 5)));
    socket.deliver(ME);
    const { contents } = read(await stay);
    await settled();
    expect(contents).toEqual(["Message 4", "Message 5"]);
    expect(cursor.saved.at(-1)?.after).toBe(5);
  });

  test("ends by close, by leaving its block, or by its signal: loops end, waits are rejected, nothing is left", async () => {
    const ends: ((room: Stay, over: AbortController) => Promise<void>)[] = [
      (room) => room.close(),
      (room) => room[Symbol.asyncDispose](),
      async (_, over) => over.abort(),
    ];
    for (const end of ends) {
      const over = new AbortController();
      const { room, socket, clock } = await joined({ key: KEY, as: "claude", signal: over.signal });
      const loop = read(room);
      const sent = room.send("one");
      room.draft().write("half");
      await end(room, over);
      await loop.over;
      await expect(sent).rejects.toMatchObject({ code: "unavailable", pending: true });
      expect([room.status, socket.closed, clock.waiting]).toEqual(["closed", true, 0]);
      await room.close();
    }
  });

  test("that the room closes ends the loop with the reason", async () => {
    const { room, socket } = await joined();
    const { over } = read(room);
    socket.lose(CLOSE.unauthorized);
    await expect(over).rejects.toMatchObject({ code: "unauthorized" });
    expect(room.error).toMatchObject({ code: "unauthorized" });
    await expect(room.send("Too late")).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("that was closed stays closed, whatever is asked of it", async () => {
    const { room, socket } = await joined();
    await room.close();
    room.reconnect();
    expect([room.status, socket.reconnects]).toEqual(["closed", 0]);
  });

  test("that the room has closed comes back by reconnect, with its loop and its signal", async () => {
    const over = new AbortController();
    const { room, socket } = await joined({ key: KEY, as: "claude", signal: over.signal });
    socket.lose(CLOSE.notFound);
    await expect(room.messages().next()).rejects.toMatchObject({ code: "not_found" });
    room.reconnect();
    expect(room.error).toBeUndefined();
    socket.open();
    socket.deliver(welcome(run(4, 4)));
    socket.deliver(ME);
    const loop = read(room);
    await settled();
    expect([loop.contents, room.status]).toEqual([["Message 4"], "open"]);
    over.abort();
    await loop.over;
    expect([room.status, socket.closed]).toEqual(["closed", true]);
  });

  test("that the room has closed does not come back after its signal has ended it, and is not kept by that", async () => {
    const over = new AbortController();
    const { room, socket } = await joined({ key: KEY, as: "claude", signal: over.signal });
    const removed = vi.spyOn(over.signal, "removeEventListener");
    socket.lose(CLOSE.notFound);
    expect(removed).toHaveBeenCalled();
    over.abort();
    room.reconnect();
    expect([room.status, socket.reconnects]).toEqual(["closed", 0]);
  });

  test("of a bridge says within how many seconds it is back", async () => {
    const { stay, sockets } = joining({ key: KEY, as: "claude", wakes: 60 });
    await settled();
    sockets[0]?.open();
    expect(sockets[0]?.sent).toEqual([{ type: "hello", key: KEY, as: "claude", wakes: 60 }]);
    stay.catch(() => {});
  });

  test("hears whom a message of its own mentions in vain", async () => {
    const { room, socket } = await joined();
    const heard = vi.fn();
    room.on("unheard", heard);
    const unheard = { type: "unheard", id: "a", seq: 4, agents: ["a/b"], message: "Not here." } as const;
    socket.deliver(unheard);
    expect(heard).toHaveBeenCalledExactlyOnceWith(unheard);
  });

  test("knows who is here", async () => {
    const { room, socket } = await joined();
    socket.deliver({ type: "update", presence: { joined: ["swift-otter"], spectators: 0 } });
    expect([room.people, room.spectators]).toEqual([["amber-fox", "swift-otter"], 0]);
    socket.deliver({ type: "update", snapshot: { presence: { people: ["a"], spectators: 1 }, drafts: [] } } as never);
    expect([room.people, room.spectators]).toEqual([["a"], 1]);
    expect(room.agents).toEqual({});
    socket.deliver({ type: "update", presence: { agents: { "a/b": "polls", "c/d": "wakes" } } });
    socket.deliver({ type: "update", presence: { agents: { "a/b": null } } });
    expect([room.people, room.agents]).toEqual([["a"], { "c/d": "wakes" }]);
    const info = { ...(room.info as NonNullable<typeof room.info>), name: "Garden" };
    socket.deliver({ type: "update", room: info });
    expect(room.info?.name).toBe("Garden");
  });
});

/** Making a reply's id takes a moment, after which it is sent. */
const sendOf = (socket: FakeSocket) => expect.poll(() => socket.sent.map(({ type }) => type)).toContain("send");

describe("a reply", () => {
  const asked = message(4, { id: "question", content: "@swift-otter/claude why?" });

  test("has an id made of what it answers and who answers", async () => {
    const id = await replyId(asked, ME.sender);
    expect(id).toMatch(/^[A-Za-z0-9_-]{40,64}$/);
    expect(await replyId({ ...asked }, ME.sender)).toBe(id);
    const others = [
      replyId({ ...asked, id: "x" }, ME.sender),
      replyId({ ...asked, sender: "x" }, ME.sender),
      replyId(asked, "x"),
    ];
    expect(new Set([id, ...(await Promise.all(others))]).size).toBe(4);
  });

  test("says that it can't be made in a page without TLS, and sends nothing", async () => {
    const { room, socket } = await joined();
    vi.stubGlobal("crypto", { getRandomValues: (bytes: Uint8Array) => bytes });
    const reply = room.reply(asked);
    reply.write("Because.");
    await expect(reply.end()).rejects.toMatchObject({ name: "RoomError", code: "unavailable" });
    await expect(reply.answered()).rejects.toMatchObject({ code: "unavailable" });
    vi.unstubAllGlobals();
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello"]);
  });

  test("that is taken back before it ends is taken from the others' sight", async () => {
    const { room, socket } = await joined();
    const reply = room.reply(asked);
    reply.write("Because.");
    await reply.answered();
    await expect(reply.end(undefined, { signal: AbortSignal.abort(new Error("Enough.")) })).rejects.toThrow("Enough.");
    expect(socket.sent.filter(({ type }) => type !== "hello")).toMatchObject([
      { type: "draft", append: "Because." },
      { type: "draft", end: true },
    ]);
  });

  test("shows what is written, and is sent with what it answers", async () => {
    const { room, socket, clock } = await joined();
    const id = await replyId(asked, ME.sender);
    const reply = room.reply(asked);
    reply.write("Be");
    reply.write("cause");
    await reply.answered();
    reply.write(" of that.");
    clock.pass(50);
    const frames = socket.sent.filter((frame) => frame.type === "draft");
    expect(frames.map(({ append }) => append)).toEqual(["Because", " of that."]);
    const ended = reply.end();
    await sendOf(socket);
    expect(socket.sent.at(-1)).toEqual({ type: "send", id, content: "Because of that.", replyTo: 4 });
    socket.deliver({ type: "update", messages: [asked, message(5, { id, sender: ME.sender })] });
    await expect(ended).resolves.toEqual({ id, seq: 5 });
  });

  test("that was given before a restart is recognised, nothing is shown, and the first one counts", async () => {
    const id = await replyId(asked, ME.sender);
    const cursor = memoryCursor({ after: 3, epoch: "e1" });
    const { room, socket } = await joined({ key: KEY, as: "claude", cursor }, [
      asked,
      message(5, { id, sender: ME.sender, replyTo: 4 }),
      message(6, { id: "other", sender: "amber-fox" }),
    ]);
    const reply = room.reply(asked);
    expect(await reply.answered()).toBe(5);
    reply.write("Something else");
    await expect(reply.end()).resolves.toEqual({ id, seq: 5 });
    expect(socket.sent).toEqual([{ type: "hello", key: KEY, as: "claude" }]);
    expect(await room.reply(message(6)).answered()).toBeUndefined();
  });

  test("that another history of the room does not have is not taken as given", async () => {
    const id = await replyId(asked, ME.sender);
    const { room, socket } = await joined({ key: KEY, as: "claude" }, [
      asked,
      message(5, { id, sender: ME.sender, replyTo: 4 }),
    ]);
    expect(await room.reply(asked).answered()).toBe(5);
    socket.deliver(welcome([asked], { epoch: "e2", reset: true }));
    expect(await room.reply(asked).answered()).toBeUndefined();
  });

  test("somebody else's message with its id is not taken for it", async () => {
    const id = await replyId(asked, ME.sender);
    const { room } = await joined({ key: KEY, as: "claude" }, [message(3, { id, sender: "amber-fox", replyTo: 1 })]);
    expect(await room.reply(asked).answered()).toBeUndefined();
  });

  test("a conflict settles it as answered, with the seq of the first where the room says it", async () => {
    const { room, socket } = await joined();
    const id = await replyId(asked, ME.sender);
    for (const seq of [9, undefined]) {
      const ended = room.reply(asked).end("Because.");
      await sendOf(socket);
      socket.deliver({ type: "error", code: "conflict", message: "", id, ...(seq && { seq }) } as never);
      await expect(ended).resolves.toEqual({ id, seq });
      socket.sent.length = 0;
    }
  });

  test("ended with a signal, it is taken back by it, also while its id is made", async () => {
    const { room, socket } = await joined();
    socket.lose();
    const over = new AbortController();
    const { signal } = over;
    const waiting = room.reply(asked).end("Because.", { signal });
    await settled();
    const early = room.reply(message(5)).end("Because.", { signal });
    const answered = room.reply(message(6)).answered({ signal });
    over.abort(new Error("Enough."));
    const ends = await Promise.allSettled([waiting, early, answered]);
    expect(ends).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: "rejected", reason: { message: "Enough." } })),
    );
    await settled();
    socket.open();
    socket.deliver(welcome([], { head: 3 }));
    socket.deliver(ME);
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello"]);
  });

  test("refused, it says so; aborted, it is over", async () => {
    const { room, socket } = await joined();
    const id = await replyId(asked, ME.sender);
    const refused = room.reply(asked).end("Because.");
    await sendOf(socket);
    socket.deliver({ type: "error", code: "loop_guard", message: "", id });
    await expect(refused).rejects.toMatchObject({ code: "loop_guard", about: { type: "send", id } });
    const aborted = room.reply(asked);
    aborted.abort();
    await expect(aborted.end("x")).rejects.toMatchObject({ code: "invalid" });
    expect(() => aborted.write("x")).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});
