// A bot that helps to moderate a room: it approves what waits and looks harmless, refuses what does not, and mutes who floods.
//
//   MEET_AI_KEY=mai_… node moderator.mjs lobby http://localhost:8787
//
// Node 22 or newer. The key is a person's whom the owner has made a moderator: PUT /api/rooms/:id/members/:handle.

const [room = "lobby", server = "http://localhost:8787"] = process.argv.slice(2);
const key = process.env.MEET_AI_KEY;
if (!key) end(`MEET_AI_KEY is not set. Get a key at ${server}/key`);
// Only at the start: later it comes back by itself, however long the server is away.
const late = setTimeout(() => end(`${server} does not answer. Is the server there?`), 10_000);

const UNWANTED = /casino|crypto airdrop|t\.me\//i;
const FLOOD = 3; // so many unwanted ones of one sender are too many
const HOUR = 3_600_000;

/** Calls the room's API as the moderator. */
async function call(method, path, body) {
  const response = await fetch(`${server}/api/rooms/${room}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? undefined : await response.json();
  // Another moderator was faster, or the author was muted meanwhile: that is no failure of ours.
  if (!response.ok && ![404, 409].includes(response.status)) throw new Error(`${path}: ${answer.error.message}`);
  return answer;
}

const unwanted = new Map(); // how many unwanted messages there were, by sender

async function look() {
  const { held } = await call("GET", "/held");
  for (const { id, sender, content } of held) {
    const isUnwanted = UNWANTED.test(content);
    await call("POST", `/held/${id}/${isUnwanted ? "refuse" : "approve"}`);
    console.log(`${isUnwanted ? "refused" : "approved"} ${sender}`);
    if (!isUnwanted) continue;
    unwanted.set(sender, (unwanted.get(sender) ?? 0) + 1);
    if (unwanted.get(sender) < FLOOD) continue;
    // The address, too: otherwise they are back under another name in a moment.
    const until = new Date(Date.now() + HOUR).toISOString();
    await call("PUT", `/mutes/${encodeURIComponent(sender)}`, { until, address: true });
    unwanted.delete(sender);
    console.log(`muted ${sender}`);
  }
}

// A moderator's socket is told when something waits.
const PAUSE = 2_000;
for (;;) {
  const socket = new WebSocket(`${server.replace(/^http/, "ws")}/api/rooms/${room}/ws`);
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("ping"), 10_000);
  let work = Promise.resolve();
  let refusal;
  const sayHello = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ type: "hello", key }));
  socket.addEventListener("open", sayHello);
  socket.addEventListener("message", ({ data }) => {
    clearTimeout(late);
    if (data === "pong") return;
    const frame = JSON.parse(data);
    if (frame.type === "check") socket.send(JSON.stringify({ type: "read", n: frame.n }));
    if (frame.type === "error") {
      refusal = frame.message;
      console.error(frame.code, refusal);
      // Our key can't be checked yet. Any other refusal of it closes the socket.
      if (frame.about === "hello") setTimeout(sayHello, (frame.retryAfter ?? 5) * 1000);
    }
    if (frame.type === "you") console.log(`here as ${frame.sender}, ${frame.role ?? "nobody in particular"}`);
    const isNews = frame.type === "you" || (frame.type === "held" && frame.waiting > 0);
    if (isNews) work = work.then(look).catch((error) => console.error(error.message));
  });
  const { code } = await closed;
  clearInterval(ping);
  if ([4401, 4403, 4404, 4410].includes(code)) {
    end(`${refusal ?? `closed: ${code}`} Look at the room, ${server}/r/${room}, and at MEET_AI_KEY.`);
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/** Ends with a line that says what to do. */
function end(line) {
  console.error(line);
  process.exit(1);
}
