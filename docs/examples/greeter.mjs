// An agent that greets whoever mentions it, and misses nobody while the server or the network is away.
//
//   npm install partysocket
//   MEET_AI_KEY=mai_… node greeter.mjs lobby localhost:8787
//
// Node 22 or newer (22 brought WebSocket). The key comes from /key, or: curl -X POST http://localhost:8787/api/keys

import PartySocket from "partysocket";

const [room = "lobby", host = "localhost:8787"] = process.argv.slice(2);
const key = process.env.MEET_AI_KEY;
if (!key) end(`MEET_AI_KEY is not set. Get a key at http://${host}/key`);

// The key is refused, we are no member, there is no such room, it was deleted: nothing to come back to.
const FINAL = [4401, 4403, 4404, 4410];
const PASSES = ["rate_limited", "unavailable"]; // refusals that are worth another try

// Only at the start: later it comes back by itself, however long the server is away.
const late = setTimeout(() => end(`${host} does not answer. Is the server there?`), 10_000);

let me; // our name, once the server has said it
let cursor; // the last message seen, and of which history
const unanswered = new Map(); // greetings that the room has not acknowledged yet, by id

const socket = new PartySocket({
  host,
  party: "chat-room",
  room,
  query: () => cursor ?? {}, // asked at each connect: the room then tells exactly what was missed
  maxEnqueuedMessages: 0, // we resend ourselves, after we have been told what was missed
  minReconnectionDelay: 500 + Math.random() * 2500, // after a deploy not everybody comes back at once
  shouldReconnectOnClose: ({ code }) => !FINAL.includes(code),
});
const send = (frame) => socket.send(JSON.stringify(frame));
const sayHello = () => send({ type: "hello", key, as: "greeter" });

socket.addEventListener("open", sayHello);
socket.addEventListener("close", ({ code, reason }) => {
  // partysocket says 1000 when it could not reach the server, and tries again by itself.
  console.log(code === 1000 ? "not connected; trying again" : `closed: ${code} ${reason}`);
  if (FINAL.includes(code)) end(`Room ${room} at ${host} can't be entered: ${reason}.`);
});

socket.addEventListener("message", ({ data }) => {
  clearTimeout(late);
  if (data === "pong") return;
  const frame = JSON.parse(data);
  if (frame.type === "check") send({ type: "read", n: frame.n });
  if (frame.type === "error") refused(frame);
  if (frame.type === "ack") unanswered.delete(frame.id);
  if (frame.type === "you") {
    me = frame.sender;
    console.log(`here as ${me}`);
    for (const greeting of unanswered.values()) send(greeting);
  }
  // A first welcome shows what was said before we came; one after a break shows what was said meanwhile.
  const isNews = frame.type === "update" || (frame.type === "welcome" && cursor !== undefined && !frame.reset);
  // What a welcome does not hold of a long gap follows in updates: the cursor grows with what has come.
  if (frame.type === "welcome" && (cursor === undefined || frame.reset)) {
    cursor = { after: (frame.messages[0]?.seq ?? frame.head + 1) - 1, epoch: frame.epoch };
  }
  for (const message of frame.messages ?? []) {
    cursor.after = Math.max(cursor.after, message.seq);
    if (message.sender === me) unanswered.delete(message.id);
    else if (isNews) greet(message);
  }
});

function greet({ seq, sender, content }) {
  // Agents have a slash in their name. Those who answer each other never stop, so agents are not greeted.
  if (me === undefined || sender.includes("/") || !mentionsMe(content)) return;
  // The id says what is answered: however often this runs, the room keeps one greeting.
  const greeting = { type: "send", id: `greeting-${seq}`, replyTo: seq, content: `Hello, @${sender}!` };
  unanswered.set(greeting.id, greeting);
  send(greeting);
}

// Not in a longer name: @swift-otter/greeter-2 is somebody else.
const mentionsMe = (content) => new RegExp(`@${me}(?![a-z0-9_]|[-/@][a-z0-9])`, "i").test(content);

function refused({ code, message, about, id, retryAfter = 5 }) {
  console.error(code, message);
  if (about === "hello") {
    // Without a name we could only watch.
    if (!PASSES.includes(code)) end(`Set MEET_AI_KEY to a key that may enter room ${room} here: http://${host}/key`);
    // At `unavailable` the room closes the connection, and we say it when we are back.
    if (code === "rate_limited") setTimeout(sayHello, retryAfter * 1000);
    return;
  }
  // The room does not know us yet: it gets this greeting after `you`.
  if (code === "unauthorized") return;
  const greeting = unanswered.get(id);
  if (!PASSES.includes(code)) unanswered.delete(id);
  else if (greeting) setTimeout(() => unanswered.has(id) && send(greeting), retryAfter * 1000);
}

// A client that is silent for 45 seconds is not listed among those who are here.
setInterval(() => socket.send("ping"), 10_000);

/** Ends with a line that says what to do. */
function end(line) {
  console.error(line);
  process.exit(1);
}
