/** Bugs in what agents read briefly and over MCP. */

import { type PlantedBug, unit, type Witness } from "./planted-bug.ts";

const brief = (test: string) => unit("api/brief-reading", test);
const mcp = (file: string, test: string): Witness => ({
  project: "processes",
  file: `test/processes/mcp/${file}.test.ts`,
  test,
});

export const PLANTED_FOR_AGENTS: readonly PlantedBug[] = [
  {
    name: "a cursor moved by an own message",
    breaks: "reading",
    edits: [
      {
        file: "api/brief-reading.ts",
        find: "if (!you.includes(message.sender) || !isWaiting) next = message.seq;",
        replace: "next = message.seq;",
      },
    ],
    caughtBy: [brief("is not ended by one's own words, and they don't move the cursor")],
  },
  {
    name: "a wait that is ended by one's own message",
    breaks: "reading",
    edits: [
      {
        file: "api/brief-reading.ts",
        find: "if (isWaiting && (you.includes(message.sender) || isRemoval(message))) return false;",
        replace: "if (isWaiting && isRemoval(message)) return false;",
      },
    ],
    caughtBy: [mcp("mcp", "waits for others, not for itself, consumes nothing, and is told that it still waits")],
  },
  {
    name: "a wait that consumes",
    breaks: "reading",
    edits: [
      {
        file: "api/brief-reading.ts",
        find: "/** What `wish` asks for, as text. */\nexport async function readBriefly(log: Log, wish: BriefWish): Promise<string> {\n  const { after, around, before } = wish;",
        replace: `const consumed = new Set<number>();
export async function readBriefly(log: Log, wish: BriefWish): Promise<string> {
  const { around, before } = wish;
  let { after } = wish;
  if (wish.wait > 0) while (after !== undefined && consumed.has(after)) after++;
  if (wish.wait > 0 && after !== undefined) consumed.add(after);`,
      },
    ],
    caughtBy: [
      brief("consumes nothing: the same question has the same answer"),
      mcp("mcp", "waits for others, not for itself, consumes nothing, and is told that it still waits"),
    ],
  },
  {
    name: "a message that poses as another line",
    breaks: "reading",
    edits: [
      {
        file: "party/brief/brief-line.ts",
        find: "return text.startsWith('\"') || UNSEEN.test(text) ? quoted(text) : text;",
        replace: "return text.startsWith('\"') ? quoted(text) : text;",
      },
    ],
    caughtBy: [unit("party/brief/brief-line", "a line break that poses as another message is one line")],
  },
  {
    name: "an answer longer than max_chars",
    breaks: "reading",
    edits: [{ file: "party/brief/brief-page.ts", find: "known, most - frame);", replace: "known, most);" }],
    caughtBy: [unit("party/brief/brief-page", "is kept whatever is said, and something is always shown")],
  },
  {
    name: "a wrong key answered with 401 over MCP",
    breaks: "keys",
    edits: [
      {
        file: "api/mcp/mcp.ts",
        find: "  const answered = new Response(response.body, response);",
        replace: `  const text401 = await response.clone().text();
  const isRefused = /"text":"unauthorized/.test(text401);
  const answered = new Response(response.body, isRefused ? { status: 401, headers: response.headers } : response);`,
      },
    ],
    caughtBy: [mcp("requests", 'never leads to 401, nor to a sign-in: "Bearer mai_wrong-wrong-wrong"')],
  },
  {
    name: "a foreign page that speaks MCP",
    breaks: "reading",
    edits: [{ file: "api/mcp/mcp.ts", find: "if (isForeignPage(c)) {", replace: "if (isForeignPage(c) && !c) {" }],
    caughtBy: [mcp("requests", "from the page https://evil.example is answered with 403")],
  },
];
