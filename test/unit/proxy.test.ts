import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Link, TcpProxy } from "../chaos/proxy.ts";

let echo: Server;
let proxy: TcpProxy;
/** The echo's ends of the connections, in the order of their coming. */
let ends: Socket[];

beforeEach(async () => {
  ends = [];
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => socket.write(data));
  }).listen(0, "localhost");
  await once(echo, "listening");
  const address = echo.address();
  proxy = await TcpProxy.start((address as { port: number }).port);
});

afterEach(async () => {
  await proxy.close();
  for (const end of ends) end.destroy();
  echo.close();
});

/** A connection through the proxy that has already carried something, both ways. */
async function open(): Promise<{ socket: Socket; link: Link; received: () => string }> {
  const socket = connect({ port: proxy.port, host: "localhost", allowHalfOpen: true });
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (data) => {
    text += data;
  });
  socket.on("error", () => undefined);
  socket.write("hello ");
  await expect.poll(() => text).toBe("hello ");
  return { socket, link: proxy.links.at(-1)!, received: () => text };
}

it("carries both ways, and forgets a connection that has ended", async () => {
  const { socket, received } = await open();
  socket.write("you");
  await expect.poll(received).toBe("hello you");
  socket.destroy();
  ends[0]!.end();
  await expect.poll(() => proxy.links.length).toBe(0);
});

it("cuts a connection and leaves the others", async () => {
  const [one, other] = [await open(), await open()];
  one.link.cut();
  await expect.poll(() => one.socket.closed).toBe(true);
  other.socket.write("still here");
  await expect.poll(other.received).toBe("hello still here");
});

it("holds everything back in a stall, and lets it arrive afterwards", async () => {
  const [one, other] = [await open(), await open()];
  one.link.stall();
  one.socket.write("late");
  // What was written later elsewhere has been there and back.
  other.socket.write("prompt");
  await expect.poll(other.received).toBe("hello prompt");
  expect(one.received()).toBe("hello ");
  one.link.flow();
  await expect.poll(one.received).toBe("hello late");
});

it("closes the direction to the client and goes on carrying the other", async () => {
  const { socket, link, received } = await open();
  const ended = once(socket, "end");
  link.halfClose("client");
  await ended;
  let heard = "";
  ends[0]!.on("data", (data) => {
    heard += data;
  });
  socket.write("one way");
  await expect.poll(() => heard).toBe("one way");
  expect(received()).toBe("hello ");
});

it("closes the direction to the target and goes on carrying the other", async () => {
  const { link, received } = await open();
  const ended = once(ends[0]!, "end");
  link.halfClose("target");
  await ended;
  ends[0]!.write("one way");
  await expect.poll(received).toBe("hello one way");
});

it("lets bytes through in drips, all of them and in order", async () => {
  const { socket, link, received } = await open();
  link.drip();
  const text = "0123456789".repeat(50);
  const pieces: number[] = [];
  socket.on("data", (data) => pieces.push(data.length));
  socket.write(text);
  await expect.poll(received).toBe(`hello ${text}`);
  expect(pieces.length).toBeGreaterThan(1);
});
