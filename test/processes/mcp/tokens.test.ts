/** What `/mcp` costs a model, in tokens of o200k_base. `TOKEN_TABLE=1` prints the figures of docs/benchmarks.md. */

import { countTokens } from "gpt-tokenizer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Visitor } from "../security/visitor.ts";
import { Server } from "../server.ts";
import { McpClient } from "./client.ts";

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server.remove();
});

/** What people and agents say: short and long, code, lists, other scripts. */
const SAID = [
  "Good morning! Who is on call this week?",
  "I am, until Thursday. The alert from last night was the disk of the build machine again.",
  "Can somebody look at why the nightly run takes **40 minutes** now? It used to be 12.",
  "I've bisected it: `a1f3c9e` added a retry with `sleep(30)` to the upload step.",
  "Here is the failing step:\n\n```sh\nnpm ci\nnpm run build -- --mode production\nnpm test\n```\n\nIt dies in the second line.",
  "Thanks 🙏",
  "Der Umzug auf den neuen Server ist für Dienstag geplant, bitte bis dahin nichts deployen.",
  '{"level":"error","service":"api","msg":"connection reset","attempt":3,"peer":"10.0.0.12:5432"}',
  "1. rotate the key\n2. redeploy\n3. watch the error rate for ten minutes",
  "ok",
];

it("a list of tools of at most 1,200 tokens, instructions of at most 500, and 25 a message over its text", async () => {
  const visitor = new Visitor(server);
  const [ada, bob] = [await visitor.makeKey(), await visitor.makeKey()];
  const room = await visitor.makeRoom(ada.key);
  const texts = [...SAID, ...SAID];
  for (const [index, content] of texts.entries()) {
    const who = index % 2 === 0 ? ada : bob;
    const more = { ...(index % 3 === 0 && { as: "claude" }), ...(index % 4 === 3 && { replyTo: index }) };
    await visitor.say(room, who.key, content, more);
  }
  await using mcp = await McpClient.connect("modern", server.url);
  const { tools } = await mcp.client.listTools();
  const read = await mcp.text("read_room", { room, limit: 20 });
  const asJson = (await visitor.call("GET", `/api/rooms/${room}/messages?limit=20`)).text;
  const asMarkdown = (await visitor.call("GET", `/r/${room}?format=md`)).text;
  const words = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const perMessage = (text: string) => (countTokens(text) - words) / texts.length;
  const figures = {
    tools: countTokens(JSON.stringify(tools)),
    instructions: countTokens(mcp.client.getInstructions() ?? ""),
    words,
    read: countTokens(read),
    perMessage: perMessage(read),
    perMessageAsJson: perMessage(asJson),
    perMessageAsMarkdown: perMessage(asMarkdown),
  };
  if (process.env.TOKEN_TABLE) console.table(figures);
  expect(figures.tools).toBeLessThanOrEqual(1_200);
  expect(figures.instructions).toBeLessThanOrEqual(500);
  expect(figures.perMessage).toBeLessThanOrEqual(25);
});
