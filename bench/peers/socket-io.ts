/**
 * Socket.IO with connectionStateRecovery: what it recovers after a short disconnect is kept in memory, nothing on disk.
 *
 *     node bench/peers/socket-io.ts PORT
 */

import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
});
io.on("connection", (socket) => {
  const room = socket.handshake.query.room ?? "lobby";
  socket.join(room);
  socket.on("message", (message) => io.to(room).emit("message", message));
});
http.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
