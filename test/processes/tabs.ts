/**
 * A Chromium as people run it, driven over its DevTools protocol alone. Playwright makes every page believe that it is in
 * front, leaves its timers alone and turns the back-forward cache off: here a tab that is not in front is hidden.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHROMIUM_ARGS, requireChromium } from "../chromium.ts";
import { until } from "./until.ts";

interface Answer {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

export class Tabs implements AsyncDisposable {
  readonly #profile: string;
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Readonly<Record<string, unknown>>>>();
  readonly #tabs = new Map<string, Tab>();
  #calls = 0;

  private constructor(profile: string, process: ChildProcess, socket: WebSocket) {
    this.#profile = profile;
    this.#process = process;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(String(data)) as Answer));
  }

  static async start(...options: string[]): Promise<Tabs> {
    const profile = mkdtempSync(join(tmpdir(), "meet-ai-tabs-"));
    const args = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run"];
    const browser = spawn(requireChromium(), [...args, ...CHROMIUM_ARGS, ...options, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let printed = "";
    browser.stderr.on("data", (text: Buffer) => {
      printed += text;
    });
    const [address] = await until("Chromium listens", () => /ws:\/\/\S+/.exec(printed));
    const socket = new WebSocket(address);
    await once(socket, "open");
    return new Tabs(profile, browser, socket);
  }

  /** A new tab, in front of all others. In each of its pages `script` runs before the page's own. */
  async open(url: string, script = ""): Promise<Tab> {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab((method, params) => this.call(method, params, sessionId as string));
    this.#tabs.set(sessionId as string, tab);
    await tab.call("Network.enable");
    await tab.call("Page.enable");
    await tab.call("Page.addScriptToEvaluateOnNewDocument", { source: script });
    await tab.go(url);
    return tab;
  }

  async call(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    sessionId?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#calls;
    const waiter = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    this.#waiting.set(id, waiter);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return waiter.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#socket.close();
    this.#process.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #hear({ id, sessionId, method, params, result, error }: Answer): void {
    if (id === undefined) {
      if (sessionId && method && params) this.#tabs.get(sessionId)?.hear(method, params);
      return;
    }
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiter?.reject(new Error(error.message));
    else waiter?.resolve(result ?? {});
  }
}

export class Tab {
  /** The addresses of the sockets that its pages have opened, in order. */
  readonly sockets: string[] = [];
  /** What has come over them. */
  readonly received: string[] = [];
  readonly #call: (
    method: string,
    params?: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>;

  constructor(call: Tab["call"]) {
    this.#call = call;
  }

  call(method: string, params?: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    return this.#call(method, params);
  }

  async go(url: string): Promise<void> {
    await this.#call("Page.navigate", { url });
    await until(`${url} is there`, () => this.has(`location.href === "${url}" && document.readyState === "complete"`));
  }

  /** What `expression` comes to in the page. */
  async run<Value>(expression: string): Promise<Value> {
    const { result } = (await this.#call("Runtime.evaluate", { expression, returnByValue: true })) as {
      result: { value: Value };
    };
    return result.value;
  }

  /** Whether `expression` holds in the page; between two pages there is none to ask. */
  has(expression: string): Promise<boolean> {
    return this.run<boolean>(expression).catch(() => false);
  }

  hear(method: string, params: Readonly<Record<string, unknown>>): void {
    if (method === "Network.webSocketCreated") this.sockets.push(String(params.url));
    if (method === "Network.webSocketFrameReceived") {
      this.received.push((params.response as { payloadData: string }).payloadData);
    }
  }
}
