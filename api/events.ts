/** A room as Server-Sent Events: the same frames as the socket's, for clients that only read. */

import { Hono } from "hono";
import { CLOSE, HEARTBEAT, PING, PONG, type ServerFrame } from "../party/protocol.ts";
import type { Cursor } from "../party/room-rpc.ts";
import { type Call, queryOf, roomIdOf } from "./request.ts";
import { AgentQuery } from "./schemas/messages.ts";
import { cursorOf, knowsErasures, openStream, ownSocket } from "./socket.ts";

export const events = new Hono<{ Bindings: Env }>();

/** How long the last event may take to reach a client, ms. One that has stopped reading never takes it. */
const END_TAKES = 5_000;

events.get("/:id/events", async (c) => {
  // HEAD comes here too. It has no body whose end would end the socket.
  if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
  const socket = await ownSocket(
    await openStream(
      c,
      roomIdOf(c),
      { cursor: resumeFrom(c), knowsErasures: knowsErasures(c) },
      queryOf(c, AgentQuery).as,
    ),
  );
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let position = { epoch: "", head: 0 };
  /** Writes that the client has not taken yet. The room's flow control bounds what is in them. */
  let waiting = 0;
  // One write after the other: what the client has not taken yet is not confirmed to the room either.
  let written: Promise<unknown> = Promise.resolve();
  const write = (text: string, after?: () => void) => {
    waiting++;
    written = written
      .then(() => writer.write(encoder.encode(text)))
      .then(() => {
        waiting--;
        after?.();
      })
      .catch(abort);
  };
  const heartbeat = setInterval(() => {
    // A client that takes nothing is silent, and the room lets go of silent peers.
    if (waiting > 0) return;
    socket.send(PING);
    write(": \n\n");
  }, HEARTBEAT.every);
  function leave(): void {
    clearInterval(heartbeat);
    socket.close(1000);
  }
  function end(): void {
    leave();
    writer.close().catch(() => undefined);
  }
  /** Ends the stream where it is, so that its connection goes away with what the client has not taken. */
  function abort(): void {
    leave();
    writer.abort(new Error("The reader of these events has stopped reading.")).catch(() => undefined);
  }

  write("retry: 2000\n\n");
  socket.addEventListener("message", ({ data }) => {
    if (data === PONG) return;
    const text = data as string;
    if (text.startsWith(UPDATE)) {
      position = { ...position, head: lastSeq(text) ?? position.head };
      write(`event: update\nid: ${position.epoch}.${position.head}\ndata: ${text}\n\n`);
      return;
    }
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === "check") {
      // The room may have closed the socket before the client takes this: it is still to be told how that was.
      const answer = () => {
        if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "read", n: frame.n }));
      };
      write("", answer);
      return;
    }
    if (frame.type === "welcome") position = { epoch: frame.epoch, head: frame.messages.at(-1)?.seq ?? frame.head };
    const id = frame.type === "error" ? "" : `id: ${position.epoch}.${position.head}\n`;
    write(`event: ${frame.type}\n${id}data: ${text}\n\n`);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    leave();
    if (code === CLOSE.tooSlow) return abort();
    const tooLong = setTimeout(abort, END_TAKES);
    write(`event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`, () => {
      clearTimeout(tooLong);
      end();
    });
  });
  writer.closed.catch(abort);

  return c.body(readable, 200, HEADERS);
});

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

/** How an update begins. There are as many of them as there are listeners, so they are passed on without being parsed. */
const UPDATE = '{"type":"update"';

/** The seq of the last message in an update's JSON. What it begins with can't stand in a string, which has \\" for ". */
function lastSeq(text: string): number | undefined {
  const at = text.lastIndexOf(MESSAGE);
  return at === -1 ? undefined : Number.parseInt(text.slice(at + MESSAGE.length, at + MESSAGE.length + 16), 10);
}

/** How a message begins. */
const MESSAGE = '{"seq":';

/** Where the client wants to go on: from the id of the last event that it has, or from the query. */
function resumeFrom(c: Call): Cursor | undefined {
  const [, epoch, after] = /^([A-Za-z0-9_-]{1,32})\.(\d{1,15})$/.exec(c.req.header("last-event-id") ?? "") ?? [];
  return after === undefined ? cursorOf(c) : { after: Number(after), epoch };
}
