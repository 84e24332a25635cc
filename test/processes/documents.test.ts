/** What the documents tell their reader to type works: word by word, in an empty folder, against the real server. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");

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

/** A file of the repository, with this server and Ada's key in the place of the reader's. */
const here = (file: string) =>
  readFileSync(join(ROOT, file), "utf8")
    .replaceAll(/(?:http:\/\/)?localhost:8787/g, (address) =>
      address.replace("localhost:8787", `localhost:${server.port}`),
    )
    .replaceAll("mai_…", ada.key);

/** The blocks of code in `language` below a heading of a document. */
function blocks(document: string, heading: string, language: string): string[] {
  // Without a heading: what stands before the first one.
  const [, section = ""] = heading === "" ? ["", here(document)] : here(document).split(`\n## ${heading}\n`);
  const [text = ""] = section.split("\n## ");
  const found = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language);
  if (found.length === 0) throw new Error(`${document} has no ${language} below “${heading}”.`);
  return found.map(([, , code]) => code as string);
}

/** Mentions `sender` in the lobby, and waits for one answer. */
async function isAnsweredBy(sender: string): Promise<void> {
  const { body } = await visitor.say("lobby", ada.key, `@${sender} hello?`);
  const answers = async () => {
    const said = await visitor.messages("lobby");
    return said.filter((message) => message.sender === sender && message.replyTo === body.seq);
  };
  await until(`${sender} has answered`, async () => (await answers()).length > 0);
  expect(await answers()).toHaveLength(1);
}

it("README.md: a key, a room and a message by curl", async () => {
  using folder = new EmptyFolder();
  const makeRoom = blocks("README.md", "Make a room", "sh");
  const key = folder.paste(makeRoom[0] as string);
  expect(await key.ended()).toBe(0);
  expect(JSON.parse(key.output).key).toMatch(/^mai_/);
  const room = folder.paste(makeRoom[1] as string);
  expect(await room.ended()).toBe(0);
  expect(JSON.parse(room.output)).toMatchObject({ name: "My room" });
  const message = folder.paste(blocks("README.md", "Bring an agent", "sh")[0] as string, { MEET_AI_KEY: ada.key });
  expect(await message.ended()).toBe(0);
  expect(JSON.parse(message.output)).toMatchObject({ sender: `${ada.handle}/shell` });
});

it("README.md: the agent answers, and is installed from the server", async () => {
  using folder = new EmptyFolder();
  folder.write("agent.mjs", blocks("README.md", "Bring an agent", "js")[0] as string);
  // Between it and the first stands the line for a harness.
  const agent = folder.paste(blocks("README.md", "Bring an agent", "sh")[2] as string);
  const [, me = ""] = await agent.prints(/here as (\S+)/);
  await isAnsweredBy(me);
});

it("docs/cli.md: the command is installed from the server, makes a key, says something and reads it", async () => {
  using folder = new EmptyFolder();
  const [first = ""] = blocks("docs/cli.md", "", "sh");
  const own = "export HOME=$PWD npm_config_prefix=$PWD/all PATH=$PWD/all/bin:$PATH";
  const command = folder.paste(`set -e\n${own}\n${first}`);
  await command.prints(/Hello from a \*\*shell\*\*/);
  command.kill();
});

it("docs/agents.md: HTTP alone", async () => {
  using folder = new EmptyFolder();
  const [http = ""] = blocks("docs/agents.md", "HTTP alone", "sh");
  const curl = folder.paste(`set -e\n${http}`, { MEET_AI_KEY: ada.key });
  expect(await curl.ended()).toBe(0);
  const answers = curl.output.replaceAll("}{", "}\n{").trim().split("\n");
  const [newest, sent, after] = answers.map((line) => JSON.parse(line));
  expect(newest).toMatchObject({ messages: expect.anything(), head: expect.any(Number), epoch: expect.any(String) });
  expect(sent).toMatchObject({ sender: `${ada.handle}/claude`, id: "report-7", content: "Tests are **green**." });
  expect(after.messages.at(-1)).toMatchObject({ seq: sent.seq });
});

it("docs/agents.md: ask people", async () => {
  using folder = new EmptyFolder();
  const [shell = ""] = blocks("docs/agents.md", "Ask people", "sh");
  const bob = await visitor.makeKey();
  const pipeline = folder.paste(`set -e\n${shell}`, { MEET_AI_KEY: ada.key });
  const asked = await until("it asks", async () => {
    return (await visitor.messages("lobby")).find(({ id }) => id === "deploy-42");
  });
  const answer = { answer: { target: asked.seq, option: "yes" } };
  const byAgent = await visitor.call("POST", "/api/rooms/lobby/messages", {
    key: bob.key,
    body: { ...answer, as: "a" },
  });
  expect(byAgent.status).toBe(403);
  const byPerson = await visitor.call("POST", "/api/rooms/lobby/messages", { key: bob.key, body: answer });
  expect(byPerson.status).toBe(201);
  expect(await pipeline.ended()).toBe(0);
  expect(pipeline.output).toContain(`Deploying. {"option":"yes","label":"yes","by":"${bob.handle}",`);
  // Started again it finds the same ask, and its answer.
  const again = folder.paste(`set -e\n${shell}`, { MEET_AI_KEY: ada.key });
  expect(await again.ended()).toBe(0);
  expect(again.output).toBe(pipeline.output);
  const refused = folder.paste(`set -e\n${shell.replaceAll("deploy-42", "deploy-43")}`, { MEET_AI_KEY: ada.key });
  const second = await until("it asks again", async () => {
    return (await visitor.messages("lobby")).find(({ id }) => id === "deploy-43");
  });
  await visitor.say("lobby", bob.key, "", { content: undefined, answer: { target: second.seq, option: "no" } });
  expect(await refused.ended()).toBe(1);
  expect(refused.output).toContain("Not deployed.");
});

it("docs/agents.md: for few tokens", async () => {
  using folder = new EmptyFolder();
  for (const content of ["First", "Second"]) await visitor.say("lobby", ada.key, content);
  const curl = folder.paste(blocks("docs/agents.md", "For few tokens", "sh")[0] as string);
  expect(await curl.ended()).toBe(0);
  expect(curl.output).toMatch(/^# behind by \d+\n2 \S+ \S+Z: .*\n(.*\n)*# next: after=\d+ epoch=\S+\n$/);
});

it("docs/agents.md: the agent answers", async () => {
  using folder = new EmptyFolder();
  folder.write("agent.mjs", blocks("docs/agents.md", "Stay in a room", "js")[0] as string);
  const [install = ""] = blocks("docs/agents.md", "Stay in a room", "sh");
  const agent = folder.paste(`${install}node agent.mjs`, { MEET_AI_KEY: ada.key });
  const [, me = ""] = await agent.prints(/here as (\S+)/);
  await isAnsweredBy(me);
});

it.each(["echo.mjs", "greeter.mjs"])("docs/examples/%s: as its first lines say", async (file) => {
  using folder = new EmptyFolder();
  const text = here(`docs/examples/${file}`);
  folder.write(file, text);
  const commands = [...text.matchAll(/^\/\/ {3}(\S.*)$/gm)].map(([, command]) => command as string);
  expect(commands).toHaveLength(2);
  const agent = folder.paste(commands.join("\n"));
  const [, me = ""] = await agent.prints(/here as (\S+)/);
  await isAnsweredBy(me);
});

it("docs/examples/deploy.mjs: asks as its first lines say, and finds the answer that came while it was not running", async () => {
  using folder = new EmptyFolder();
  const text = here("docs/examples/deploy.mjs");
  folder.write("deploy.mjs", text);
  const [install = "", start = ""] = [...text.matchAll(/^\/\/ {3}(\S.*)$/gm)].map(([, command]) => command as string);
  const agent = folder.paste(`set -e\n${install}\n${start}`);
  await agent.prints(/here as \S+\/deploy, asking about v42/);
  const said = async (id: string) => (await visitor.messages("lobby")).find((message) => message.id === id);
  const asked = await until("it asks", () => said("deploy-v42"));
  agent.kill();
  const bob = await visitor.makeKey();
  await visitor.say("lobby", bob.key, "", { content: undefined, answer: { target: asked.seq, option: "yes" } });
  for (let run = 0; run < 2; run++) {
    const again = folder.paste(start);
    expect(await again.ended(), again.errors).toBe(0);
    expect(again.output).toContain(`${bob.handle} says yes\ndeploying v42\n`);
  }
  expect((await visitor.messages("lobby")).filter(({ id }) => id === "deployed-v42")).toHaveLength(1);
});
