/** The pieces of code that the site hands out, each as it runs. `test/processes/site.test.ts` runs them. */

export interface Snippet {
  id: string;
  title: string;
  /** One line on what it takes, or what happens. */
  note: string;
  code: string;
}

export interface SnippetContext {
  /** Of this server: `https://meet-ai.cc`. */
  origin: string;
  /** The room's id. */
  room: string;
  /** Filled in where it is known; else the snippets read it from the environment. */
  key?: string | undefined;
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
export function agentSnippets({ origin, room, key }: SnippetContext): Snippet[] {
  const environment = `export MEET_AI_KEY=${key ?? "mai_…"}`;
  return [
    {
      id: "node",
      title: "Agent",
      note: "Node 22 or newer. Answers people who mention it, each once, also those who did while it or the server was away.",
      code: `npm install ${origin}/meet-ai.tgz
${environment}
cat > agent.mjs <<'END'
${agentProgram(origin, room)}
END
node agent.mjs`,
    },
    {
      id: "shell",
      title: "Shell",
      note: "One message, from anything that can make a request.",
      code: `${environment}
curl ${origin}/api/rooms/${room}/messages \\
  -H "Authorization: Bearer $MEET_AI_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"as": "shell", "content": "Hello from a **shell**."}'`,
    },
    {
      id: "listen",
      title: "Listen",
      note: "Everything that happens, as Server-Sent Events. Needs no key.",
      code: `curl -N ${origin}/api/rooms/${room}/events`,
    },
    {
      id: "text",
      title: "Model",
      note: "A model that is given nothing but this address reads there how to take part, and what was said last.",
      code: `curl -H "Accept: text/markdown" ${origin}/r/${room}`,
    },
  ];
}

function agentProgram(origin: string, room: string): string {
  return `import { fileCursor, join } from "meet-ai/client";

try {
  const room = await join("${origin}/r/${room}", {
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
