/**
 * A WebSocket client that costs as little as Node allows: it must keep up with a room that delivers millions of messages
 * a second to it, on the other core of the same machine. It speaks RFC 6455 as far as a load generator needs it: no
 * extensions, unfragmented text, a mask of zeros.
 */

import { connect, type Socket } from "node:net";

/** One buffer for what all sockets read: each frame is handled before the next read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

const TEXT = 1;
const CLOSE = 8;
const PING = 9;

export interface LoadSocketHandlers {
  /** The upgrade was answered. */
  open(): void;
  /** One text frame. The buffer is only lent: it is overwritten after this returns. */
  frame(frame: Buffer): void;
  /** The other end takes more again, after `send` has said that it does not. */
  drain?(): void;
  /** The connection ended, and how: with a close code, an error, or another answer than an upgrade. */
  close(how: string): void;
}

export class LoadSocket {
  readonly #socket: Socket;
  readonly #handlers: LoadSocketHandlers;
  #upgraded = false;
  #closed = false;
  /** The beginning of a frame whose end has not come yet, with room for all of it. */
  #partial: Buffer | undefined;
  #partialLength = 0;

  /** `address`: the client address that the request names, as the network in front of a Worker would. */
  constructor(url: URL, handlers: LoadSocketHandlers, address?: string) {
    this.#handlers = handlers;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(READ_BUFFER.subarray(0, length)) },
    });
    this.#socket.on("drain", () => this.#handlers.drain?.());
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("no close frame"));
    this.#socket.write(upgradeRequest(url, address));
  }

  /** Sends text frames, all in one write. Returns whether the other end takes more at once. */
  send(texts: readonly string[]): boolean {
    return !this.#closed && texts.length > 0 && this.#socket.write(encodeFrames(texts));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): boolean {
    if (this.#closed) return false;
    if (!this.#upgraded) {
      const rest = this.#upgrade(bytes);
      if (rest === undefined) return true;
      bytes = rest;
    }
    let offset = this.#partial ? this.#complete(bytes) : 0;
    while (offset < bytes.length) {
      const size = frameSize(bytes, offset);
      if (size === undefined || offset + size > bytes.length) {
        this.#partial = Buffer.allocUnsafe(Math.max(size ?? 0, 64));
        this.#partialLength = bytes.copy(this.#partial, 0, offset);
        break;
      }
      this.#handle(bytes, offset, size);
      offset += size;
    }
    return true;
  }

  /** Adds what the begun frame lacks. Returns how much of `bytes` that took. */
  #complete(bytes: Buffer): number {
    let taken = 0;
    while (this.#partial) {
      const size = frameSize(this.#partial.subarray(0, this.#partialLength), 0);
      if (size !== undefined && this.#partialLength >= size) {
        const frame = this.#partial;
        this.#partial = undefined;
        this.#handle(frame, 0, size);
        return taken;
      }
      if (taken === bytes.length) return taken;
      if (size !== undefined && size > this.#partial.length) {
        const larger = Buffer.allocUnsafe(size);
        this.#partial.copy(larger, 0, 0, this.#partialLength);
        this.#partial = larger;
      }
      // While the header is not whole, byte by byte: the rest may belong to the next frame.
      const wanted = size === undefined ? 1 : size - this.#partialLength;
      const copied = bytes.copy(this.#partial, this.#partialLength, taken, Math.min(bytes.length, taken + wanted));
      this.#partialLength += copied;
      taken += copied;
    }
    return taken;
  }

  #handle(bytes: Buffer, offset: number, size: number): void {
    const opcode = bytes.readUInt8(offset) & 0x0f;
    const payload = bytes.subarray(offset + headerSize(bytes, offset), offset + size);
    if (opcode === TEXT) this.#handlers.frame(payload);
    else if (opcode === CLOSE) this.#end(`code ${payload.length >= 2 ? payload.readUInt16BE(0) : 1005}`);
    else if (opcode === PING) this.#socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
  }

  /** Returns what follows the response's head; `undefined` when there is no whole head yet, or a refusal. */
  #upgrade(bytes: Buffer): Buffer | undefined {
    const head = this.#partial ? Buffer.concat([this.#partial, bytes]) : Buffer.from(bytes);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) {
      this.#partial = head;
      return undefined;
    }
    this.#partial = undefined;
    if (!head.toString("latin1", 0, 12).endsWith("101")) {
      this.#end(`"${head.toString("latin1").split("\r\n", 1)[0]}"`);
      return undefined;
    }
    this.#upgraded = true;
    this.#handlers.open();
    return head.subarray(end + 4);
  }

  #end(how: string): void {
    if (this.#closed) return;
    this.close();
    this.#handlers.close(how);
  }
}

/** The request with which a WebSocket begins; `address` as the constructor takes it. */
export function upgradeRequest(url: URL, address?: string): string {
  return (
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    (address === undefined ? "" : `X-Forwarded-For: ${address}\r\n`) +
    "Sec-WebSocket-Key: bWVldC1haS1iZW5jaC0xMg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
  );
}

/** The length of a server's frame with its header; `undefined` when the header is not all there. */
function frameSize(bytes: Buffer, offset: number): number | undefined {
  if (bytes.length - offset < 2) return undefined;
  const short = bytes.readUInt8(offset + 1) & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 126) return bytes.length - offset < 4 ? undefined : 4 + bytes.readUInt16BE(offset + 2);
  // The upper half is zero for anything that a room may send.
  return bytes.length - offset < 10 ? undefined : 10 + bytes.readUInt32BE(offset + 6);
}

function headerSize(bytes: Buffer, offset: number): number {
  const short = bytes.readUInt8(offset + 1) & 0x7f;
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

function encodeFrames(texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const total = sizes.reduce((sum, size) => sum + size + (size < 126 ? 6 : 8), 0);
  const bytes = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const [index, text] of texts.entries()) {
    const size = sizes[index] as number;
    if (size > 0xffff) throw new RangeError("The load generator sends no frame of more than 65,535 bytes.");
    offset = bytes.writeUInt8(0x81, offset);
    if (size < 126) offset = bytes.writeUInt8(0x80 | size, offset);
    else offset = bytes.writeUInt16BE(size, bytes.writeUInt8(0x80 | 126, offset));
    offset = bytes.writeUInt32BE(0, offset);
    offset += bytes.write(text, offset);
  }
  return bytes;
}
