import { describe, expect, test } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { type AskOptions, askPeople } from "./ask.ts";
import { GUEST, sends, setUp, YOU } from "./fake-room.ts";
import { type FakeSocket, message, run, welcome } from "./fake-socket.ts";
import type { Page } from "./page.ts";
import type { RoomError } from "./room-error.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const ASK = { options: ["yes", "no"], until: "2026-12-01T00:00:00.000Z" };
const OPTIONS = ASK.options.map((id) => ({ id, label: id }));

/** The ask as it stands in the room's log. */
const asked = (seq: number, more: Partial<Message> = {}): Message =>
  message(seq, {
    id: "deploy",
    sender: YOU.sender,
    content: "Deploy?",
    ask: { options: OPTIONS, from: "people", until: ASK.until },
    ...more,
  });
const answer = (seq: number, target: number, option = "yes"): Message =>
  message(seq, { sender: "amber-fox", content: option, replyTo: target, answer: { target, option } });
const expiry = (seq: number, replyTo: number): Message => message(seq, { kind: "expiry", content: "", replyTo });

/** Who asks is in a room with three messages, whose pages are what `pages` says: one after the other. */
function asking(options: Partial<AskOptions> = {}, pages: (Partial<Page> | number | Promise<Partial<Page>>)[] = []) {
  const fetched: string[] = [];
  const fetch = async (url: string) => {
    fetched.push(url);
    const page = (await pages.shift()) ?? {};
    if (typeof page === "number") {
      const code = page === 503 ? "unavailable" : "forbidden";
      return Response.json({ error: { code, message: "Not now." } }, { status: page });
    }
    return Response.json({ messages: [], head: 9, epoch: "e1", more: false, ...page });
  };
  const { connection, writer, socket, clock } = setUp({ credentials: GUEST, deps: { fetch } as never });
  socket.open();
  socket.deliver(welcome(run(1, 3)));
  socket.deliver(YOU);
  const done = askPeople(connection, writer, "Deploy?", { ...ASK, id: "deploy", ...options });
  done.catch(() => {});
  return { connection, writer, socket, clock, done, fetched };
}

const update = (socket: FakeSocket, ...messages: Message[]) => socket.deliver({ type: "update", messages });
const ack = (socket: FakeSocket, seq: number) => socket.deliver({ type: "ack", id: "deploy", seq });

describe("an ask", () => {
  test("is one message with its options, and gives the first answer", async () => {
    const { socket, done, fetched } = asking();
    expect(sends(socket)).toEqual([{ type: "send", id: "deploy", content: "Deploy?", ask: ASK }]);
    update(socket, asked(4));
    ack(socket, 4);
    update(socket, message(5, { replyTo: 4, content: "Why not later?" }), answer(6, 9));
    update(socket, answer(7, 4, "no"));
    expect(await done).toEqual({ option: "no", by: "amber-fox", seq: 7 });
    expect(fetched).toEqual([]);
  });

  test("that comes back together with its answer, after a break, needs no acknowledgement", async () => {
    const { socket, done } = asking();
    socket.lose();
    socket.open();
    socket.deliver(welcome([asked(4), answer(5, 4)]));
    expect(await done).toEqual({ option: "yes", by: "amber-fox", seq: 5 });
  });

  test.each([
    ["expired", [expiry(5, 4)], { code: "expired", seq: 5 }],
    ["deleted", [message(5, { kind: "deletion", content: "", target: 4 })], { code: "deleted" }],
    ["erased", [message(5, { kind: "erasure", content: "", erased: YOU.sender, upTo: 4 })], { code: "deleted" }],
  ])("that is %s rejects", async (_, told, error) => {
    const { socket, done } = asking();
    update(socket, asked(4));
    update(socket, ...(told as Message[]));
    await expect(done).rejects.toMatchObject({ name: "RoomError", about: { type: "send", id: "deploy" }, ...error });
  });

  test("does not take what closes another ask for its own end", async () => {
    const { socket, done } = asking();
    update(socket, asked(4));
    update(socket, expiry(5, 3), message(6, { kind: "deletion", content: "", target: 3 }), answer(7, 4));
    expect(await done).toMatchObject({ option: "yes" });
  });

  test("that an older room has taken for a message like others rejects", async () => {
    const { socket, done } = asking();
    const { ask: _, ...plain } = asked(4);
    update(socket, plain);
    await expect(done).rejects.toMatchObject({ code: "deleted", message: "The room has no such ask." });
  });

  test("rejects with the room's refusal", async () => {
    const { socket, done } = asking();
    socket.deliver({ type: "error", code: "invalid", message: "options must be 2 to 6.", about: "send", id: "deploy" });
    await expect(done).rejects.toMatchObject({ code: "invalid", about: { type: "send", id: "deploy" } });
  });

  test("of which too many are open rejects, and holds nothing up; over quota it waits", async () => {
    const { writer, socket, clock, done } = asking();
    const refuse = (id: string, retryAfter?: number) =>
      socket.deliver({
        type: "error",
        code: "rate_limited",
        message: "Later.",
        about: "send",
        id,
        ...(retryAfter && { retryAfter }),
      });
    refuse("deploy");
    await expect(done).rejects.toMatchObject({ code: "rate_limited" });
    void writer.send("Hello", { id: "hello" });
    expect(sends(socket).at(-1)).toMatchObject({ id: "hello" });
    refuse("hello", 3);
    clock.pass(3_000);
    expect(sends(socket).at(-1)).toMatchObject({ id: "hello" });
    expect(sends(socket)).toHaveLength(3);
  });
});

test("an ask at which something went wrong in the room goes out again by itself", async () => {
  const { socket, clock, done } = asking();
  socket.deliver({ type: "error", code: "unavailable", message: "Something went wrong.", about: "send", id: "deploy" });
  clock.pass(60_000);
  expect(sends(socket)).toHaveLength(2);
  update(socket, asked(4), answer(5, 4));
  expect(await done).toMatchObject({ option: "yes" });
});

describe("an ask that was made before", () => {
  test.each([
    ["answered", asked(4, { ask: closed({ seq: 6, option: "no", by: "amber-fox" }) }), { option: "no", seq: 6 }],
    ["answered by somebody who was erased", asked(4, { ask: closed({ seq: 6, option: "no", by: "" }) }), { by: "" }],
  ])("and %s while nobody waited gives that answer", async (_, found, result) => {
    const { socket, done, fetched } = asking({}, [{ messages: [found] }]);
    ack(socket, 4);
    expect(await done).toMatchObject(result);
    expect(fetched).toEqual(["https://meet.example/api/rooms/lobby/messages?epoch=e1&before=5&limit=1"]);
  });

  test.each([
    ["expired", [asked(4, { ask: closed({ seq: 6, expired: true }) })], { code: "expired", seq: 6 }],
    ["was deleted", [message(4, { content: "", deleted: true })], { code: "deleted" }],
    ["is gone because of its age", [], { code: "deleted" }],
  ])("and %s meanwhile rejects", async (_, messages, error) => {
    const { socket, done } = asking({}, [{ messages: messages as Message[] }]);
    ack(socket, 4);
    await expect(done).rejects.toMatchObject(error);
  });

  test("and is open is waited for", async () => {
    const page = Promise.withResolvers<Partial<Page>>();
    const { socket, done, fetched } = asking({}, [page.promise]);
    ack(socket, 2);
    while (fetched.length < 1) await settled();
    update(socket, answer(4, 2));
    // It is of before that.
    page.resolve({ messages: [asked(2)] });
    expect(await done).toMatchObject({ option: "yes", seq: 4 });
    expect(fetched).toHaveLength(1);
  });

  test("is looked for again when the log can't be read", async () => {
    const pages = [503, { messages: [asked(2, { ask: closed({ seq: 3, option: "no", by: "amber-fox" }) })] }];
    const { socket, clock, done, fetched } = asking({}, pages);
    ack(socket, 2);
    while (fetched.length < 2) {
      await settled();
      clock.pass(1_000);
    }
    expect(await done).toMatchObject({ option: "no" });
  });

  test("and may not be read any more rejects", async () => {
    const { socket, done } = asking({}, [403]);
    ack(socket, 2);
    await expect(done).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("an ask over a break that was too long to resume", () => {
  test("is read again, and not asked again", async () => {
    const { socket, done, fetched } = asking({}, [
      { messages: [asked(4, { ask: closed({ seq: 50, option: "yes", by: "amber-fox" }) })] },
    ]);
    update(socket, asked(4));
    await settled();
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(6_000, 6_003), { reset: true }));
    socket.deliver(YOU);
    expect(await done).toMatchObject({ option: "yes", seq: 50 });
    expect(sends(socket)).toEqual([]);
    expect(fetched).toHaveLength(1);
  });

  test("is found by its id in a new history, in which it has another seq", async () => {
    const { socket, done } = asking({}, [{ epoch: "e2", messages: [asked(2)] }]);
    update(socket, asked(4));
    ack(socket, 4);
    socket.lose();
    socket.open();
    socket.deliver(welcome(run(3, 5), { epoch: "e2" }));
    socket.deliver(YOU);
    expect(sends(socket)).toMatchObject([{ id: "deploy" }]);
    ack(socket, 2);
    await settled();
    // In the history before, 4 was the ask.
    update(socket, answer(6, 4), answer(7, 2, "no"));
    expect(await done).toMatchObject({ option: "no", seq: 7 });
  });
});

describe("waiting for an answer ends", () => {
  test("with the signal's reason; an ask that has not gone out does not", async () => {
    const over = new AbortController();
    const { socket, done } = asking({ signal: over.signal });
    over.abort(null);
    expect(await done.catch((reason) => ["rejected", reason])).toEqual(["rejected", null]);
    // What comes of it afterwards is heard by nobody.
    ack(socket, 4);
    update(socket, asked(4), answer(5, 4));
  });

  test("when the stay does, with the room's reason where it has one", async () => {
    const left = asking();
    update(left.socket, asked(4));
    ack(left.socket, 4);
    await settled();
    left.connection.close();
    await expect(left.done).rejects.toMatchObject({ code: "unavailable" });
    const closed = asking();
    update(closed.socket, asked(4));
    closed.socket.lose(4410);
    await expect(closed.done).rejects.toMatchObject({ code: "not_found" });
  });

  test("leaves no listener and no timer behind", async () => {
    const over = new AbortController();
    const { socket, clock, done, fetched } = asking({ signal: over.signal }, [503]);
    ack(socket, 2);
    await settled();
    over.abort();
    await expect(done).rejects.toThrow("aborted");
    clock.pass(60_000);
    await settled();
    expect(fetched).toHaveLength(1);
  });
});

function closed(how: NonNullable<NonNullable<Message["ask"]>["closed"]>): NonNullable<Message["ask"]> {
  return { options: OPTIONS, from: "people", until: ASK.until, closed: how };
}

test("a refusal is one that a program can tell from others", async () => {
  const { socket, done } = asking();
  update(socket, asked(4), expiry(5, 4));
  const error = (await done.catch((reason) => reason)) as RoomError;
  expect([error.code, error.message]).toEqual(["expired", "Nobody has answered in time."]);
});
