/** A peer that opens a WebSocket, or an event stream, and never reads: the worst that a reader can do without a word. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class StalledReader implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Opens `path` at `port` of this machine, as a WebSocket or as an event stream, and reads nothing of the answer. */
  static async open(port: number, path: string, as: "socket" | "events"): Promise<StalledReader> {
    const socket = connect(port, "localhost");
    // The server may close it, or die: then it has been a stalled reader for as long as it could.
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.pause();
    const upgrade = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ];
    const headers = ["Host: localhost", ...(as === "socket" ? upgrade : ["Accept: text/event-stream"])];
    socket.write(`GET ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
    return new StalledReader(socket);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
