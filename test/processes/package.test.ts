/**
 * The npm package that the server hands out, as it lies in a project that has installed it: with nothing beside it but what
 * it names as its dependencies.
 */

import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeKey, readAll } from "../chaos/trial.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The Node that the scripts run under, and the machine's own: 20 or newer. */
const NODES = [
  ...new Set([
    process.execPath,
    ...(process.env.PATH ?? "")
      .split(delimiter)
      .filter((folder) => !folder.includes("node_modules"))
      .map((folder) => join(folder, "node"))
      .filter((file) => existsSync(file))
      .slice(0, 1),
  ]),
];

/** Bytes, compressed, of what an agent loads beside partysocket. */
const AGENT_BUDGET = 11 * 1024;

const project = mkdtempSync(join(tmpdir(), "meet-ai-package-"));
const installed = join(project, "node_modules/meet-ai");
let files: string[];

const read = (file: string): string => readFileSync(join(installed, file), "utf8");

beforeAll(async () => {
  mkdirSync(installed, { recursive: true });
  await run("tar", ["-xzf", join(ROOT, "dist/client/meet-ai.tgz"), "-C", installed, "--strip-components=1"]);
  files = globSync("**", { cwd: installed, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    .sort();
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  for (const name of [...Object.keys(dependencies), "@types/node", "@types/react", "csstype"]) {
    mkdirSync(dirname(join(project, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  }
  write("package.json", JSON.stringify({ name: "somebodys-page", private: true, type: "module" }));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Writes a file of the project's. */
function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}

/** The first block of code in `language` below a heading of a document. */
function example(document: string, heading: string, language: string): string {
  const section = readFileSync(join(ROOT, document), "utf8").split(`\n## ${heading}\n`)[1] ?? "";
  const [, code] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(section.split("\n## ")[0] ?? "") ?? [];
  if (code === undefined) throw new Error(`${document} has no ${language} below “${heading}”.`);
  return code;
}

describe("the tarball", () => {
  it("has what its entries reach, what describes it, and nothing else", () => {
    const { exports, bin } = JSON.parse(read("package.json")) as {
      exports: Record<string, string | Record<string, string>>;
      bin: Record<string, string>;
    };
    const entries = Object.values(exports).flatMap((target) =>
      (typeof target === "string" ? [target] : Object.values(target)).map(normalize),
    );
    // Types and scripts lie side by side, so what one of them needs, the other has.
    const documents = ["README.md", "LICENSE", "docs/embedding.md", "docs/cli.md"];
    const reached = new Set([...entries, ...Object.values(bin).map(normalize), ...documents]);
    for (const file of reached) {
      if (!/\.(js|d\.ts)$/.test(file)) continue;
      for (const [, name] of read(file).matchAll(/\b(?:from|import)\s*\(?\s*["'`](\.[^"'`]+)["'`]/g)) {
        const module = join(dirname(file), name as string);
        reached.add(module);
        // Nobody imports the command.
        const isWithoutTypes = /(^|\/)assets\/|^widget\.js$|^client\/(cli|bridge)\//;
        if (!isWithoutTypes.test(file)) reached.add(module.replace(/\.js$/, ".d.ts"));
      }
    }
    expect(files).toEqual([...reached].sort());
  });

  it("has no module of the server, of the site or of a test", () => {
    const modules = files.filter((file) => /^(client|party)\//.test(file));
    const folders =
      /^client\/(stay|view|widget|cli|bridge)\/|^party\/(protocol|message-parser|mentions|brief\/brief-line)\./;
    for (const module of modules) {
      expect(module).toMatch(folders);
      expect(module).not.toMatch(/test|fake|custom-elements/);
    }
  });

  it("has the site's widget.js and its parts, but for the maps", () => {
    const built = files.filter((file) => /^(widget\.js|assets\/)/.test(file));
    expect(built.some((file) => /^assets\/log-renderer-\w+/.test(file))).toBe(true);
    for (const file of built) {
      const served = readFileSync(join(ROOT, "dist/client", file), "utf8");
      expect(read(file)).toBe(served.replace(/\/\/# sourceMappingURL=.+/, ""));
    }
    // Tests run with another NODE_ENV than people do.
    expect(read("widget.js")).not.toContain("Lit is in dev mode");
  });

  it("names no folder of the machine that packed it, and no source of ours", () => {
    for (const file of files) {
      expect(read(file), file).not.toContain(ROOT);
      expect(read(file), file).not.toMatch(/file:\/\/|\/(?:home|Users|root|tmp|work)\/|sourceMappingURL/);
      if (/\.(js|d\.ts)$/.test(file))
        expect(read(file), file).not.toMatch(/(?:from|import)\s*\(?\s*["'`][^"'`\n]+\.ts["'`]/);
    }
  });
});

describe.each(NODES)("imported by %s", (node) => {
  const print = async (code: string) => {
    write("print.mjs", `${code}\nconsole.log(JSON.stringify(printed));`);
    // Node 20 warns that importing JSON is an experiment.
    const { stdout, stderr } = await run(node, ["--no-warnings", "print.mjs"], { cwd: project });
    expect(stderr).toBe("");
    return JSON.parse(stdout) as unknown;
  };
  const classes = ["Ask", "Error", "Message", "Presence", "Send", "Status", "Unread"].map(
    (name) => `MeetAi${name}Event`,
  );

  it.each(["meet-ai", "meet-ai/widget.js"])("%s throws nothing, and exports its classes", async (entry) => {
    const exported = await print(`const printed = Object.keys(await import("${entry}"));`);
    expect(exported).toEqual(expect.arrayContaining([...classes, "MeetAiRoom"]));
  });

  it("widget.js throws nothing a second time, under another address, and leaves the globals alone", async () => {
    const code = `const address = import.meta.resolve("meet-ai/widget.js");
      const [first, second] = [await import(address), await import(address + "?again")];
      const printed = [first.MeetAiRoom === second.MeetAiRoom, "HTMLElement" in globalThis, "document" in globalThis,
        "customElements" in globalThis];`;
    expect(await print(code)).toEqual([false, false, false, false]);
  });

  it("the client, the types for React and what editors read throw nothing", async () => {
    const code = `import { join, fileCursor } from "meet-ai/client";
      import { Connection, reduce, EMPTY_ROOM } from "meet-ai/view";
      import * as react from "meet-ai/react";
      import manifest from "meet-ai/custom-elements.json" with { type: "json" };
      import about from "meet-ai/package.json" with { type: "json" };
      const described = manifest.modules[0];
      const printed = [typeof join, typeof fileCursor, typeof Connection, typeof reduce, EMPTY_ROOM.messages, Object.keys(react), described.path,
        described.declarations[0].tagName, about.customElements];`;
    const expected = [
      "function",
      "function",
      "function",
      "function",
      [],
      [],
      "widget.js",
      "meet-ai-room",
      "custom-elements.json",
    ];
    expect(await print(code)).toEqual(expected);
  });
});

it("the command is installed with it, and runs", async () => {
  const bin = join(project, "node_modules/.bin/meet-ai");
  mkdirSync(dirname(bin), { recursive: true });
  symlinkSync(join(installed, "client/cli/main.js"), bin);
  chmodSync(join(installed, "client/cli/main.js"), 0o755);
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const { stdout } = await run(bin, ["--version"], {
    cwd: project,
    env: { ...process.env, PATH: dirname(process.execPath) },
  });
  expect(stdout.trim()).toBe(version);
  await using server = await Server.start();
  const env = { ...process.env, MEET_AI_HOST: server.url, HOME: project, PATH: dirname(process.execPath) };
  await run(bin, ["key", "create"], { env });
  expect((await run(bin, ["say", "lobby", "Hello."], { env })).stdout).toBe("1\n");
});

describe("a program", () => {
  const start = (script: string, key = "", ...args: string[]) =>
    run(process.execPath, [script, ...args], {
      cwd: project,
      env: { ...process.env, MEET_AI_KEY: key },
      timeout: 170_000,
    });

  it("of the examples in the documents talks to a server, and lets its process end when it leaves", async () => {
    await using server = await Server.start();
    const here = (code: string) => code.replace(/https:\/\/meet-ai\.cc|http:\/\/localhost:8787/g, server.url);
    // Once it has replied, and not in the middle of the loop's body.
    const once = `room.on("messages", ({ messages }) => messages.some(({ sender }) => sender === room.me) && setImmediate(() => room.close()));`;
    const agents = {
      "readme.mjs": example("README.md", "Bring an agent", "js"),
      "agent.mjs": example("docs/agents.md", "Stay in a room", "js"),
      "echo.mjs": readFileSync(join(ROOT, "docs/examples/echo.mjs"), "utf8"),
    };
    for (const [file, code] of Object.entries(agents))
      write(file, here(code).replace("for await", `${once}\nfor await`));
    write(
      "watch.mjs",
      `${here(example("docs/embedding.md", "Without the element", "ts"))}
      connection.on("messages", ({ history }) => {
        if (history || state.messages.length < 4) return;
        console.log(JSON.stringify(state.messages.map(({ seq, sender, content }) => [seq, sender, content])));
        writer.close();
        connection.close();
      });`,
    );
    write(
      "person.mjs",
      `import { join } from "meet-ai/client";
      await using room = await join("${server.url}/r/lobby", { key: process.env.MEET_AI_KEY });
      console.log((await room.send(process.argv[2])).seq);`,
    );

    const watcher = start("watch.mjs");
    const running = await Promise.all(
      Object.keys(agents).map(async (file) => {
        const agent = start(file, await makeKey(server));
        let output = "";
        agent.child.stdout?.on("data", (text) => {
          output += String(text);
        });
        const name = await until(`${file} is there`, () => /here as (\S+)/.exec(output)?.[1]);
        return { agent, name };
      }),
    );
    await until("so is the watcher", async () => (await hereIn(server)).spectators === 1);
    const mentions = running.map(({ name }) => `@${name}`).join(" ");
    const said = await start("person.mjs", await makeKey(server), `Hello, ${mentions}.`);
    expect(said.stdout.trim()).toBe("1");

    const { stdout } = await watcher;
    await Promise.all(running.map(({ agent }) => agent));
    const { messages } = await readAll(server, "lobby");
    expect(JSON.parse(stdout)).toEqual(messages.map(({ seq, sender, content }) => [seq, sender, content]));
    expect(messages.slice(1).map(({ sender, replyTo }) => [sender, replyTo])).toEqual(
      expect.arrayContaining(running.map(({ name }) => [name, 1])),
    );
    expect(messages).toHaveLength(4);
  });

  it.each([
    ["no key", "", "http://localhost:1/r/lobby", "unauthorized"],
    ["a key that nobody has", `mai_${"x".repeat(24)}`, "/r/lobby", "unauthorized"],
    ["a room that is not there", "", "/r/not-there", "not_found"],
    ["an address without http", "", "localhost:8787", "invalid"],
  ])("with %s ends with an error that says so", async (what, key, url, code) => {
    await using server = await Server.start();
    const options = what === "no key" || key ? "{ key: process.env.MEET_AI_KEY }" : "{}";
    const address = url.startsWith("/") ? server.url + url : url;
    write("wrong.mjs", `import { join } from "meet-ai/client";\nawait join("${address}", ${options});`);
    await expect(start("wrong.mjs", key)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`code: '${code}'`),
    });
  });

  it("bundles the agent's entry without Lit, and what only files need beside it", async () => {
    write("bundled.js", `export * from "meet-ai/client";`);
    const built = await build({
      root: project,
      configFile: false,
      logLevel: "error",
      // As for a program, not for a page: there Vite adds a loader of its own for what is imported later.
      ssr: { noExternal: true },
      build: {
        ssr: true,
        minify: true,
        write: false,
        target: "es2024",
        rolldownOptions: {
          input: join(project, "bundled.js"),
          external: [/^partysocket/],
          preserveEntrySignatures: "allow-extension",
        },
      },
    });
    const { output } = built as unknown as { output: { name: string; code: string; imports: string[] }[] };
    expect(output.map(({ name }) => name)).toEqual(["bundled", "cursor-file"]);
    expect(output[0]?.imports).toEqual(["partysocket/ws"]);
    const size = gzipSync(output[0]?.code ?? "", { level: 9 }).byteLength;
    console.log(`the agent's entry without partysocket: ${size} B`);
    expect(size).toBeLessThanOrEqual(AGENT_BUDGET);
  });
});

async function hereIn({ url }: Server): Promise<{ spectators: number }> {
  const response = await fetch(`${url}/api/rooms/lobby`);
  return ((await response.json()) as { presence: { spectators: number } }).presence;
}

describe("a bundler", () => {
  it("puts Lit once into a page that has it too, and leaves for later what the element loads later", async () => {
    write(
      "page.js",
      `import { html } from "lit";\nimport { MeetAiRoom } from "meet-ai";\nconsole.log(html, MeetAiRoom);`,
    );
    const built = await build({
      root: project,
      configFile: false,
      logLevel: "error",
      build: { write: false, minify: false, rolldownOptions: { input: join(project, "page.js") } },
    });
    const { output } = built as { output: { fileName: string; code?: string; isEntry?: boolean }[] };
    const scripts = output.flatMap(({ code, ...about }) => (code === undefined ? [] : [{ code, ...about }]));
    expect(scripts.flatMap(({ code }) => [...code.matchAll(/litElementVersions \?\?=/g)])).toHaveLength(1);
    const entry = scripts.find(({ isEntry }) => isEntry);
    for (const part of ["composer", "log-renderer", "tools", "code"]) {
      expect(
        scripts.some(({ fileName }) => fileName.startsWith(`assets/${part}-`)),
        part,
      ).toBe(true);
    }
    expect(entry?.code).not.toContain("MeetAiComposer extends");
  });
});

describe("TypeScript", () => {
  const page = `${example("docs/embedding.md", "As a package", "ts")}
import { MeetAiMessageEvent, MeetAiRoom } from "meet-ai";
import { MeetAiRoom as Bundled } from "meet-ai/widget.js";
import manifest from "meet-ai/custom-elements.json" with { type: "json" };

const seq: number = await room.send("Hello.", 1);
room.theme = "light";
room.key = "mai_";
document.addEventListener("meet-ai-send", (event) => event.preventDefault());
room.addEventListener("meet-ai-message", (event) => {
  const typed: MeetAiMessageEvent = event;
  const content: string = typed.detail.message.content;
  // @ts-expect-error
  const missing = typed.detail.text;
});
room.addEventListener("meet-ai-error", ({ detail: { error } }) => error.code === "rate_limited" && error.retryAfter);
const same: MeetAiRoom = new Bundled();
manifest.modules;
// @ts-expect-error
room.theme = "blue";
// @ts-expect-error
room.send(1);
const read: [readonly { seq: number }[], readonly string[], string, string | undefined, number] = [room.messages, room.people, room.status, room.me, room.unread];
room.strings = { empty: "Ask away.", newMessages: (count) => String(count) };
room.strings = undefined;
room.addEventListener("meet-ai-unread", ({ detail }) => detail.unread satisfies number);
// @ts-expect-error
room.strings = { emptyHnt: "Ask away." };
// @ts-expect-error
room.messages = [];
// @ts-expect-error
room.messages.push(room.messages[0]);
// @ts-expect-error
room.texts;
// @ts-expect-error
import { RoomClient } from "meet-ai";
`;
  const jsx = `${example("docs/embedding.md", "React", "tsx")}
import { Fragment, useRef } from "react";
import type { MeetAiRoom } from "meet-ai";

export function Rooms({ ids }: { ids: string[] }) {
  const ref = useRef<MeetAiRoom>(null);
  return (
    <>
      <meet-ai-room room="lobby" theme="light" />
      <meet-ai-room room="lobby" readonly lang="de" server="https://meet-ai.cc" ref={ref} style={{ height: 300 }} className="room" aria-label="Lobby">
        <p slot="empty">Nothing yet.</p>
      </meet-ai-room>
      {ids.map((id) => <Fragment key={id}><meet-ai-room room={id} /></Fragment>)}
      <meet-ai-room room="lobby" onmeet-ai-status={({ detail }) => detail.status satisfies string} />
      <meet-ai-room room="lobby" onmeet-ai-unread={({ detail }) => detail.unread satisfies number} strings={{ empty: "Ask." }} />
      {/* @ts-expect-error */}
      <meet-ai-room room="lobby" onmeet-ai-status={({ detail }) => detail.message} />
      {/* @ts-expect-error */}
      <meet-ai-room room="lobby" theme="blue" />
      {/* @ts-expect-error */}
      <meet-ai-room room="lobby" key="mai_" />
      {/* @ts-expect-error */}
      <meet-ai-room />
      {/* @ts-expect-error */}
      <meet-ai-room room={1} />
      {/* @ts-expect-error */}
      <meet-ai-room room="lobby" ref={useRef<HTMLInputElement>(null)} />
    </>
  );
}
`;
  const agent = `${example("docs/agents.md", "Stay in a room", "js")
    .replace("answer(question)", "answer(question: string)")
    .replace("process.env.MEET_AI_KEY", `"mai_" as string | undefined`)}
import type { Message, Seq, Stay } from "meet-ai/client";
import { RoomError } from "meet-ai/client";

const { seq }: { seq: Seq } = await room.send("Hello.", { id: "a", replyTo: 1, signal: AbortSignal.timeout(1_000) });
const stay: Stay = room;
room.on("messages", ({ messages }) => messages.map((message: Message) => message.sender));
room.on("you", ({ you }) => you.sender);
room.delete(1).catch((error: RoomError) => error.about?.type === "delete" && error.about.seq);
const people: readonly string[] = stay.people;
// @ts-expect-error
room.on("message", () => {});
// @ts-expect-error
join({ server: "https://meet-ai.cc" });
// @ts-expect-error
room.messages({ from: "nobody" });
`;
  const view = `${example("docs/embedding.md", "Without the element", "ts")}
const last: string | undefined = state.messages.at(-1)?.content;
await writer.send("Hello.");
// @ts-expect-error
connection.identify({ as: "claude" });
// @ts-expect-error
new Connection({ server: "https://meet-ai.cc" });
`;
  const browser = { lib: ["es2024", "dom", "dom.iterable"], types: [], jsx: "react-jsx" };

  it.each([
    [
      "a page with a bundler",
      ["page.ts", "room.tsx", "agent.ts", "view.ts"],
      { ...browser, module: "esnext", moduleResolution: "bundler" },
    ],
    ["a page under nodenext", ["page.ts", "room.tsx", "agent.ts", "view.ts"], { ...browser, module: "nodenext" }],
    ["an agent in Node", ["agent.ts", "view.ts"], { lib: ["es2024"], types: ["node"], module: "nodenext" }],
  ])("accepts in %s what is right and refuses what is not", async (_, names, options) => {
    write("page.ts", page);
    write("room.tsx", jsx);
    write("agent.ts", agent);
    write("view.ts", view);
    const compilerOptions = {
      ...options,
      target: "es2024",
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: false }, files: names }),
    );
    const {
      code = 0,
      stdout,
      stderr,
    } = await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", project]).catch((error) => error);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});
