/**
 * The classic: one Node process, `ws` and SQLite through better-sqlite3, one insert a message, then the broadcast.
 * Synchronous FULL in WAL mode is what "it is on disk" means for the rooms in a Durable Object, too.
 *
 *     node bench/peers/ws-sqlite.ts PORT DIRECTORY
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type ServerSocket, WebSocketServer } from "ws";

const [port, directory] = process.argv.slice(2) as [string, string];

const database = new Database(join(directory, "chat.sqlite"));
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");
database.exec(
  "CREATE TABLE messages (seq INTEGER PRIMARY KEY, id TEXT, room TEXT, sender TEXT, content TEXT, created_at TEXT)",
);
const insert = database.prepare("INSERT INTO messages (id, room, sender, content, created_at) VALUES (?, ?, ?, ?, ?)");

const rooms = new Map<string, Set<ServerSocket>>();

const server = new WebSocketServer({ port: Number(port), host: "127.0.0.1" });
server.on("connection", (socket, request) => {
  const room = request.url ?? "/";
  const sockets = rooms.get(room) ?? new Set();
  rooms.set(room, sockets.add(socket));
  const sender = randomUUID();
  socket.on("message", (data) => {
    const { id, content } = JSON.parse(data.toString()) as { id: string; content: string };
    const createdAt = new Date().toISOString();
    insert.run(id, room, sender, content, createdAt);
    const message = JSON.stringify({ id, content, sender, createdAt });
    for (const each of sockets) each.send(message);
  });
  socket.on("close", () => sockets.delete(socket));
});
server.on("listening", () => console.log("ready"));
