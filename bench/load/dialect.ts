/**
 * What goes over the wire to each kind of room, so that one generator can load them all. Every dialect carries the same
 * messages: an id that says whose it is and its number, and a content that begins with the time at which it was sent.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckFrame, HEARTBEAT, PING, type UpdateFrame, type WelcomeFrame } from "../../party/protocol.ts";

/** Length of a message's content, in bytes; what is said in a chat is about as long. */
const CONTENT_LENGTH = 100;

const WRITER_DIGITS = 3;
const NUMBER_DIGITS = 8;
const STAMP_DIGITS = 16;
const ID_LENGTH = "w".length + WRITER_DIGITS + "-".length + NUMBER_DIGITS;

/**
 * What messages are made of: letters and spaces of a page of ours. Each message has the next piece of it, because what
 * is stored is compressed, and the same piece again would hardly take any place.
 */
const PROSE = readFileSync(join(import.meta.dirname, "../../docs/decisions.md"), "utf8").replaceAll(/[^a-zA-Z]+/g, " ");
let proseAt = 0;

/** µs on a clock that all processes of this machine share. */
export function clock(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** One message as the generator sees it. */
export interface Receipt {
  /** Who wrote it: the writer's index. */
  readonly writer: number;
  /** The number that its writer gave it: 0, 1, 2 … */
  readonly number: number;
  /** When it was sent, on `clock`. */
  readonly sentAt: number;
}

interface Seqs {
  readonly first: number;
  readonly last: number;
}

/** Where a room is: its newest message, and of which history. */
export interface Place {
  readonly head: number;
  readonly epoch: string;
}

const NONE: readonly Receipt[] = [];

export interface Dialect {
  /** What follows the origin in a room's address; with a `place`, to go on from there where the room can. */
  path(room: string, place?: Place): string;
  /** What a connection says when it is open: as a writer with `credential`, or as one that only reads. */
  opening(credential: string | undefined): string[];
  /** Whether this frame tells a connection that it is all set. Without it, it is when it is open. */
  isReady?(frame: Buffer, writes: boolean): boolean;
  send(id: string, content: string): string;
  /** The messages of a frame. */
  read(frame: Buffer): readonly Receipt[];
  /** How many messages a frame has. Cheap: it is asked for every frame of every subscriber. */
  count(frame: Buffer): number;
  /** The messages of a frame that `writer` wrote. Cheap: it is asked for every frame of every writer. */
  own(frame: Buffer, writer: number): readonly Receipt[];
  /** Where the room numbers its messages: the seqs of a frame's first and last one. */
  seqs?(frame: Buffer): Seqs | undefined;
  /** Where the room is, as the frame says that makes a connection ready. */
  place?(ready: Buffer): Place;
  /** How many messages that frame has; `NaN` when the room could not go on from where it was asked to. */
  welcomed?(ready: Buffer): number;
  /** A refusal, in words. */
  refusal?(frame: Buffer): string | undefined;
  /** What must be answered to a frame that is not a message, if anything. */
  answer?(frame: Buffer): string | undefined;
  /** What keeps a connection alive, and how often, ms. */
  readonly heartbeat?: { readonly every: number; readonly frame: string };
}

/** The id of a writer's message. */
export function messageId(writer: number, number: number): string {
  return `w${String(writer).padStart(WRITER_DIGITS, "0")}-${String(number).padStart(NUMBER_DIGITS, "0")}`;
}

/** A content that begins with the time. */
export function stampedContent(): string {
  const length = CONTENT_LENGTH - STAMP_DIGITS;
  proseAt = (proseAt + length) % (PROSE.length - 2 * length);
  // A room takes the spaces at the end away.
  const piece = PROSE.slice(proseAt, proseAt + length - 1);
  return `${String(Math.round(clock())).padStart(STAMP_DIGITS, "0")}${piece}.`;
}

function toReceipt(id: string, content: string): Receipt {
  return {
    writer: Number(id.slice(1, 1 + WRITER_DIGITS)),
    number: Number(id.slice(2 + WRITER_DIGITS)),
    sentAt: Number(content.slice(0, STAMP_DIGITS)),
  };
}

/** A dialect whose frames are `before` + `{"id":"…","content":"…` and so on: one message each, read at fixed places. */
function oneMessageAFrame(before: string): Pick<Dialect, "read" | "count" | "own"> {
  const idAt = `${before}{"id":"`.length;
  const contentAt = idAt + ID_LENGTH + '","content":"'.length;
  // What is not a message is shorter.
  const isMessage = (frame: Buffer): boolean => frame.length > contentAt + CONTENT_LENGTH && frame[idAt] === 0x77;
  const receipt = (frame: Buffer): Receipt =>
    toReceipt(
      frame.toString("latin1", idAt, idAt + ID_LENGTH),
      frame.toString("latin1", contentAt, contentAt + STAMP_DIGITS),
    );
  const writerOf = (frame: Buffer): number => {
    let writer = 0;
    for (let at = idAt + 1; at <= idAt + WRITER_DIGITS; at++) writer = writer * 10 + (frame[at] as number) - 0x30;
    return writer;
  };
  return {
    read: (frame) => (isMessage(frame) ? [receipt(frame)] : NONE),
    count: (frame) => (isMessage(frame) ? 1 : 0),
    own: (frame, writer) => (isMessage(frame) && writerOf(frame) === writer ? [receipt(frame)] : NONE),
  };
}

/** The peers that speak plain frames of JSON. */
const plain: Dialect = {
  path: (room) => `/${room}`,
  opening: () => [],
  send: (id, content) => `{"id":"${id}","content":"${content}"}`,
  ...oneMessageAFrame(""),
};

/** Engine.IO 4 and Socket.IO 5 on a WebSocket: socket.io-client itself would be the limit of every measurement. */
const socketIo: Dialect = {
  path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  opening: () => ["40"],
  isReady: (frame) => frame.toString("latin1", 0, 2) === "40",
  send: (id, content) => `42["message",{"id":"${id}","content":"${content}"}]`,
  answer: (frame) => (frame.length === 1 && frame[0] === 0x32 ? "3" : undefined),
  ...oneMessageAFrame('42["message",'),
};

/** A parsed frame of this project's. */
interface ReadUpdate {
  readonly receipts: readonly Receipt[];
  readonly seqs: Seqs | undefined;
  readonly byWriter: ReadonlyMap<number, Receipt[]>;
}

const NO_UPDATE: ReadUpdate = { receipts: NONE, seqs: undefined, byWriter: new Map() };

/** How many of the latest distinct frames are remembered. */
const REMEMBERED = 16;

/** This project's own. Everybody is sent the same bytes, so each distinct frame is parsed once. */
function meetAi(): Dialect {
  const remembered: { frame: Buffer; update: ReadUpdate }[] = [];
  let next = 0;
  const read = (frame: Buffer): ReadUpdate => {
    if (!startsWith(frame, '{"type":"update"')) return NO_UPDATE;
    for (let back = 1; back <= remembered.length; back++) {
      const known = remembered[(next - back + REMEMBERED) % REMEMBERED];
      if (known?.frame.length === frame.length && known.frame.equals(frame)) return known.update;
    }
    const update = parseUpdate(frame);
    remembered[next] = { frame: Buffer.from(frame), update };
    next = (next + 1) % REMEMBERED;
    return update;
  };
  return {
    path: (room, place) => `/api/rooms/${room}/ws${place ? `?after=${place.head}&epoch=${place.epoch}` : ""}`,
    opening: (key) => (key ? [JSON.stringify({ type: "hello", key })] : []),
    isReady: (frame, writes) => startsWith(frame, writes ? '{"type":"you"' : '{"type":"welcome"'),
    send: (id, content) => `{"type":"send","id":"${id}","content":"${content}"}`,
    read: (frame) => read(frame).receipts,
    seqs: (frame) => read(frame).seqs,
    count: (frame) => read(frame).receipts.length,
    own: (frame, writer) => read(frame).byWriter.get(writer) ?? NONE,
    answer: (frame) => {
      if (!startsWith(frame, '{"type":"check"')) return undefined;
      const { n } = JSON.parse(frame.toString()) as CheckFrame;
      return JSON.stringify({ type: "read", n });
    },
    place: (ready) => {
      const { head, epoch } = JSON.parse(ready.toString()) as WelcomeFrame;
      return { head, epoch };
    },
    welcomed: (ready) => {
      const { messages, reset } = JSON.parse(ready.toString()) as WelcomeFrame;
      return reset ? Number.NaN : messages.length;
    },
    refusal: (frame) => (startsWith(frame, '{"type":"error"') ? frame.toString() : undefined),
    heartbeat: { every: HEARTBEAT.every, frame: PING },
  };
}

function startsWith(frame: Buffer, start: string): boolean {
  return frame.toString("latin1", 0, start.length) === start;
}

function parseUpdate(frame: Buffer): ReadUpdate {
  const { messages = [] } = JSON.parse(frame.toString()) as UpdateFrame;
  const receipts = messages.map(({ id, content }) => toReceipt(id, content));
  const [first, last] = [messages[0], messages.at(-1)];
  return {
    receipts,
    byWriter: Map.groupBy(receipts, ({ writer }) => writer),
    seqs: first && last && { first: first.seq, last: last.seq },
  };
}

const DIALECTS = { plain, "socket.io": socketIo, "meet-ai": meetAi() } as const;

export type DialectName = keyof typeof DIALECTS;

export function dialect(name: DialectName): Dialect {
  return DIALECTS[name];
}
