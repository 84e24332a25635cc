/**
 * Stays in a room on the real server, in processes that are killed and on a network that is cut: each message is handled, and
 * what is said because of it is said once.
 */

import { join as pathOf } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { type Browser, chromium } from "playwright";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { join } from "../../client/stay/index.ts";
import { Stay } from "../../client/stay/stay.ts";
import { ERROR_STATUS } from "../../party/protocol.ts";
import { makeKey, makeRoom } from "../chaos/trial.ts";
import { CHROMIUM_ARGS, requireChromium, STARTS_WITHIN } from "../chromium.ts";
import { tryLoop } from "./loop-trial.ts";
import { Server, WRITING } from "./server.ts";
import { EXPECTED, SCENARIOS } from "./stay-scenarios.ts";
import { until } from "./until.ts";

let server: Server;
let browser: Browser;
let key: string;

beforeAll(async () => {
  server = await Server.start();
  browser = await chromium.launch({
    executablePath: requireChromium(),
    args: CHROMIUM_ARGS,
    timeout: STARTS_WITHIN,
  });
  key = await makeKey(server);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const WRONG_KEY = `mai_${"x".repeat(24)}`;

describe("join", () => {
  test.each([
    ["a key that nobody has", (url: string) => join(`${url}/r/lobby`, { key: WRONG_KEY }), "unauthorized"],
    ["a room that is not there", (url: string) => join(`${url}/r/not-there`), "not_found"],
    ["a room that is not there, with a key", (url: string) => join(`${url}/r/not-there`, { key }), "not_found"],
    ["a key that can't be one", (url: string) => join(`${url}/r/lobby`, { key: "mai_short" }), "unauthorized"],
    ["a name that no agent can have", (url: string) => join(`${url}/r/lobby`, { key, as: "Claude!" }), "invalid"],
    ["a name that is reserved", (url: string) => join(`${url}/r/lobby`, { key, as: "system" }), "invalid"],
    ["a guest's secret that is none", (url: string) => join(`${url}/r/lobby`, { guest: "short" }), "invalid"],
    ["a server that is not there", () => join("http://localhost:1/r/lobby", { key, timeout: 300 }), "unavailable"],
  ])("%s rejects with a code", async (_, attempt, code) => {
    await expect(attempt(server.url)).rejects.toMatchObject({ name: "RoomError", code });
  });

  test("a key that is revoked ends the loop with the reason", async () => {
    const doomed = await makeKey(server);
    await using room = await join(`${server.url}/r/lobby`, { key: doomed });
    // Looked at before: the loop may end before the answer is here, and nobody else would have heard of its error.
    const ended = expect(room.messages().next()).rejects.toMatchObject({ code: "unauthorized" });
    await fetch(`${server.url}/api/keys/me`, { method: "DELETE", headers: { authorization: `Bearer ${doomed}` } });
    await ended;
  });

  test("while D1 is away a key that was used before is let into a members' room, and a new one comes in by itself after it", async () => {
    const call = async (method: string, path: string, bearer: string, body: unknown = {}) => {
      const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
      return await fetch(`${server.url}/api/${path}`, { method, headers, body: JSON.stringify(body) });
    };
    const [room, newcomer] = [await makeRoom(server, key), await makeKey(server)];
    const { secret } = (await (await call("POST", `rooms/${room}/invites`, key)).json()) as { secret: string };
    await call("PATCH", `rooms/${room}`, key, { access: "members" });
    const address = `${server.url}/r/${room}`;
    await (await join(address, { key })).close();
    const lock = new DatabaseSync(server.databaseFile, WRITING);
    lock.exec("BEGIN EXCLUSIVE");
    const delays: string[] = [];
    try {
      await using known = await join(address, { key });
      await known.send("Still here.");
      const coming = new Stay({ server: server.url, room, credentials: { key: newcomer }, invite: secret });
      coming.on("delayed", ({ error }) => delays.push(error.code));
      // The second time it is on a connection of its own, and the ten seconds of the first one are over.
      await until("it was sent away, and has come back", () => delays.length > 4 || coming.status === "closed");
      expect([coming.status === "closed", coming.error]).toEqual([false, undefined]);
      lock.exec("ROLLBACK");
      await until("it is let in", () => coming.me !== undefined);
      await coming.close();
    } finally {
      lock.close();
    }
    expect(new Set(delays)).toEqual(new Set(["unavailable"]));
  });

  test("a stay writes, is heard, deletes, and is refused with what was refused", async () => {
    await using one = await join(`${server.url}/r/lobby`, { key, as: "one" });
    await using two = await join(`${server.url}/r/lobby`, { guest: "a".repeat(22) });
    const heard = two.messages().next();
    const { seq, id } = await one.send("Hello.", { id: "hello" });
    await expect(heard).resolves.toMatchObject({ value: { seq, id, sender: one.me, content: "Hello." } });
    await expect(one.send("Hello.", { id: "hello" })).resolves.toEqual({ id, seq });
    await expect(one.send("Other.", { id: "hello" })).rejects.toMatchObject({
      code: "conflict",
      about: { type: "send", id: "hello" },
    });
    await expect(two.delete(seq)).rejects.toMatchObject({ code: "forbidden", about: { type: "delete", seq } });
    await one.delete(seq);
    const { messages } = await two.history({ after: seq - 1, limit: 1 });
    expect(messages).toMatchObject([{ seq, deleted: true, content: "" }]);
    await until(
      "both are listed",
      () => one.people.includes(two.me as string) && two.people.includes(one.me as string),
    );
  });

  test("a reply is seen as it is written, and stands in the room once, whatever it says the second time", async () => {
    await using asking = await join(`${server.url}/r/lobby`, { guest: "b".repeat(22) });
    await using answering = await join(`${server.url}/r/lobby`, { key, as: "answering" });
    let seen = "";
    asking.on("drafts", ({ drafts }) => {
      for (const draft of drafts) if ("append" in draft && draft.sender === answering.me) seen += draft.append;
    });
    const question = answering.messages({ mentioning: answering.me }).next();
    await asking.send(`@${answering.me} why?`);
    const { value } = await question;
    if (!value) throw new Error("The question was not heard.");
    const reply = answering.reply(value);
    reply.write("Because ");
    await until("the beginning is seen", () => seen === "Because ");
    reply.write("of that.");
    await until("the rest is seen", () => seen === "Because of that.");
    const first = await reply.end();
    await until("it is known to be given", async () => (await answering.reply(value).answered()) === first.seq);
    await using restarted = await join(`${server.url}/r/lobby`, { key, as: "answering" });
    const again = await restarted.reply(value).end("In other words.");
    expect(again.id).toBe(first.id);
    const { messages } = await asking.history({ limit: 50 });
    expect(messages.filter(({ replyTo }) => replyTo === value.seq).map(({ content }) => content)).toEqual([
      "Because of that.",
    ]);
  });
});

test("the scenarios come to each code of the protocol", () => {
  expect([...(EXPECTED.codes as string[])].sort()).toEqual(Object.keys(ERROR_STATUS).sort());
});

describe.each(Object.keys(SCENARIOS))("%s", (name) => {
  let room: string;

  beforeAll(async () => {
    room = await makeRoom(server, key);
  });

  const place = () => ({ url: `${server.url}/r/${room}`, key });

  test("in Node", async () => {
    expect(await SCENARIOS[name]?.(place())).toEqual(EXPECTED[name]);
  });

  test("in Chromium", async () => {
    const page = await browser.newPage();
    // Any page of an origin that a browser calls secure.
    await page.goto(`${server.url}/robots.txt`);
    await page.addScriptTag({ type: "module", content: await bundle("window.SCENARIOS = SCENARIOS;") });
    await page.waitForFunction(() => "SCENARIOS" in window);
    const given = await page.evaluate(
      ([name, place]) => (window as unknown as { SCENARIOS: typeof SCENARIOS }).SCENARIOS[name]?.(place),
      [name, place()] as const,
    );
    expect(given).toEqual(EXPECTED[name]);
    await page.close();
  });

  test("in a Worker", async () => {
    const answer = `export default {
      fetch: async (request) => {
        const { name, place } = await request.json();
        return Response.json(await SCENARIOS[name](place));
      },
    };`;
    const worker = new Miniflare(
      convertV4MiniflareOptions({
        workers: [
          {
            name: "agent",
            modules: [{ type: "ESModule", path: "index.js", contents: await bundle(answer) }],
            compatibilityDate: "2026-10-01",
          },
        ],
      }),
    );
    const response = await worker.dispatchFetch("http://agent/", {
      method: "POST",
      body: JSON.stringify({ name, place: place() }),
    });
    expect(JSON.parse(await response.text())).toEqual(EXPECTED[name]);
    await worker.dispose();
  });
});

const TRIAL = { messages: 450, serverDeaths: 2, agentDeaths: 1, cuts: 3 };

// Of three times as many there is a trial under `test/long`.
test(`${TRIAL.messages} messages through a loop while server and agent are killed and the network is cut: each is handled, each reply stands once`, () =>
  tryLoop(server, key, TRIAL));

/** The scenarios and the client in one script; at its end `last`, in which they are called SCENARIOS. */
async function bundle(last: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      rolldownOptions: {
        input: pathOf(import.meta.dirname, "stay-scenarios.ts"),
        preserveEntrySignatures: "strict",
      },
    },
  });
  const [{ code }] = (built as unknown as { output: [{ code: string }] }).output;
  return code.replace(/\nexport \{[^}]*\};?\s*$/, `\n${last}`);
}
