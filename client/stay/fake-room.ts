/** A connection and a writer on a socket and a clock that do what a test says. */

import type { Message, YouFrame } from "../../party/protocol.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Credentials } from "./credentials.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeSocket, run, welcome } from "./fake-socket.ts";
import type { RoomEvent } from "./room-event.ts";
import { Writer, type WriterOptions } from "./writer.ts";

const QUOTA = { limit: 5, remaining: 5, window: 60 };
export const YOU: YouFrame = { type: "you", sender: "~brisk-lynx-4f2a9c", owner: false, quota: QUOTA };
export const GUEST: Credentials = { guest: "a".repeat(22) };

/** Nothing is connected yet. */
export function setUp(options: Partial<ConnectionOptions> & WriterOptions = {}) {
  let socket: FakeSocket | undefined;
  const clock = new FakeClock();
  const connection = new Connection({
    server: "https://meet.example/",
    room: "lobby",
    ...options,
    deps: {
      clock,
      openSocket: (options) => {
        socket = new FakeSocket(options);
        return socket;
      },
      ...options.deps,
    },
  });
  const events: RoomEvent[] = [];
  connection.subscribe((event) => events.push(event));
  const heard: Message[] = [];
  connection.on("messages", ({ messages }) => heard.push(...messages));
  const writer = new Writer(connection, options);
  writer.subscribe((event) => events.push(event));
  const seqs = () => heard.map(({ seq }) => seq);
  return { connection, writer, socket: socket as FakeSocket, clock, events, heard, seqs };
}

/** A participant, welcomed. */
export function joined(options: WriterOptions = {}) {
  const room = setUp({ credentials: GUEST, ...options });
  room.socket.open();
  room.socket.deliver(welcome(run(1, 3)));
  room.socket.deliver(YOU);
  return room;
}

/** The connection is lost and comes back; the room has nothing new. */
export function comeBack(socket: FakeSocket, code?: number): void {
  socket.lose(code);
  socket.open();
  socket.deliver(welcome([], { head: 3 }));
  socket.deliver(YOU);
}

export const last = <Type extends RoomEvent["type"]>(events: RoomEvent[], type: Type) =>
  events.findLast((event) => event.type === type) as Extract<RoomEvent, { type: Type }> | undefined;
export const sends = (socket: FakeSocket) => socket.sent.filter((frame) => frame.type === "send");
export const drafts = (socket: FakeSocket) => socket.sent.filter((frame) => frame.type === "draft");
