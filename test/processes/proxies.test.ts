/** A server behind a proxy, with the configurations as docs/self-hosting.md has them: nginx's and Caddy's own programs. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "../../client/stay/index.ts";
import { findProxy, PROXIES, type ProxyName } from "../proxies.ts";
import { freePort, Server } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

const ROOT = pathOf(import.meta.dirname, "../..");
const PUBLIC_URL = "https://chat.example.com";
/** So few that a test uses them up. */
const KEYS_PER_DAY = 3;

/** The code in `language` of the document. */
function printed(language: string): string {
  const text = readFileSync(pathOf(ROOT, "docs/self-hosting.md"), "utf8");
  const [, code] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text) ?? [];
  if (code === undefined) throw new Error(`The document has no ${language}.`);
  return code;
}

/** The proxy's own program, in front of `server`, with what the document says but for the ports. */
class RunningProxy {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;
  output = "";

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (text: Buffer) => {
        this.output += text;
      });
    }
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  static async start(proxy: ProxyName, server: Server): Promise<RunningProxy> {
    const folder = mkdtempSync(pathOf(tmpdir(), "meet-ai-proxy-"));
    // nginx's workers may be another user's.
    chmodSync(folder, 0o755);
    const port = await freePort();
    const child = proxy === "nginx" ? nginx(folder, port, server) : caddy(folder, port, server);
    const running = new RunningProxy(port, folder, child);
    await until(`${proxy} listens`, async () => {
      if (child.exitCode !== null) throw new Error(running.output);
      return isListening(port);
    });
    return running;
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function nginx(folder: string, port: number, server: Server): ChildProcess {
  const site = printed("nginx")
    .replace("listen 80;", `listen ${port};`)
    .replace("127.0.0.1:8787", `127.0.0.1:${server.port}`);
  mkdirSync(pathOf(folder, "temp"));
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/temp/${name};`)
    .join("\n");
  const main = `pid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${site}}\n`;
  writeFileSync(pathOf(folder, "nginx.conf"), main);
  return spawn(findProxy("nginx") as string, ["-p", folder, "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off;"]);
}

function caddy(folder: string, port: number, server: Server): ChildProcess {
  const site = printed("caddy")
    .replace("chat.example.com", `http://:${port}`)
    .replace("127.0.0.1:8787", `127.0.0.1:${server.port}`);
  writeFileSync(pathOf(folder, "Caddyfile"), `{\n\tadmin off\n}\n${site}`);
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return spawn(findProxy("caddy") as string, ["run", "--config", pathOf(folder, "Caddyfile")], { env });
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["connect"]),
    once(socket, "error").then(() => ["error"]),
  ]).catch(() => ["error"]);
  socket.destroy();
  return event === "connect";
}

/** Asks for a new key from one of this machine's addresses; what it is answered with. */
function newKey(port: number, from: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path: "/api/keys", method: "POST", localAddress: from, headers };
    const asking = request(options, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode ?? 0));
    });
    asking.once("error", reject);
    asking.end();
  });
}

/** What a client may say of itself, in all the words that some server somewhere believes. */
const claims = (address: string): Record<string, string> => ({
  "x-forwarded-for": address,
  "cf-connecting-ip": address,
  "x-real-ip": address,
  "true-client-ip": address,
  forwarded: `for=${address}`,
  "mf-cf-blob": JSON.stringify({ clientIp: `${address}:1` }),
});

describe.each(PROXIES)("behind %s", (name) => {
  if (!findProxy(name)) {
    it.skip(`(${name} is not here)`, () => undefined);
    return;
  }
  let server: Server;
  let proxy: RunningProxy;

  beforeAll(async () => {
    const vars = { TRUSTED_PROXIES: "127.0.0.1", PUBLIC_URL, HOST: "127.0.0.1", KEYS_PER_DAY: String(KEYS_PER_DAY) };
    server = await Server.start({ vars, printed: PUBLIC_URL });
    proxy = await RunningProxy.start(name, server);
  });

  afterAll(async () => {
    await proxy?.stop();
    await server?.remove();
  });

  it("two clients have a quota each, whatever they say of their addresses", async () => {
    const statuses: Record<string, number[]> = {};
    for (const from of ["127.0.0.2", "127.0.0.3"]) {
      statuses[from] = [];
      for (let count = 0; count < KEYS_PER_DAY + 2; count++) {
        statuses[from].push(await newKey(proxy.port, from, claims(`198.51.100.${count}`)));
      }
    }
    const each = [201, 201, 201, 429, 429];
    expect(statuses).toEqual({ "127.0.0.2": each, "127.0.0.3": each });
  });

  it("who goes past the proxy is counted by the connection, whatever they say", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < KEYS_PER_DAY + 1; count++) {
      statuses.push(await newKey(server.port, "127.0.0.4", claims(`198.51.100.${count}`)));
    }
    expect(statuses).toEqual([201, 201, 201, 429]);
  });

  it("a socket, an event stream and a request that waits tell of a message as it is said", async () => {
    const answer = await fetch(`${proxy.url}/api/keys`, { method: "POST" });
    const { key } = (await answer.json()) as { key: string };
    await using writer = await join(`${proxy.url}/r/lobby`, { key });
    await using watcher = await join(`${proxy.url}/r/lobby`);
    const ending = new AbortController();
    const events = await fetch(`${proxy.url}/api/rooms/lobby/events`, { signal: ending.signal });
    expect(events.headers.get("content-type")).toContain("text/event-stream");
    const first = await fetch(`${proxy.url}/api/rooms/lobby/messages?limit=1`);
    const { head, epoch } = (await first.json()) as { head: number; epoch: string };
    const waiting = fetch(`${proxy.url}/api/rooms/lobby/messages?after=${head}&epoch=${epoch}&wait=25`);
    const heard = (async () => {
      for await (const message of watcher.messages()) return message.content;
      return undefined;
    })();
    await writer.send("Through a proxy");
    expect(await heard).toBe("Through a proxy");
    expect(await (await waiting).json()).toMatchObject({ messages: [{ content: "Through a proxy" }] });
    // It comes while the stream goes on.
    let text = "";
    for await (const chunk of events.body as ReadableStream<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("Through a proxy")) break;
    }
    ending.abort();
    expect(text).toContain("event: update");
  });

  it("a person talks in a room's page", async () => {
    const visitors = await Visitors.of(proxy.url);
    try {
      const page = await visitors.newcomer();
      await page.goto("/r/lobby");
      const field = page.getByRole("textbox");
      await field.fill("From a page");
      await field.press("Enter");
      await page.getByText("From a page").first().waitFor();
      await until("the room has it", async () => {
        const said = await fetch(`${proxy.url}/api/rooms/lobby/messages`).then((answer) => answer.text());
        return said.includes("From a page");
      });
      expect(await visitors.leave()).toEqual([]);
    } finally {
      await visitors.close();
    }
  });

  it("every address that is printed is the public one", async () => {
    expect(server.output).toContain(`${PUBLIC_URL}/r/lobby`);
    expect(server.output).not.toContain("localhost");
    for (const path of ["/llms.txt", "/r/lobby?format=md"]) {
      const text = await fetch(proxy.url + path).then((answer) => answer.text());
      expect(text).toContain(`${PUBLIC_URL}/api/keys`);
      expect(text).not.toContain("localhost");
    }
  });
});
