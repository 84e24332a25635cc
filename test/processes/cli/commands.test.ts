/** The command `meet-ai` against the real server: each command, and each way in which it can go wrong. */

import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Message } from "../../../party/protocol.ts";
import { readAll } from "../../chaos/trial.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { Terminal } from "./terminal.ts";

let server: Server;
let terminal: Terminal;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

beforeEach(() => {
  terminal = new Terminal(server.url);
});

afterEach(() => terminal[Symbol.dispose]());

/** Runs a command that is to succeed, and gives what it printed. */
async function out(...args: string[]): Promise<string> {
  const { code, out, err } = await terminal.run(args);
  expect(code, err).toBe(0);
  return out.trimEnd();
}

/** A room of this terminal's own. */
async function room(): Promise<string> {
  if (!existsSync(keyFile())) await out("key", "create");
  return JSON.parse(await out("create", "A room", "--json")).id;
}

const keyFile = () => join(terminal.home, ".config/meet-ai/keys", `http-localhost_${server.port}`);

describe("the key", () => {
  it("is saved as text that its owner alone may read, and is shown only when that is asked for", async () => {
    const { code, out: handle, err } = await terminal.run(["key", "create", "--handle", "anna-lee"]);
    expect([code, handle]).toEqual([0, "anna-lee\n"]);
    const key = readFileSync(keyFile(), "utf8");
    expect(key).toMatch(/^mai_[\w-]{24}\n$/);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(statSync(join(terminal.home, ".config/meet-ai/keys")).mode & 0o777).toBe(0o700);
    expect(err).not.toContain("mai_");
    expect(await out("key", "show")).toBe("anna-lee");
    expect(await out("key", "show", "--secret")).toBe(key.trim());
    const again = await terminal.run(["key", "create"]);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("There is a key")]);
    expect(readFileSync(keyFile(), "utf8")).toBe(key);
  });

  it("that was made, but whose answer was lost, is found by the next run", async () => {
    const key = `mai_${"k".repeat(24)}`;
    const keyHash = createHash("sha256").update(key).digest("hex");
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${server.url}/api/keys`, { method: "POST", headers, body: JSON.stringify({ keyHash }) });
    const { handle } = (await made.json()) as { handle: string };
    mkdirSync(join(terminal.home, ".config/meet-ai/keys"), { recursive: true });
    writeFileSync(`${keyFile()}.next`, key, { mode: 0o600 });
    expect(await out("key", "create", "--handle", "another-name")).toBe(handle);
    expect(readFileSync(keyFile(), "utf8")).toBe(key);
    expect(await out("key", "show")).toBe(handle);
  });

  it("is rotated in its file, and a rotation that was cut off is finished by the next", async () => {
    await out("key", "create");
    const first = readFileSync(keyFile(), "utf8");
    const handle = await out("key", "rotate");
    const second = readFileSync(keyFile(), "utf8");
    expect(second).not.toBe(first);
    expect(await out("key", "show")).toBe(handle);
    // Killed after the server had swapped the keys, and before the file was in its place.
    writeFileSync(`${keyFile()}.next`, second, { mode: 0o600 });
    writeFileSync(keyFile(), first, { mode: 0o600 });
    const lost = await terminal.run(["key", "show"]);
    expect([lost.code, lost.err]).toEqual([4, expect.stringContaining("Finish its rotation: meet-ai key rotate")]);
    expect(await out("key", "rotate")).toBe(handle);
    expect(readFileSync(keyFile(), "utf8")).toBe(second);
    expect(existsSync(`${keyFile()}.next`)).toBe(false);
  });

  it("is revoked only when that is said, and then gone", async () => {
    await out("key", "create");
    const asked = await terminal.run(["key", "revoke"]);
    expect([asked.code, asked.err]).toEqual([1, expect.stringContaining("say --yes")]);
    await out("key", "revoke", "--yes");
    expect(existsSync(keyFile())).toBe(false);
    expect((await terminal.run(["key", "show"])).code).toBe(4);
  });

  it("goes to no other server than its own", async () => {
    const heard: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { code: "not_found", message: "\u001b[2JNo." } }));
    });
    await new Promise<void>((resolve) => other.listen(0, "localhost", resolve));
    const address = `http://localhost:${(other.address() as AddressInfo).port}/r/lobby`;
    await out("key", "create");
    const { code, err } = await terminal.run(["tail", address, "--once"]);
    expect(code).toBe(6);
    expect(err).not.toContain("\u001b");
    const env = { MEET_AI_KEY: readFileSync(keyFile(), "utf8").trim() };
    const said = await terminal.run(["say", address, "Hello."], { env });
    expect([said.code, said.err]).toEqual([4, expect.stringContaining(`MEET_AI_KEY is for ${server.url}`)]);
    expect(heard).toEqual([undefined]);
    other.close();
  });
});

describe("rooms", () => {
  it("are made, listed, written in, read and exported", async () => {
    await out("key", "create");
    const id = `den-${Date.now()}`;
    expect(await out("create", "The den", "--id", id, "--topic", "Foxes")).toBe(`${server.url}/r/${id}`);
    expect(await out("say", id, "Hello,", "*all*.")).toBe("1");
    const piped = await terminal.run(["say", id, "--as", "ci", "--reply-to", "1"], { input: "two\nlines\n" });
    expect(piped.out).toBe("2\n");
    expect(await out("say", id, "Once.", "--id", "once")).toBe("3");
    expect(await out("say", id, "Once.", "--id", "once")).toBe("3");

    const handle = await out("key", "show");
    expect(await out("tail", id, "--once", "--plain")).toMatch(
      new RegExp(`^1\t\\S+Z\t${handle}\tHello, \\*all\\*\\.\n2\t\\S+Z\t${handle}/ci\ttwo\\\\nlines\n3\t`),
    );
    const read = (await out("tail", id, "--once", "--json", "--after", "1"))
      .split("\n")
      .map((line) => JSON.parse(line));
    const { messages } = await readAll(server, id);
    expect(read).toEqual(messages.slice(1));
    expect(await out("tail", id, "--once", "--last", "1")).toContain("Once.");
    await until("it is listed", async () => (await out("rooms", "--search", id)).includes("The den"));
    expect(JSON.parse(await out("rooms", "--search", id, "--json"))).toMatchObject({ id, topic: "Foxes" });
    const lines = (await out("export", id)).split("\n").map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ type: "sum", upTo: 3 });
    expect(await out("export", id, "--format", "md")).toContain("Hello, *all*.");
  });

  it("show stdin as a draft while it comes", async () => {
    const id = await room();
    const watching = terminal.start(["tail", id, "--json", "--anonymous"]);
    const saying = terminal.start(["say", id, "--as", "slow", "--stream", "--json"]);
    saying.child.stdin?.write("Be");
    const drafts = new WebSocket(`ws://localhost:${server.port}/api/rooms/${id}/ws`);
    let seen = "";
    drafts.addEventListener("message", ({ data }) => {
      if (data === "pong") return;
      const frame = JSON.parse(String(data)) as { drafts?: { append?: string }[] };
      for (const { append = "" } of frame.drafts ?? []) seen += append;
    });
    await until("the beginning is seen", () => seen === "Be");
    saying.child.stdin?.end("cause.");
    expect(await saying.ended()).toBe(0);
    drafts.close();
    const message = JSON.parse(saying.out) as Message;
    expect(message).toMatchObject({ seq: 1, content: "Because." });
    await watching.prints(/Because/);
    expect(JSON.parse(watching.out)).toEqual(message);
    watching.interrupt();
    expect(await watching.ended()).toBe(2);
  });

  it("say who is there", async () => {
    const id = await room();
    const tail = terminal.start(["tail", id, "--as", "reader"]);
    await until("the reader is there", async () => (await out("who", id)).endsWith("/reader  live"));
    expect(JSON.parse(await out("who", id, "--json"))).toMatchObject({ people: [expect.stringMatching(/\/reader$/)] });
    tail.interrupt();
    await tail.ended();
    await until("the reader is gone", async () => !(await out("who", id)).includes("/reader"));
    const said = await terminal.run(["say", id, `@${await out("key", "show")}/reader are you there?`]);
    expect(said).toMatchObject({ code: 0, out: "1\n", err: expect.stringContaining("/reader") });
  });

  it("of members let in who has an invite, and nobody else", async () => {
    const owner = new Terminal(server.url);
    await owner.run(["key", "create"]);
    const made = await owner.run(["create", "Board", "--members", "--json"]);
    const { id } = JSON.parse(made.out) as { id: string };
    await out("key", "create");
    for (const command of ["tail", "who", "export"]) {
      const { code, err } = await terminal.run([command, id]);
      expect([command, code, err]).toEqual([command, 4, expect.stringMatching(/no member|Only the owner/)]);
    }
    const stranger = await terminal.run(["tail", id, "--anonymous", "--once"]);
    expect([stranger.code, stranger.err]).toEqual([4, expect.stringContaining("is its members'")]);
    const key = (await owner.run(["key", "show", "--secret"])).out.trim();
    const invited = await fetch(`${server.url}/api/rooms/${id}/invites`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: "{}",
    });
    const { url } = (await invited.json()) as { url: string };
    const address = url.replace(/^https?:\/\/[^/]+/, server.url);
    expect(await out("say", address, "I am in.")).toBe("1");
    expect(await out("tail", id, "--once", "--plain")).toContain("I am in.");
    owner[Symbol.dispose]();
  });
});

describe("a question", () => {
  const anna = () => new Terminal(server.url);

  it("is printed as it is answered in a terminal, and its answer is one word", async () => {
    const id = await room();
    const me = await out("key", "show");
    const asking = terminal.start(["ask", id, "Deploy?", "--options", "yes,no", "--as", "ci"]);
    const shown = await until("it is there", async () => {
      const text = await out("tail", id, "--once");
      return text.includes("Deploy?") && text;
    });
    expect(shown).toContain(`To answer: meet-ai answer ${id} 1 yes  or  meet-ai answer ${id} 1 no`);
    using other = anna();
    await other.run(["key", "create"]);
    expect(await out("answer", id, "1", "yes")).toBe("2");
    expect(await asking.ended()).toBe(0);
    expect(asking.out).toBe("yes\n");
    expect(asking.err).toBe(`${me} has answered.\n`);
    const late = await other.run(["answer", id, "1", "no"]);
    expect([late.code, late.err]).toEqual([1, expect.stringMatching(/^meet-ai: .*\n$/)]);
    expect((await terminal.run(["answer", id, "2", "yes"])).code).toBe(1);
    expect((await terminal.run(["answer", id, "99", "yes"])).code).toBe(6);
  });

  it("is the same question under its id, also when it was killed and answered meanwhile", async () => {
    const id = await room();
    const ask = [
      "ask",
      id,
      "Which?",
      "--option",
      "a=The blue one",
      "--option",
      "b=The red one",
      "--as",
      "ci",
      "--id",
      "which",
    ];
    const killed = terminal.start(ask);
    await until("it is there", async () => (await readAll(server, id)).messages.length === 1);
    killed.kill();
    await killed.closed;
    await out("answer", id, "1", "b");
    const again = await terminal.run([...ask, "--json"]);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ option: "b", seq: 2 });
    expect((await readAll(server, id)).messages).toHaveLength(2);
  });

  it("that nobody answers ends with a code of its own; by the room's clock", async () => {
    const id = await room();
    const askFor = (seconds: number) =>
      terminal.run(["ask", id, "Well?", "--options", "yes,no", "--as", "ci", "--for", `${seconds}s`]);
    let ran = await askFor(1);
    // On a busy machine its time may be over before the room has it.
    for (const seconds of [5, 20, 60]) if (ran.err.includes("must be a time to come")) ran = await askFor(seconds);
    expect(ran).toMatchObject({ code: 5, out: "", err: "meet-ai: Nobody has answered in time.\n" });
    const ahead = `data:text/javascript,${encodeURIComponent("const now = Date.now; Date.now = () => now() + 4 * 3600000;")}`;
    const env = { NODE_OPTIONS: `--import ${ahead}` };
    const asking = terminal.start(["ask", id, "Now?", "--options", "yes,no", "--as", "ci", "--for", "2m"], { env });
    const ask = await until("it is there", async () =>
      (await readAll(server, id)).messages.find(({ content }) => content === "Now?"),
    );
    const left = Date.parse(ask.ask?.until ?? "") - Date.parse(ask.createdAt);
    expect(left).toBeGreaterThan(60_000);
    expect(left).toBeLessThan(180_000);
    asking.interrupt();
    expect(await asking.ended()).toBe(2);
  });

  it.each([
    [["--options", "yes"], /has 2 to 6 options/],
    [["--options", "Yes!,no"], /id of an option must be/],
    [["--option", "yes", "--option", "no"], /--option takes ID=LABEL/],
    [["--options", "yes,no", "--for", "soon"], /--for takes a time/],
    [["--options", "yes,no", "--for", "999999999d"], /--for takes at most 30d\./],
    [["--options", "yes,no", "--from", "anna", "--guests"], /--guests goes without --from/],
  ])("that can't be asked is not: %j", async (args, line) => {
    const id = await room();
    const { code, err } = await terminal.run(["ask", id, "Well?", ...args]);
    expect([code, err]).toEqual([1, expect.stringMatching(line)]);
    expect((await readAll(server, id)).messages).toEqual([]);
  });
});

describe("waiting", () => {
  it("for a mention ends with the first one, and goes on behind it the next time", async () => {
    const id = await room();
    const me = await out("key", "show");
    const wait = [
      "tail",
      id,
      "--as",
      "claude",
      "--mentions",
      "--once",
      "--wait",
      "10m",
      "--plain",
      "--cursor",
      "cursor.json",
    ];
    await out("say", id, `@${me}/claude before`);
    const waiting = terminal.start(wait);
    await until("it is there", async () => (await out("who", id)).includes("/claude"));
    await out("say", id, `@${me} is somebody else`);
    await out("say", id, `@${me}/claude one`);
    expect(await waiting.ended()).toBe(0);
    expect(waiting.out).toMatch(/^3\t.*one\n$/);
    await out("say", id, `@${me}/claude two`);
    await out("say", id, `@${me}/claude three`);
    const second = await terminal.run(wait);
    expect(second.out.trimEnd().split("\n")).toHaveLength(2);
    const quick = wait.map((word) => (word === "10m" ? "1s" : word));
    const third = await terminal.run(quick);
    expect(third).toMatchObject({ code: 5, out: "" });
  });
});

describe("what goes wrong is one line that says what to do, with an exit code", () => {
  const wrongKey = { MEET_AI_KEY: `mai_${"x".repeat(24)}` };

  it.each<[string, string[], Record<string, string>, number, RegExp]>([
    ["no command of this name", ["tial", "lobby"], {}, 1, /There is no command "tial"\. Is it tail\?/],
    ["no option of this name", ["tail", "lobby", "--jsn"], {}, 1, /Unknown option '--jsn'\. See: meet-ai tail --help/],
    ["no room named", ["tail"], {}, 1, /ROOM is missing/],
    ["one argument too many", ["who", "lobby", "x"], {}, 1, /one argument too many/],
    ["no room of this form", ["who", "localhost:1/r/x"], {}, 1, /is no room/],
    ["no server of this form", ["who", "lobby"], { MEET_AI_HOST: "localhost" }, 1, /MEET_AI_HOST is a server such as/],
    ["no server", ["who", "lobby"], { MEET_AI_HOST: "http://localhost:2" }, 7, /can't be reached \(ECONNREFUSED\)/],
    ["no key", ["say", "lobby", "Hello."], {}, 4, /There is no key for .* meet-ai key create/],
    ["a key that is none", ["say", "lobby", "Hello."], { MEET_AI_KEY: "x" }, 4, /MEET_AI_KEY holds no key/],
    ["a wrong key", ["say", "lobby", "Hello."], wrongKey, 4, /does not take the key in MEET_AI_KEY/],
    ["a wrong key, reading", ["tail", "lobby"], wrongKey, 4, /does not take the key in MEET_AI_KEY/],
    ["no such room", ["tail", "not-there"], {}, 6, /There is no room not-there .* meet-ai rooms/],
    ["a seq beyond the newest", ["tail", "lobby", "--after", "999999"], {}, 1, /beyond the newest message/],
    ["a time that is none", ["tail", "lobby", "--once", "--wait", "soon"], {}, 1, /takes a time such as/],
    ["no file with a key", ["say", "lobby", "x", "--key-file", "gone"], {}, 8, /There is no file gone/],
    ["a folder for a cursor", ["tail", "lobby", "--once", "--cursor", "."], {}, 8, /folder/],
  ])("%s", async (_, args, env, code, line) => {
    const ran = await terminal.run(args, { env });
    expect(ran).toMatchObject({ code, out: "" });
    expect(ran.err).toMatch(line);
    expect(ran.err).toMatch(/^meet-ai: [^\n]+\n$/);
  });

  it("a key that others can read", async () => {
    await out("key", "create");
    chmodSync(keyFile(), 0o640);
    const { code, err } = await terminal.run(["tail", "lobby", "--once"]);
    expect([code, err]).toEqual([
      8,
      `meet-ai: Others can read ${keyFile()}. Take that from them: chmod 600 ${keyFile()}\n`,
    ]);
  });

  it("a cursor that is none", async () => {
    writeFileSync(join(terminal.home, "cursor.json"), "{");
    const { code, err } = await terminal.run(["tail", "lobby", "--once", "--cursor", "cursor.json"]);
    expect([code, err]).toEqual([8, expect.stringContaining("does not hold a cursor. Remove it")]);
  });

  it("a server that is something else", async () => {
    const other = createServer((_, response) => response.end("<h1>Welcome to nginx!</h1>"));
    await new Promise<void>((resolve) => other.listen(0, "localhost", resolve));
    const host = `http://localhost:${(other.address() as AddressInfo).port}`;
    const { code, err } = await terminal.run(["who", "lobby"], { env: { MEET_AI_HOST: host } });
    expect([code, err]).toEqual([7, expect.stringContaining("is no meet-ai server")]);
    other.close();
  });

  it("a folder for keys in which nothing can be written: no key is made", async () => {
    mkdirSync(join(terminal.home, ".config"));
    writeFileSync(join(terminal.home, ".config/meet-ai"), "");
    const { code, err } = await terminal.run(["key", "create"]);
    expect([code, err]).toEqual([8, expect.stringContaining(".config/meet-ai")]);
  });

  it("stdin that is no text, and a text that is too long: nothing is said", async () => {
    const id = await room();
    const binary = await terminal.run(["say", id], { input: new Uint8Array([0xff, 0xfe, 0]) });
    expect([binary.code, binary.err]).toEqual([1, "meet-ai: stdin is not text (UTF-8).\n"]);
    for (const how of [[], ["--stream"]]) {
      const long = await terminal.run(["say", id, ...how], { input: "x".repeat(20_000) });
      expect([long.code, long.err]).toEqual([1, expect.stringContaining("Nothing was said.")]);
    }
    expect((await readAll(server, id)).messages).toEqual([]);
  });

  it("a server that goes and comes back while something is said: it is said once", async () => {
    const id = await room();
    await server.kill();
    const saying = terminal.start(["say", id, "Through."]);
    saying.child.stdin?.end();
    await server.start();
    const code = await saying.ended();
    const { messages } = await readAll(server, id);
    expect(messages.length).toBe(code === 0 ? 1 : 0);
    if (code !== 0) expect(code).toBe(7);
  });
});

it("who reads may stop: meet-ai tail | head", async () => {
  const id = await room();
  for (let count = 0; count < 3; count++) await out("say", id, `Line ${count}`);
  const tail = terminal.start(["tail", id, "--plain"]);
  await tail.prints(/Line 2/);
  tail.child.stdout?.destroy();
  const said = async () => {
    await out("say", id, "More.");
    return tail.child.exitCode !== null;
  };
  await until("it has ended", said);
  expect(tail.child.exitCode).toBe(0);
});

it("help loads no client, no parser and no network", async () => {
  const hooks = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from "node:module";
    registerHooks({ load(url, context, next) { process.stderr.write(url + "\\n"); return next(url, context); } });`)}`;
  const { out: text, err } = await terminal.run(["--help"], { env: { NODE_OPTIONS: `--import ${hooks}` } });
  expect(text).toMatch(/^Chat rooms[\s\S]*meet-ai key create/);
  const loaded = err
    .split("\n")
    .filter((url) => url.startsWith("file:"))
    .map((url) => url.slice(url.lastIndexOf("/") + 1));
  const allowed = ["main.ts", "commands.ts", "exit-code.ts", "failure.ts", "output.ts", "visible-text.ts", "help.ts"];
  expect(loaded.filter((file) => !allowed.includes(file))).toEqual([]);
});
