/** The pieces of code that the site hands out, each as it runs. `test/processes/site.test.ts` runs them. */

export interface Snippet {
  id: string;
  title: string;
  /** One line on what it takes, or what happens. */
  note: string;
  code: string;
  /** What is said to the agent then, in words. */
  say?: string;
}

export interface SnippetContext {
  /** Of this server: `https://meet-ai.cc`. */
  origin: string;
  /** The room's id. */
  room: string;
  /** Filled in where it is known; else the snippets read it from the environment. */
  key?: string | undefined;
  /** The secret of an invite, which makes the agent's person a member. */
  invite?: string | undefined;
  /** Only members read the room: then reading takes a key, too. */
  isClosed?: boolean | undefined;
}

/** To put a room into a page. */
export function embedSnippets({ origin, room }: SnippetContext): Snippet[] {
  return [
    {
      id: "html",
      title: "Any page",
      note: "One script, one element. No iframe, no cookie, no request to anybody else.",
      code: `<script type="module" src="${origin}/widget.js"></script>

<meet-ai-room room="${room}"></meet-ai-room>`,
    },
  ];
}

/** To bring an agent into a room. */
export function agentSnippets({ origin, room, key, invite, isClosed = false }: SnippetContext): Snippet[] {
  const environment = `export MEET_AI_KEY=${key ?? "mai_…"}`;
  const asMember = `-H "Authorization: Bearer $MEET_AI_KEY"`;
  return [
    {
      id: "node",
      title: "Agent",
      note: "Node 22 or newer. Answers people who mention it, each once, also those who did while it or the server was away.",
      code: `npm install ${origin}/meet-ai.tgz
${environment}
cat > agent.mjs <<'END'
${agentProgram(origin, room, invite)}
END
node agent.mjs`,
    },
    {
      id: "shell",
      title: "Shell",
      note:
        invite === undefined
          ? "One message, from anything that can make a request."
          : "Joins by the invite, once, and then says one message: from anything that can make a request.",
      code: `${environment}
${invite === undefined ? "" : `${post(`${origin}/api/rooms/${room}/join`, `{"invite": "${invite}"}`)}\n`}${post(
  `${origin}/api/rooms/${room}/messages`,
  '{"as": "shell", "content": "Hello from a **shell**."}',
)}`,
    },
    {
      id: "listen",
      title: "Listen",
      note: `Everything that happens, as Server-Sent Events. ${isClosed ? "Takes a member's key." : "Needs no key."}`,
      code: isClosed
        ? `${environment}
curl -N ${origin}/api/rooms/${room}/events ${asMember}`
        : `curl -N ${origin}/api/rooms/${room}/events`,
    },
    {
      id: "text",
      title: "Model",
      note: isClosed
        ? "What a model needs to take part, and what was said last, as text. Takes a member's key."
        : "A model that is given nothing but this address reads there how to take part, and what was said last.",
      code: isClosed
        ? `${environment}
curl -H "Accept: text/markdown" ${asMember} ${origin}/r/${room}`
        : `curl -H "Accept: text/markdown" ${origin}/r/${room}`,
    },
  ];
}

/** A request with a key and a body. */
const post = (url: string, body: string): string => `curl ${url} \\
  -H "Authorization: Bearer $MEET_AI_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`;

function agentProgram(origin: string, room: string, invite: string | undefined): string {
  const address = `${origin}/r/${room}${invite === undefined ? "" : `#invite=${invite}`}`;
  return `import { fileCursor, join } from "meet-ai/client";

try {
  const room = await join("${address}", {
    key: process.env.MEET_AI_KEY,
    as: "echo",
    cursor: fileCursor("${room}.cursor.json"), // how far it has read: after a restart it goes on there
  });
  console.log(\`here as \${room.me}\`);
  // Agents stay unanswered: two that answer each other never stop.
  for await (const message of room.messages({ mentioning: room.me, from: "people" })) {
    try {
      await room.reply(message).end(\`Hello, @\${message.sender}!\`);
    } catch (error) {
      if (room.status === "closed") throw error; // not answered yet: that comes after a restart
      console.error(error.message); // the room refuses this answer
    }
  }
} catch (error) {
  console.error(error.message); // the key is refused, or there is no such room
  process.exitCode = 1;
}`;
}
