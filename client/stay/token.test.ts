import { expect, test, vi } from "vitest";
import { CLOSE } from "../../party/protocol.ts";
import { last, setUp, YOU } from "./fake-room.ts";
import { run, welcome } from "./fake-socket.ts";
import { join } from "./join.ts";
import { KeptMessages } from "./kept-messages.ts";
import { readPage } from "./page.ts";

/** What happens as soon as nothing is waited for any more. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

const hellos = (socket: { sent: readonly { type: string }[] }) => socket.sent.filter(({ type }) => type === "hello");

test("a token is asked for anew at each connect, and said as soon as it is there", async () => {
  let asked = 0;
  const said: unknown[] = [];
  const { socket, connection } = setUp({ credentials: { token: async () => `token-${++asked}` } });
  for (let time = 0; time < 2; time++) {
    socket.open();
    await settled();
    said.push(...hellos(socket));
    socket.deliver(welcome(run(1, 3)));
    socket.deliver({ ...YOU, sender: "anna@acme" });
    expect(connection.isReady).toBe(true);
    // Its time is over.
    socket.lose(CLOSE.identifyAgain);
  }
  expect(said).toEqual([
    { type: "hello", token: "token-1" },
    { type: "hello", token: "token-2" },
  ]);
});

test("a token that comes when its connection is over is not said over the next one", async () => {
  const answers: ((token: string) => void)[] = [];
  const token = () => new Promise<string>((resolve) => answers.push(resolve));
  const { socket } = setUp({ credentials: { token } });
  socket.open();
  socket.lose();
  socket.open();
  answers[0]?.("too-late");
  answers[1]?.("in-time");
  await settled();
  expect(hellos(socket)).toEqual([{ type: "hello", token: "in-time" }]);
});

test("a token for which a members' room does not wait so long is said over the next connection", async () => {
  const answers: ((token: string) => void)[] = [];
  const token = () => new Promise<string>((resolve) => answers.push(resolve));
  const { socket, connection } = setUp({ credentials: { token } });
  const outOfPatience = { type: "error", code: "unauthorized", message: "Say hello." } as const;
  socket.open();
  socket.deliver({ type: "identify" });
  socket.deliver(outOfPatience);
  expect([socket.retries, connection.status, connection.error]).toEqual([1, "offline", undefined]);
  socket.open();
  answers[0]?.("at last");
  await settled();
  expect(hellos(socket)).toEqual([{ type: "hello", token: "at last" }]);
  // Now it has been refused.
  socket.deliver({ ...outOfPatience, about: "hello" });
  expect([connection.status, connection.error?.code]).toEqual(["closed", "unauthorized"]);
});

test("a wrong key ends it, also while the token that it replaces has not come yet", async () => {
  const { socket, connection } = setUp({ credentials: { token: () => new Promise(() => {}) } });
  socket.open();
  connection.identify({ key: "mai_00000000" });
  socket.open();
  socket.deliver({ type: "error", code: "unauthorized", message: "No such key.", about: "hello" });
  expect([connection.status, connection.error?.code]).toEqual(["closed", "unauthorized"]);
});

test("without a token one reads on in an open room, and it is asked for again", async () => {
  const token = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error("no answer")).mockResolvedValue("now");
  const { socket, clock, events, connection } = setUp({ credentials: { token } });
  socket.open();
  socket.deliver(welcome(run(1, 3)));
  await settled();
  expect(last(events, "delayed")?.error).toMatchObject({ code: "unavailable" });
  expect(connection.status).toBe("open");
  clock.pass(5_000);
  await settled();
  expect(hellos(socket)).toEqual([{ type: "hello", token: "now" }]);
});

test("a members' room is not kept waiting without one: one comes again", async () => {
  const token = vi.fn<() => Promise<string>>().mockRejectedValue(new Error("no answer"));
  const { socket } = setUp({ credentials: { token } });
  socket.open();
  socket.deliver({ type: "identify" });
  await settled();
  expect([socket.retries, hellos(socket)]).toEqual([1, []]);
});

test("names are told before the messages in which they are needed", async () => {
  const { socket, events } = setUp({ credentials: { token: "t" } });
  socket.open();
  const names = { "anna@acme": "Anna" };
  socket.deliver({ ...welcome(run(1, 3)), names });
  socket.deliver({ type: "update", messages: run(4, 4), names: { "anna@acme": "Anna Berg" } });
  const told = events.filter(({ type }) => type === "names" || type === "messages");
  expect(told.map(({ type }) => type)).toEqual(["names", "messages", "names", "messages"]);
  expect(told[0]).toMatchObject({ names });
});

test("a page of a members' room is read with the token of now", async () => {
  const asked: (HeadersInit | undefined)[] = [];
  const fetch = async (_: string, init?: RequestInit) => {
    asked.push(init?.headers);
    const status = asked.length === 1 ? 401 : 200;
    return Response.json({ messages: [], head: 0, epoch: "e", more: false }, { status });
  };
  const credentials = { token: async () => "fresh" };
  await readPage({ server: "https://meet.example", room: "den", epoch: undefined, credentials, deps: { fetch } });
  expect(asked).toEqual([undefined, { authorization: "Bearer fresh" }]);
});

test("what was written before the room has said a name is nobody else's", () => {
  const kept = new Map<string, string>();
  const storage = {
    get: (name: string) => kept.get(name),
    set: (name: string, value: string) => void kept.set(name, value),
  };
  const message = { id: "m1", content: "Hello", since: 1, state: "queued" } as const;
  const keeper = (token: string) => ({ you: undefined, credentials: { token: async () => token } });
  new KeptMessages(storage, "pending").keep([message as never], keeper("anna"));
  expect(new KeptMessages(storage, "pending").takeOver(keeper("bob"))).toEqual([]);
});

test("one joins with a token alone", async () => {
  const both = join("https://meet.example/r/den", {
    token: "t",
    key: "mai_AAAAAAAAAAAA",
    deps: { openSocket: () => null as never },
  });
  await expect(both).rejects.toMatchObject({ code: "invalid" });
});
