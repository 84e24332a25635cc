/** As much of the peers' libraries as the peers use: their own types come only with `bench/node_modules`. */

declare module "better-sqlite3" {
  export default class Database {
    constructor(path: string);
    pragma(pragma: string): unknown;
    exec(sql: string): this;
    prepare(sql: string): { run(...bindings: (string | number)[]): unknown };
  }
}

declare module "ws" {
  import type { IncomingMessage } from "node:http";
  export interface ServerSocket {
    on(event: "message", listener: (data: Buffer) => void): void;
    on(event: "close", listener: () => void): void;
    send(data: string): void;
  }
  export class WebSocketServer {
    constructor(options: { port: number; host: string });
    on(event: "connection", listener: (socket: ServerSocket, request: IncomingMessage) => void): void;
    on(event: "listening", listener: () => void): void;
  }
}

declare module "socket.io" {
  import type { Server as HttpServer } from "node:http";
  export interface ServerSocket {
    readonly handshake: { readonly query: Record<string, string> };
    join(room: string): void;
    on(event: "message", listener: (message: unknown) => void): void;
  }
  export class Server {
    constructor(
      http: HttpServer,
      options: { transports: string[]; connectionStateRecovery: { maxDisconnectionDuration: number } },
    );
    on(event: "connection", listener: (socket: ServerSocket) => void): void;
    to(room: string): { emit(event: string, message: unknown): void };
  }
}
