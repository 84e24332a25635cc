/**
 * Thousands of watchers of rooms, each of whom comes back by itself with its cursor, as a client does. Each looks whether
 * it gets every message once and in order; what a message is, all of them have to agree on.
 */

import { LoadSocket } from "../../bench/load/socket.ts";
import type { Message, ServerFrame } from "../../party/protocol.ts";

/** When a client connects again, ms after it was cut off: as the project's own clients do. */
const COMES_BACK = { earliest: 500, within: 2_500 };

export class Crowd implements Disposable {
  readonly #members: Member[] = [];
  /** What is not as it should be, the first few of it. */
  readonly faults: string[] = [];
  /** How often a connection has ended, by how. */
  readonly ends = new Map<string, number>();
  resets = 0;
  /** The ids of messages, by room and seq, as the first member got them. */
  readonly #ids = new Map<string, string[]>();
  #lastText: Buffer | undefined;
  #lastFrame: ServerFrame | undefined;

  /** Lets `count` more watch `room` at `port` of this machine. Each has an address of its own. */
  join(port: number, room: string, count: number): void {
    for (let index = 0; index < count; index++) this.#members.push(new Member(this, port, room, this.#members.length));
  }

  get size(): number {
    return this.#members.length;
  }

  /** How many are connected and welcomed. */
  get present(): number {
    return this.#members.filter(({ isPresent }) => isPresent).length;
  }

  /** Whether all are there and have everything of `room` up to `head`. */
  hasAll(room: string, head: number): boolean {
    return this.#members.every((member) => member.room !== room || (member.isPresent && member.cursor >= head));
  }

  /** How many have ended by now with this close code. */
  endedWith(code: number): number {
    return this.ends.get(`code ${code}`) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member.leave();
  }

  /** What `bytes` say. Most frames are the same for all. */
  read(bytes: Buffer): ServerFrame {
    if (this.#lastFrame && this.#lastText?.equals(bytes)) return this.#lastFrame;
    // The buffer is only lent.
    this.#lastText = Buffer.from(bytes);
    this.#lastFrame = JSON.parse(bytes.toString()) as ServerFrame;
    return this.#lastFrame;
  }

  /** Notes that a member has got `message` of `room`, after the message `before`. */
  take(room: string, message: Message, before: number): void {
    if (message.seq !== before + 1) this.fault(`seq ${message.seq} of ${room} came after ${before}`);
    const ids = this.#ids.get(room) ?? [];
    this.#ids.set(room, ids);
    ids[message.seq] ??= message.id;
    if (ids[message.seq] !== message.id) this.fault(`seq ${message.seq} of ${room} is not the same for all`);
  }

  fault(what: string): void {
    if (this.faults.length < 20) this.faults.push(what);
  }

  ended(how: string): void {
    this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
  }
}

class Member {
  readonly room: string;
  readonly #crowd: Crowd;
  readonly #url: string;
  readonly #address: string;
  #socket: LoadSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #epoch: string | undefined;
  cursor = 0;
  isPresent = false;

  constructor(crowd: Crowd, port: number, room: string, index: number) {
    this.#crowd = crowd;
    this.room = room;
    this.#url = `http://127.0.0.1:${port}/api/rooms/${room}/ws`;
    this.#address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    this.#connect();
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const query = this.#epoch === undefined ? "" : `?after=${this.cursor}&epoch=${this.#epoch}`;
    const handlers = {
      open: () => undefined,
      frame: (bytes: Buffer) => this.#hear(this.#crowd.read(bytes)),
      close: (how: string) => this.#comeBack(how),
    };
    this.#socket = new LoadSocket(new URL(this.#url + query), handlers, this.#address);
  }

  #comeBack(how: string): void {
    if (this.isPresent) this.#crowd.ended(how);
    this.isPresent = false;
    const wait = COMES_BACK.earliest + Math.random() * COMES_BACK.within;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #hear(frame: ServerFrame): void {
    if (frame.type === "check") this.#socket?.send([JSON.stringify({ type: "read", n: frame.n })]);
    else if (frame.type === "update") this.#take(frame.messages ?? []);
    else if (frame.type === "error") this.#crowd.fault(`error ${frame.code}: ${frame.message}`);
    else if (frame.type === "welcome") {
      if (frame.reset) this.#crowd.resets++;
      if (this.#epoch === undefined || frame.reset) {
        this.cursor = frame.messages[0] ? frame.messages[0].seq - 1 : frame.head;
        this.#epoch = frame.epoch;
      }
      this.#take(frame.messages);
      this.isPresent = true;
    }
  }

  #take(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#crowd.take(this.room, message, this.cursor);
      this.cursor = message.seq;
    }
  }
}
