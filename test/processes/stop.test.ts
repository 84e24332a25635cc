/** How a server ends, wanted or not, and what its clients notice of it. */

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join as pathOf } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "../../client/stay/index.ts";
import { CLOSE } from "../../party/protocol.ts";
import { makeKey } from "../chaos/trial.ts";
import { Visitor } from "./security/visitor.ts";
import { freePort, Server } from "./server.ts";
import { until } from "./until.ts";

let server: Server;
let key: string;

beforeAll(async () => {
  server = await Server.start();
  key = await makeKey(server);
});

afterAll(async () => {
  await server?.remove();
  rmSync(`${server?.stateDir}-other`, { recursive: true, force: true });
});

/** The processes that the folder of state names: the server's own, and the runtime's. */
const processes = () => {
  const [own, runtime] = readFileSync(pathOf(server.stateDir, "server.pid"), "utf8").split("\n").map(Number);
  return { own: own as number, runtime: runtime as number };
};

const answers = () =>
  fetch(`${server.url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** Joins, has `work` done to the server, and says something to whoever is there then. */
async function saidAfter(work: () => Promise<void>): Promise<void> {
  await using room = await join(`${server.url}/r/lobby`, { key });
  await using watcher = await join(`${server.url}/r/lobby`);
  const heard: string[] = [];
  const ending = new AbortController();
  const hearing = (async () => {
    for await (const { content } of watcher.messages({ signal: ending.signal })) heard.push(content);
  })().catch(() => undefined);
  await room.send("before");
  await work();
  await room.send("after");
  await until("the watcher has heard it", () => heard.includes("after"));
  ending.abort();
  await hearing;
  expect(heard).toEqual(["before", "after"]);
}

describe("a server that is asked to end", () => {
  it("tells its clients to come back, and they do (close code 1012)", async () => {
    const line = await new Visitor(server).enter("lobby");
    await line.welcomed();
    await saidAfter(async () => {
      await server.stop();
      expect(await line.hasClosed()).toMatchObject({ code: CLOSE.restarting });
      await server.start();
    });
  });

  it("acknowledges what was sent before, or has not taken it", async () => {
    const visitor = new Visitor(server);
    const line = await visitor.enterAs("lobby", { key });
    const ids = Array.from({ length: 200 }, (_, count) => line.say(`last words ${count}`));
    await server.stop();
    const { code } = await line.hasClosed();
    await server.start();
    const kept = await visitor.messages("lobby");
    const acknowledged = ids.filter((id) => line.messages.some((message) => message.id === id));
    for (const id of acknowledged) expect(kept.some((message) => message.id === id)).toBe(true);
    // One that was cut off, because all took too long on a busy machine, may have missed some.
    if (code !== CLOSE.restarting) return;
    for (const { id } of kept.filter(({ content }) => content.startsWith("last words")))
      expect(acknowledged).toContain(id);
  });

  it("ends event streams and requests that wait, so that nobody waits for it", async () => {
    const first = await fetch(`${server.url}/api/rooms/lobby/messages?limit=1`);
    const { head, epoch } = (await first.json()) as { head: number; epoch: string };
    const events = await fetch(`${server.url}/api/rooms/lobby/events`);
    const waiting = fetch(`${server.url}/api/rooms/lobby/messages?after=${head}&epoch=${epoch}&wait=25`).then(
      ({ status }) => status,
      () => "cut off",
    );
    const text = events.text();
    await server.stop();
    expect(await text).toContain(`"code":${CLOSE.restarting}`);
    expect([200, 503, "cut off"]).toContain(await waiting);
    await server.start();
  });

  it("answers a tool that waits, and tells everybody to come back all the same", async () => {
    const line = await new Visitor(server).enter("lobby");
    await line.welcomed();
    const visitor = new Visitor(server);
    const { head } = (await visitor.call("GET", "/api/rooms/lobby/messages?limit=1")).body;
    const params = { name: "wait_for_messages", arguments: { room: "lobby", after: head, wait: 50 } };
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
    const waiting = visitor.call("POST", "/mcp", { key, body: call });
    await until("it waits", async () => {
      const { presence } = (await visitor.call("GET", "/api/rooms/lobby")).body;
      return Object.values(presence.agents ?? {}).includes("polls");
    });
    await server.stop();
    expect(await line.hasClosed()).toMatchObject({ code: CLOSE.restarting });
    expect((await waiting).text).toContain("# nothing new");
    await server.start();
  });
});

describe("a runtime that is killed", () => {
  it("is started again by the server that watches over it, at the same address", async () => {
    await saidAfter(async () => {
      const { own, runtime } = processes();
      process.kill(runtime, "SIGKILL");
      await until("another one runs", async () => processes().runtime !== runtime && (await answers()));
      expect(processes().own).toBe(own);
      expect(server.output).toContain(
        '"event":"runtime.crashed","message":"The Workers runtime has ended; it is started again","with":"SIGKILL"',
      );
    });
  });
});

describe("a server that is killed", () => {
  it("leaves no runtime on its folder: another one starts at once", async () => {
    await saidAfter(async () => {
      process.kill(processes().own, "SIGKILL");
      await until("the runtime has ended, too", async () => !(await answers()));
      await server.start();
    });
  });
});

describe("a second server", () => {
  it("on the same folder is refused in one line", async () => {
    const start = async () => {
      const env = { ...process.env, PORT: String(await freePort()), STATE_DIR: server.stateDir };
      return spawnSync(process.execPath, ["api/local/start.ts", "--no-build"], { env, encoding: "utf8" });
    };
    const { own } = processes();
    const line = `Another server (process ${own}) keeps its data in ${server.stateDir}: stop it, or name another folder in STATE_DIR.\n`;
    expect(await start()).toMatchObject({ status: 1, stdout: "", stderr: line });
    expect(await answers()).toBe(true);
  });

  it("on the same port is refused in one line", () => {
    const env = { ...process.env, PORT: String(server.port), STATE_DIR: `${server.stateDir}-other` };
    const { status, stderr } = spawnSync(process.execPath, ["api/local/start.ts", "--no-build"], {
      env,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `Port ${server.port} is taken: another server runs there. Choose another one, as in PORT=${server.port + 1} npm start.\n`,
    });
  });
});

it.each([
  [
    "HOST",
    "nowhere:80",
    'HOST must be a name or an address of this machine, such as 127.0.0.1 or 0.0.0.0, not "nowhere:80".',
  ],
  [
    "TRUSTED_PROXIES",
    "nginx",
    'TRUSTED_PROXIES must have addresses or CIDRs such as 127.0.0.1 or 10.0.0.0/8, with commas between them, not "nginx".',
  ],
  ["PUBLIC_URL", "chat", 'PUBLIC_URL must be an address such as https://chat.example.com, not "chat".'],
])("a start ends with one line when %s is %j", async (name, value, line) => {
  const env = { ...process.env, PORT: String(await freePort()), STATE_DIR: `${server.stateDir}-other`, [name]: value };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["api/local/start.ts", "--no-build"], {
    env,
    encoding: "utf8",
  });
  expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: `${line}\n` });
});
