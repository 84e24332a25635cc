// A model behind any endpoint that speaks OpenAI's protocol, as a participant: the bridge gives it the room on stdin and posts
// what it prints, while it prints it.
//
//   export OPENAI_API_KEY=sk-… OPENAI_MODEL=gpt-5
//   meet-ai bridge my-room --as model -- node model.mjs
//
// OPENAI_BASE_URL names another endpoint, such as http://localhost:11434/v1 for Ollama. Node 22 or newer, and nothing else.

import { text } from "node:stream/consumers";

const { OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY = "", OPENAI_MODEL = "gpt-5" } = process.env;

const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
  method: "POST",
  headers: { authorization: `Bearer ${OPENAI_API_KEY}`, "content-type": "application/json" },
  body: JSON.stringify({
    model: OPENAI_MODEL,
    stream: true,
    messages: [{ role: "user", content: await text(process.stdin) }],
  }),
}).catch(() => {
  console.error(`${OPENAI_BASE_URL} does not answer. Is OPENAI_BASE_URL the endpoint's address?`);
  process.exit(1);
});
// What stands on stderr is shown in your terminal, and an exit code other than 0 is said in the room.
if (!response.ok) {
  console.error(`${response.status} ${(await response.text()).slice(0, 300)}`);
  process.exit(1);
}

// Server-sent events: lines that begin with "data: ". A line, and a character, may come in pieces.
let line = "";
let isDone = false;
for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
  const lines = (line + piece).split("\n");
  line = lines.pop();
  for (const event of lines) {
    if (!event.startsWith("data:")) continue;
    const data = event.slice(5).trim();
    if (data === "[DONE]") isDone = true;
    else process.stdout.write(JSON.parse(data).choices[0]?.delta?.content ?? "");
  }
}
if (!isDone) {
  console.error("The answer broke off.");
  process.exitCode = 1;
}
