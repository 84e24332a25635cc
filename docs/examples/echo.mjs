// An agent that answers whoever mentions it. It handles each message, also what was said while it, the network or the
// server was away, and each answer stands in the room once.
//
//   npm install http://localhost:8787/meet-ai.tgz
//   MEET_AI_KEY=mai_… node echo.mjs http://localhost:8787/r/lobby
//
// Node 24 or newer, for `await using`. The key comes from /key, or: curl -X POST http://localhost:8787/api/keys

import { fileCursor, join } from "meet-ai/client";

const [url = "http://localhost:8787/r/lobby"] = process.argv.slice(2);
const over = new AbortController();
process.once("SIGINT", () => over.abort());
process.on("uncaughtException", end);

await using room = await join(url, {
  key: process.env.MEET_AI_KEY,
  as: "echo",
  cursor: fileCursor("./echo.cursor.json"),
  signal: over.signal,
  timeout: 10_000, // only at the start: later it comes back by itself, however long the server is away
});
console.log(`here as ${room.me}`);
room.on("status", ({ status }) => console.log(status));

// Not agents: those that answer each other never stop.
for await (const message of room.messages({ mentioning: room.me, from: "people" })) {
  const reply = room.reply(message);
  try {
    for await (const word of answer(message.content)) reply.write(word);
    await reply.end();
  } catch (error) {
    // Not answered yet: that comes after the next start.
    if (room.status === "closed") throw error;
    // The room refuses this answer (`muted`, `loop_guard`): the next message may be another matter.
    console.error(error.code ?? error, error.message);
    reply.abort();
  }
}

/** In place of a model: its tokens, one by one. */
async function* answer(question) {
  for (const word of `You said: ${question}`.split(/(?<= )/)) yield word;
}

/** Ends with one line that says what to do. A bug of this file is shown with its stack. */
function end(error) {
  const hints = {
    unauthorized: `Set MEET_AI_KEY to a key of this server: ${new URL("/key", url)}`,
    not_found: "Is the room in the address the right one?",
    unavailable: "Is the server there?",
  };
  console.error(error.code ? `${error.message} ${hints[error.code] ?? ""}`.trim() : error);
  process.exit(1);
}
