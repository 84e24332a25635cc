/**
 * Readers that stop reading, by the hundred, on a real server (promise 9): what they hold is bounded, others go on, and
 * one that was closed makes no room for another before it has let go.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../party/protocol.ts";
import { Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

const MIB = 1024 * 1024;

/** The sockets that an address may have: a few more than are opened here, for a second try. */
const SOCKETS_PER_ADDRESS = 450;
/** The address of those who read nothing. */
const BAD_ADDRESS = "192.0.2.66";

let server: Server;
let writer: Visitor;
let key: string;
let keys: string[];

beforeAll(async () => {
  server = await Server.start({ vars: { SOCKETS_PER_ADDRESS: String(SOCKETS_PER_ADDRESS) } });
  writer = new Visitor(server);
  keys = (await Promise.all(Array.from({ length: 10 }, () => writer.makeKey()))).map((made) => made.key);
  key = keys[0] as string;
});

afterAll(() => server.remove());

/** Sends a request over bare TCP and never reads the answer beyond its first bytes. */
async function stall(path: string, headers = ""): Promise<Socket> {
  const socket = connect(server.port, "localhost");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${BAD_ADDRESS}\r\n${headers}\r\n`);
  await once(socket, "readable");
  return socket;
}

const upgrade = () =>
  `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n`;

async function stallMany(count: number, path: string, headers: () => string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 20 }, () => stall(path, headers())))));
  }
  return sockets;
}

const spectators = async (room: string): Promise<number> =>
  (await writer.call("GET", `/api/rooms/${room}`)).body.presence.spectators as number;

/** Of one writer's, so that all that waits for the Limiter has room in their lane (`LANE_BOUND`). */
const SAID_AT_ONCE = 50;

/** Ten writers say so many messages of the greatest length, all at once. Resolves when all have come back to them. */
async function flood(room: string, count: number): Promise<void> {
  const content = "x".repeat(LIMITS.contentBytes);
  const lines = await Promise.all(keys.map((each) => writer.enterAs(room, { key: each })));
  let target = Math.max(...lines.map((line) => line.messages.at(-1)?.seq ?? 0));
  for (let left = count; left > 0; ) {
    const now = Math.min(left, SAID_AT_ONCE * lines.length);
    for (let said = 0; said < now; said++) lines[said % lines.length]?.say(content);
    left -= now;
    target += now;
    await until("everything is told to those who said it", () =>
      lines.every((line) => line.messages.at(-1)?.seq === target),
    );
  }
  expect(lines.map(({ closed }) => closed)).toEqual(lines.map(() => undefined));
  for (const line of lines) line.close();
}

interface Case {
  readonly what: string;
  readonly count: number;
  open(room: string, count: number): Promise<Socket[]>;
  /** Messages of 16 KiB. */
  readonly messages: number;
  /**
   * By how much the server may grow, MiB: what the readers' windows let through (32 KiB each, and what the kernel of
   * one machine takes at either end), and the garbage that the flood itself makes, up to 90 MiB. Without a window, 400
   * sockets cost gigabytes.
   */
  readonly growth: number;
}

const CASES: readonly Case[] = [
  {
    what: "400 sockets",
    count: 400,
    open: (room, count) => stallMany(count, `/api/rooms/${room}/ws`, upgrade),
    messages: 600,
    growth: 192,
  },
  {
    what: "100 event streams",
    count: 100,
    open: (room, count) => stallMany(count, `/api/rooms/${room}/events`, () => ""),
    messages: 1_000,
    growth: 256,
  },
];

describe.each(CASES)("$what that read nothing", ({ count, open, messages, growth }) => {
  it("cost a bounded part of the memory, delay nobody, and are let go of", async () => {
    const room = await writer.makeRoom(key);
    const reader = await new Visitor(server, "192.0.2.2").enter(room);
    const sockets = await open(room, count);
    await until("all are counted", async () => (await spectators(room)) === count + 1);
    const before = server.residentBytes;
    await flood(room, messages);
    await until("the reader has everything", () => reader.messages.length === messages || reader.closed);
    expect([reader.messages.length, reader.closed]).toEqual([messages, undefined]);
    expect((server.residentBytes - before) / MIB).toBeLessThan(growth);

    // Who owes an answer for thirty seconds is closed.
    await until("they are counted out", async () => (await spectators(room)) === 1, 120_000);
    expect(reader.closed).toBeUndefined();
    await expectNoPlaceFor(count, room);
    for (const socket of sockets) socket.destroy();
    await until("the address may come again", () => mayEnter(room));
    reader.close();
  });
});

/** Their address can't open as many sockets again while the ones that were closed hold what they did not read. */
async function expectNoPlaceFor(count: number, room: string): Promise<void> {
  expect((await new Visitor(server, "192.0.2.3").enter(room)).closed).toBeUndefined();
  const entered = await mayEnter(room);
  // A hundred are less than an address may have, so that there is a place left.
  expect(entered).toBe(count < SOCKETS_PER_ADDRESS / 2);
}

async function mayEnter(room: string): Promise<boolean> {
  const other = await new Visitor(server, BAD_ADDRESS).enter(room);
  await until("it is welcomed or turned away", () => other.frames.length > 0);
  const { closed, frames } = other;
  other.close();
  return closed === undefined && frames[0]?.type === "welcome";
}
