/**
 * A TCP proxy that does to connections what networks do: cuts them, stalls them, closes one direction, lets bytes through
 * in drips. It knows nothing of what it carries.
 */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** A drip, in bytes, and the time between two, in ms: no frame arrives in one piece. */
const DRIP = 48;
const DRIP_EVERY = 2;

export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();

  private constructor(target: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const link = new Link(client, connect({ port: target, host: "localhost", allowHalfOpen: true }));
      this.#links.add(link);
      void link.ended.then(() => this.#links.delete(link));
    });
  }

  /** A proxy on a free port before the port `target` of this machine. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, "localhost");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== "object" || !address) throw new Error("The proxy is closed.");
    return address.port;
  }

  /** The connections that it carries now. */
  get links(): readonly Link[] {
    return [...this.#links];
  }

  /** Cuts everything and takes nothing more. */
  async close(): Promise<void> {
    this.#server.close();
    for (const link of this.#links) link.cut();
    await once(this.#server, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** One connection through the proxy, and what can happen to it. */
export class Link {
  readonly #client: Socket;
  readonly #target: Socket;
  #stalled: { passed: Promise<void>; pass(): void } | undefined;
  #dripping = false;
  /** When both ends are closed. */
  readonly ended: Promise<unknown>;

  constructor(client: Socket, target: Socket) {
    this.#client = client;
    this.#target = target;
    this.ended = Promise.all([closed(client), closed(target)]);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      // An end that breaks takes the other one along, as a cut does.
      this.#carry(from, to).catch(() => this.cut());
    }
  }

  /** Resets both ends. */
  cut(): void {
    this.#client.resetAndDestroy();
    this.#target.resetAndDestroy();
    this.#stalled?.pass();
  }

  /** Holds everything back, both ways; the connection seems to be alive. */
  stall(): void {
    if (this.#stalled) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled = { passed: promise, pass: resolve };
  }

  /** Ends stalls and drips: what was held back arrives now. */
  flow(): void {
    this.#dripping = false;
    this.#stalled?.pass();
    this.#stalled = undefined;
  }

  /** Tells one end that nothing more will come; the other direction goes on. */
  halfClose(end: "client" | "target"): void {
    (end === "client" ? this.#client : this.#target).end();
  }

  /** From now on a few bytes at a time. */
  drip(): void {
    this.#dripping = true;
  }

  async #carry(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let start = 0; start < chunk.length; ) {
        await this.#stalled?.passed;
        const size = this.#dripping ? DRIP : chunk.length;
        const piece = chunk.subarray(start, start + size);
        start += piece.length;
        // After a half-close there is nobody to give it to.
        if (!to.writable) continue;
        if (!to.write(piece)) await Promise.race([once(to, "drain"), closed(to)]);
        if (this.#dripping) await pause(DRIP_EVERY);
      }
    }
    await this.#stalled?.passed;
    if (to.writable) to.end();
  }
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    // Without a listener an error would end the process; what it means is seen where the socket is read.
    socket.on("error", () => undefined);
  });
}
