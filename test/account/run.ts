/**
 * Tries on a Cloudflare account what can't be tried on one machine, and writes a report:
 *
 *     node test/account/run.ts https://meet-ai.YOUR-SUBDOMAIN.workers.dev [--minutes 20] [--without-deploy] [--report FILE]
 *
 * For a deployment that nobody uses: it makes a key and two rooms, holds 100 sockets, and deploys once more in between.
 * With CLOUDFLARE_API_TOKEN (Account Analytics: Read) and CLOUDFLARE_ACCOUNT_ID it also reads what was billed.
 */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { commandLine, wholeNumber } from "../../api/local/command-line.ts";
import { end } from "../../api/local/end.ts";
import { root } from "../../api/local/root.ts";
import { join } from "../../client/stay/index.ts";
import { HEARTBEAT, PING, PONG } from "../../party/protocol.ts";

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "20" },
    "without-deploy": { type: "boolean", default: false },
    report: { type: "string", default: "account-report.md" },
  },
});
const [address, ...others] = positionals;
if (address === undefined || others.length > 0 || !URL.canParse(address)) {
  end("Name the deployment, as in npx node test/account/run.ts https://meet-ai.YOUR-SUBDOMAIN.workers.dev");
}
const { origin } = new URL(address);
const minutes = wholeNumber("minutes", values.minutes);

const WATCHERS = 100;
/** Longer than a deferred deploy may take to reach every room, ms. */
const DEFERRAL = 330_000;
const ROUND_TRIPS = 50;

const report: string[] = [
  `# What ${origin} did`,
  "",
  `Begun ${new Date().toISOString()}, with Node ${process.version}.`,
];

const { key } = (await call("POST", "/api/keys")) as { key: string };
const room = async () => ((await call("POST", "/api/rooms", { name: "Trial", listed: false })) as { id: string }).id;
const [busy, idle] = [await room(), await room()];
try {
  await placement(busy);
  await streams(busy);
  if (!values["without-deploy"]) await deferral(idle);
  await pings(idle);
} finally {
  for (const id of [busy, idle]) await call("DELETE", `/api/rooms/${id}`).catch(() => undefined);
  await call("DELETE", "/api/keys/me").catch(() => undefined);
  writeFileSync(values.report, `${report.join("\n")}\n`);
  console.log(`\nThe report is in ${values.report}.`);
}
process.exit(0);

/** Where the Worker ran, and how long a ping to the room and a message take from here. */
async function placement(id: string): Promise<void> {
  section("Placement");
  const trace = await fetch(`${origin}/cdn-cgi/trace`).then((answer) => answer.text());
  note(`Cloudflare's location for this machine: ${/^colo=(.*)$/m.exec(trace)?.[1] ?? "unknown (not on Cloudflare?)"}.`);
  const socket = await opened(id);
  const pingTimes = await times(async () => {
    const answered = heard(socket, (data) => data === PONG);
    socket.send(PING);
    await answered;
  });
  socket.close();
  await using stay = await join(`${origin}/r/${id}`, { key });
  const sendTimes = await times(() => stay.send("How far is it?"));
  note(`A ping to the room and back: ${pingTimes}. A message until it is acknowledged: ${sendTimes}.`);
  note(
    "A room is placed where its first visitor was. A ping far above that to a nearby location means that it is elsewhere.",
  );
}

/** How long an event stream with a message a second lasts: on the free plan all its time on a processor counts together. */
async function streams(id: string): Promise<void> {
  section("Time on a processor");
  const begun = Date.now();
  const ending = new AbortController();
  const answer = await fetch(`${origin}/api/rooms/${id}/events`, { signal: ending.signal });
  let bytes = 0;
  let how = "was still open";
  const reading = (async () => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
    how = "was ended by the server";
  })().catch((error: Error) => {
    if (!ending.signal.aborted) how = `broke (${error.message})`;
  });
  await using stay = await join(`${origin}/r/${id}`, { key });
  while (Date.now() - begun < minutes * 60_000 && how === "was still open") {
    await stay.send(`A message each second: ${Date.now()}`);
    await pause(1_000);
  }
  note(`An event stream with a message each second ${how} after ${seconds(begun)} s and ${bytes} bytes.`);
  ending.abort();
  await reading;
}

/** What a deploy does to the sockets of a room that sleeps. */
async function deferral(id: string): Promise<void> {
  section("A deploy");
  const sockets = await Promise.all(Array.from({ length: WATCHERS }, () => opened(id)));
  const codes = new Map<number, number>();
  for (const socket of sockets) {
    socket.addEventListener("close", ({ code }) => codes.set(code, (codes.get(code) ?? 0) + 1));
  }
  // So that the room sleeps.
  await pause(20_000);
  const begun = Date.now();
  const child = spawn("npm", ["run", "deploy", "--", "--no-smoke-test"], { cwd: root, stdio: "inherit" });
  const status = await new Promise((resolve) => child.once("exit", resolve));
  const alive = setInterval(() => {
    for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(PING);
  }, HEARTBEAT.every);
  await pause(DEFERRAL);
  clearInterval(alive);
  const closed = [...codes].map(([code, count]) => `${count} with ${code}`).join(", ") || "none";
  note(
    `\`npm run deploy\` ended with ${status}. Of ${WATCHERS} sockets to a room that slept these closed within ${seconds(begun)} s: ${closed}.`,
  );
  for (const socket of sockets) socket.close();
}

/** What pings cost that the runtime answers by itself. */
async function pings(id: string): Promise<void> {
  section("Pings");
  const sockets = await Promise.all(Array.from({ length: WATCHERS }, () => opened(id)));
  await pause(60_000);
  const begun = new Date();
  const stop = Date.now() + minutes * 60_000;
  let sent = 0;
  while (Date.now() < stop) {
    for (const socket of sockets) {
      if (socket.readyState !== WebSocket.OPEN) continue;
      socket.send(PING);
      sent++;
    }
    await pause(HEARTBEAT.every);
  }
  const until = new Date();
  for (const socket of sockets) socket.close();
  note(`${sent} pings over ${WATCHERS} sockets from ${begun.toISOString()} to ${until.toISOString()}.`);
  note(`If pings were billed, these would be ${Math.ceil(sent / 20)} requests to objects (20 frames count as one).`);
  // The figures come a few minutes later.
  const billed = await objectRequests(begun, until);
  note(
    billed === undefined
      ? "Without CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID the bill is not read: see Durable Objects, requests, of that time in the dashboard."
      : `Billed in that time for all objects of the account: ${billed} requests.`,
  );
}

/** https://developers.cloudflare.com/durable-objects/observability/metrics-and-analytics/ */
async function objectRequests(from: Date, to: Date): Promise<number | undefined> {
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account } = process.env;
  if (!token || !account) return undefined;
  await pause(300_000);
  const query = `{ viewer { accounts(filter: { accountTag: "${account}" }) {
    durableObjectsInvocationsAdaptiveGroups(limit: 1000, filter: {
      datetime_geq: "${from.toISOString()}", datetime_leq: "${to.toISOString()}" }) { sum { requests } } } } }`;
  const answer = await fetch("https://api.cloudflare.com/client/v4/graphql", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { data } = (await answer.json()) as {
    data?: { viewer: { accounts: { durableObjectsInvocationsAdaptiveGroups: { sum: { requests: number } }[] }[] } };
  };
  const groups = data?.viewer.accounts[0]?.durableObjectsInvocationsAdaptiveGroups;
  return groups?.reduce((sum, group) => sum + group.sum.requests, 0);
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const headers = {
    ...(path !== "/api/keys" && { authorization: `Bearer ${key}` }),
    ...(body && { "content-type": "application/json" }),
  };
  const answer = await fetch(origin + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (!answer.ok) end(`${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** A socket that watches the room, and answers what it is asked for. */
async function opened(id: string): Promise<WebSocket> {
  const socket = new WebSocket(`${origin.replace(/^http/, "ws")}/api/rooms/${id}/ws`);
  socket.addEventListener("message", ({ data }) => {
    const check = /^\{"type":"check","n":(\d+)/.exec(String(data));
    if (check) socket.send(JSON.stringify({ type: "read", n: Number(check[1]) }));
  });
  await heard(socket, (data) => data.includes('"welcome"'));
  return socket;
}

/** Resolves with the first message for which `which` holds; rejects when the socket is closed before. */
function heard(socket: WebSocket, which: (data: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = ({ data }: MessageEvent) => {
      if (which(String(data))) settle(resolve);
    };
    const closed = ({ code }: CloseEvent) => settle(() => reject(new Error(`The socket was closed with ${code}.`)));
    const settle = (result: () => void) => {
      socket.removeEventListener("message", take);
      socket.removeEventListener("close", closed);
      result();
    };
    socket.addEventListener("message", take);
    socket.addEventListener("close", closed);
  });
}

/** The median and the ninth of ten of `ROUND_TRIPS` times, in words. */
async function times(work: () => Promise<unknown>): Promise<string> {
  const each: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count++) {
    const begun = performance.now();
    await work();
    each.push(performance.now() - begun);
    // Within the quota of a key.
    await pause(1_100);
  }
  each.sort((a, b) => a - b);
  const at = (share: number) => Math.round(each[Math.floor(each.length * share)] as number);
  return `median ${at(0.5)} ms, nine of ten within ${at(0.9)} ms`;
}

function section(title: string): void {
  report.push("", `## ${title}`, "");
  console.log(`\n${title}`);
}

function note(line: string): void {
  report.push(line);
  console.log(`  ${line}`);
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1_000);
}
