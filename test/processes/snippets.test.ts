/** What the site hands out runs as it stands: pasted into an empty folder, against the real server. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mcpSnippets } from "../../client/site/snippets/mcp-snippets.ts";
import { agentSnippets, embedSnippets, type Snippet } from "../../client/site/snippets/snippets.ts";
import { EmptyFolder } from "./empty-folder.ts";
import { McpClient } from "./mcp/client.ts";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

let server: Server;
let visitor: Visitor;
let ada: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  ada = await visitor.makeKey();
});

afterAll(async () => {
  await server?.remove();
});

const snippet = (snippets: Snippet[], id: string) => snippets.find((one) => one.id === id)?.code ?? "";

/** The snippet `id` for an agent of Ada's in `room`. */
const forAgents = (room: string, id: string) => snippet(agentSnippets({ origin: server.url, room, key: ada.key }), id);

it("shell: a message arrives, under the agent's name", async () => {
  using folder = new EmptyFolder();
  const curl = folder.paste(forAgents("lobby", "shell"));
  expect(await curl.ended()).toBe(0);
  expect(JSON.parse(curl.output)).toMatchObject({
    sender: `${ada.handle}/shell`,
    content: "Hello from a **shell**.",
  });
});

it("shell, by an invite: somebody else's agent joins a room of members and says something there", async () => {
  using folder = new EmptyFolder();
  const owner = await visitor.makeKey();
  const { room, invite } = await closedRoom(owner);
  const context = { origin: server.url, room, key: ada.key, invite, isClosed: true };
  const curl = folder.paste(snippet(agentSnippets(context), "shell"));
  expect(await curl.ended()).toBe(0);
  expect(curl.output).toContain(`"sender":"${ada.handle}/shell"`);
  using reader = new EmptyFolder();
  const text = reader.paste(snippet(agentSnippets(context), "text"));
  expect(await text.ended()).toBe(0);
  expect(text.output).toContain("Hello from a **shell**.");
  const listener = reader.paste(snippet(agentSnippets(context), "listen"));
  await listener.prints(/welcome/);
});

it("agent, by an invite: somebody else's agent joins a room of members and answers there", async () => {
  using folder = new EmptyFolder();
  const [owner, guest] = [await visitor.makeKey(), await visitor.makeKey()];
  const { room, invite } = await closedRoom(owner);
  const context = { origin: server.url, room, key: guest.key, invite };
  const agent = folder.paste(snippet(agentSnippets(context), "node"));
  await agent.prints(new RegExp(`here as ${guest.handle}/echo`));
  await visitor.say(room, owner.key, `@${guest.handle}/echo are you there?`);
  await until("it answers", async () => {
    const { body } = await visitor.call("GET", `/api/rooms/${room}/messages`, { key: owner.key });
    return JSON.stringify(body).includes(`Hello, @${owner.handle}!`);
  });
  agent.kill();
});

/** A room of members, and the secret of an invite into it. */
async function closedRoom({ key }: Key): Promise<{ room: string; invite: string }> {
  const made = await visitor.call("POST", "/api/rooms", { key, body: { name: "The den", access: "members" } });
  const room = (made.body as { id: string }).id;
  const { body } = await visitor.call("POST", `/api/rooms/${room}/invites`, { key, body: {} });
  return { room, invite: (body as { secret: string }).secret };
}

it("listen: what is said comes out as it happens", async () => {
  using folder = new EmptyFolder();
  const room = await visitor.makeRoom(ada.key);
  const listener = folder.paste(forAgents(room, "listen"));
  await listener.prints(/welcome/);
  await visitor.say(room, ada.key, "can you hear me");
  await listener.prints(/can you hear me/);
});

it("model: the room's address says how to take part, and what was said", async () => {
  using folder = new EmptyFolder();
  const room = await visitor.makeRoom(ada.key);
  await visitor.say(room, ada.key, "the last word");
  const curl = folder.paste(forAgents(room, "text"));
  expect(await curl.ended()).toBe(0);
  expect(curl.output).toContain("the last word");
  expect(curl.output).toContain(`/api/rooms/${room}/messages`);
});

it("agent: what the page shows beside a new key answers everybody once, whatever dies in between", async () => {
  const visitors = await Visitors.of(server.url);
  const page = await visitors.newcomer();
  await page.goto("/key");
  await page.getByRole("button", { name: "Create a key" }).click();
  const owner = await page.locator(".handle").first().textContent();
  await page.getByRole("tab", { name: "Agent" }).click();
  const printed = (await page.locator("site-snippets[for=agent] pre").textContent()) ?? "";
  expect(await visitors.leave()).toEqual([]);
  await visitors.close();

  const me = `${owner}/echo`;
  const mention = async (text: string) => (await visitor.say("lobby", ada.key, `@${me} ${text}`)).body.seq as number;
  /** Of each mention, how many answers there are. */
  const answers = async () => {
    const said = await visitor.messages("lobby");
    const count = ({ seq }: { seq: number }) =>
      said.filter(({ sender, replyTo, content }) => {
        return sender === me && replyTo === seq && content === `Hello, @${ada.handle}!`;
      }).length;
    return said.filter(({ content }) => content.startsWith(`@${me}`)).map(count);
  };
  const answered = (count: number) =>
    until(`${count} mentions are answered`, async () => (await answers()).filter(Boolean).length === count);

  using folder = new EmptyFolder();
  const first = folder.paste(printed);
  await first.prints(new RegExp(`here as ${me}`));
  await mention("are you there?");
  await answered(1);

  await server.kill();
  await server.start();
  await mention("and after your server died?");
  await answered(2);

  first.kill();
  await mention("and what was said while you were dead?");
  await server.kill();
  await server.start();
  // The whole of it again, as somebody would who has found it in their terminal's history.
  const second = folder.paste(printed);
  await mention("and while you were starting?");
  await second.prints(new RegExp(`here as ${me}`));
  await answered(4);
  await mention("and now?");
  await answered(5);
  expect(await answers()).toEqual([1, 1, 1, 1, 1]);
  second.kill();
});

/** A harness's address and header, as its configuration has them once it has filled in what it asks for. */
interface Configured {
  readonly url: string;
  readonly authorization: string;
}

/** What a harness does with the command that it is given: it prints its arguments, and which key it was given with it. */
const HARNESS = `#!/usr/bin/env node
console.log(JSON.stringify({ args: process.argv.slice(2), key: process.env.MEET_AI_KEY }));`;

/** The address and the header in what the snippet `id` for a harness with a command makes of it. */
async function configuredByCommand(id: string, command: string): Promise<Configured> {
  using folder = new EmptyFolder();
  folder.write(`bin/${command}`, HARNESS);
  const code = snippet(mcpSnippets({ origin: server.url, room: "lobby", key: ada.key }), id);
  const pasted = folder.paste(`chmod +x bin/*; PATH="$PWD/bin:$PATH"\n${code}`);
  expect([await pasted.ended(), pasted.errors]).toEqual([0, ""]);
  const { args, key } = JSON.parse(pasted.output) as { args: string[]; key: string };
  const url = args.find((argument) => argument.startsWith("http://")) as string;
  const after = (flag: string) => args[args.indexOf(flag) + 1] as string;
  if (!args.includes("--bearer-token-env-var"))
    return { url, authorization: after("--header").split(": ")[1] as string };
  expect([after("--bearer-token-env-var"), key]).toEqual(["MEET_AI_KEY", ada.key]);
  return { url, authorization: `Bearer ${key}` };
}

/** The same of a harness whose configuration is a file; VS Code asks for what it calls an input. */
function configuredByFile(id: string): Configured {
  const code = snippet(mcpSnippets({ origin: server.url, room: "lobby", key: ada.key }), id);
  const { inputs, ...configuration } = JSON.parse(code) as Record<string, unknown>;
  const find = (value: unknown): { url: string; headers: { Authorization: string } } | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    return "url" in value ? (value as never) : Object.values(value).map(find).find(Boolean);
  };
  const found = find(configuration);
  const input = (inputs as { id: string; password: boolean }[] | undefined)?.[0];
  const header = found?.headers.Authorization ?? "";
  if (input) expect([header, input.password]).toEqual([`Bearer \${input:${input.id}}`, true]);
  return { url: found?.url ?? "", authorization: input ? `Bearer ${ada.key}` : header };
}

it.each([
  ["claude", () => configuredByCommand("claude", "claude")],
  ["codex", () => configuredByCommand("codex", "codex")],
  ["gemini", () => configuredByCommand("gemini", "gemini")],
  ["cursor", () => configuredByFile("cursor")],
  ["vscode", () => configuredByFile("vscode")],
  ["opencode", () => configuredByFile("opencode")],
])("mcp: what %s is given leads it into the room, under a name of its own", async (id, configured) => {
  const { url, authorization } = await configured();
  expect(url).not.toContain(ada.key);
  const { origin, pathname, searchParams } = new URL(url);
  expect([origin, pathname]).toEqual([server.url, "/mcp"]);
  const as = searchParams.get("as") as string;
  await using client = await McpClient.connect("modern", origin, { authorization, as });
  await client.text("send_message", { room: "lobby", content: `I am ${id}.` });
  const said = await visitor.messages("lobby");
  expect(said.at(-1)).toMatchObject({ sender: `${ada.handle}/${as}`, content: `I am ${id}.` });
});

it("mcp, by an invite: the sentence that goes with it lets somebody else's agent in, and their key is their own", async () => {
  const owner = await visitor.makeKey();
  const { room, invite } = await closedRoom(owner);
  for (const { code, say } of mcpSnippets({ origin: server.url, room, invite })) {
    expect([code.includes(invite), code.includes(owner.key), say?.includes(invite)]).toEqual([false, false, true]);
  }
  await using client = await McpClient.connect("modern", server.url, { authorization: `Bearer ${ada.key}` });
  expect((await client.call("read_room", { room })).isError).toBe(true);
  await client.text("join_room", { room, invite });
  await client.text("read_room", { room });
});

it("mcp: a page copies the key that is in use, and shows it to nobody who looks over a shoulder", async () => {
  const visitors = await Visitors.of(server.url);
  const page = await visitors.newcomer();
  await page.goto("/key");
  await page.getByLabel("Your key").fill(ada.key);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator(".handle").first().waitFor();
  const { key } = ada;
  for (const kind of ["mcp", "agent"]) {
    const snippets = page.locator(`site-snippets[for=${kind}]`);
    await snippets.getByText("What you copy has your key in it.").waitFor();
    const copied = await snippets
      .locator("site-copy")
      .first()
      .evaluate((button) => (button as never as { text: string }).text);
    expect([kind, copied.includes(key), await snippets.innerHTML()]).toEqual([
      kind,
      true,
      expect.not.stringContaining(key),
    ]);
  }
  expect(page.url()).not.toContain(key);
  expect(await visitors.leave()).toEqual([]);
  await visitors.close();
});

it("docs/agents.md has what the site shows for each harness", () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/agents.md"), "utf8");
  for (const { title, code } of mcpSnippets({ origin: "http://localhost:8787", room: "lobby" })) {
    expect(text).toContain(title);
    expect(text).toContain(`\n${code}\n`);
  }
});

it.each([
  ["a key that nobody has", `mai_${"x".repeat(24)}`, "lobby"],
  ["a room that is not there", undefined, "not-there"],
])("agent: with %s it ends with one line", async (_, key, room) => {
  using folder = new EmptyFolder();
  const pasted = folder.paste(snippet(agentSnippets({ origin: server.url, room, key: key ?? ada.key }), "node"));
  expect(await pasted.ended()).toBe(1);
  expect(pasted.output).not.toContain("here as");
  expect(pasted.errors).toMatch(/^[A-Z].*\.\n$/);
});

it("embed: the room is live on a page of another origin", async () => {
  const room = await visitor.makeRoom(ada.key);
  const html = `<!doctype html><title>Elsewhere</title>${snippet(embedSnippets({ origin: server.url, room }), "html")}`;
  const elsewhere = createServer((_, response) => response.setHeader("content-type", "text/html").end(html)).listen(0);
  await once(elsewhere, "listening");
  const { port } = elsewhere.address() as { port: number };
  const abroad = await Visitors.of(`http://localhost:${port}`);
  try {
    const page = await abroad.newcomer();
    await page.goto("/");
    await visitor.say(room, ada.key, "as seen abroad, with `code`");
    await page.getByRole("log").getByText("as seen abroad").waitFor();
    await page.locator("meet-ai-room code").waitFor();
    const others = (await abroad.leave()).filter((trouble) => !trouble.startsWith(`Asked ${server.url}/`));
    expect(others).toEqual([]);
  } finally {
    await abroad.close();
    elsewhere.close();
  }
});
