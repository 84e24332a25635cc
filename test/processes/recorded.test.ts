/**
 * Clients of released versions at a server of today, which starts from the state that their own server had: it is told what
 * they were recorded saying, and has to say what they were told, or more.
 */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAgent } from "../../party/mentions.ts";
import type { ServerFrame } from "../../party/protocol.ts";
import { type Exchange, Heard, type Line, lacks, missing, RECORDED, recorded } from "../recorded/conversation.ts";
import { type Opening, openingOf } from "../recorded/events.ts";
import { QUOTAS } from "../states/live.ts";
import { restore } from "../states/state-folder.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

describe.each(RECORDED)("a client of version $version", ({ version, talks }) => {
  let server: Server;

  beforeAll(async () => {
    const stateDir = mkdtempSync(join(tmpdir(), `meet-ai-${version}-`));
    restore(join(import.meta.dirname, `../states/${version}.json`), stateDir);
    server = await Server.start({ stateDir, vars: QUOTAS });
  });

  afterAll(async () => {
    await server.remove();
  });

  it("begins an event stream as before", async () => {
    const faults: string[] = [];
    for (const opening of asOfToday(recorded<Opening>(version, "events"), version)) {
      const found = await openingOf(server.url, opening);
      const fault = lacks(opening, found);
      if (fault) faults.push(`${opening.path}: ${fault} of ${JSON.stringify(found)}`);
    }
    expect(faults).toEqual([]);
  });

  // In the order in which they were recorded: each goes on from what the one before has left.
  it.each([...talks, "refusals"])("is understood and answered as before: %s", async (name) => {
    for (const visit of visitsOf(recorded(version, name))) await repeat(server, visit, version);
  });

  it("is answered as before over HTTP", async () => {
    const faults: string[] = [];
    for (const exchange of asOfToday(recorded<Exchange>(version, "http"), version)) {
      // A changed room is told as D1 has it, and D1 follows behind.
      const length = exchange.method === "PATCH" ? (exchange.answer as { lastSeq?: number } | undefined)?.lastSeq : 0;
      await until("D1 has as much", () => server.archivedCount("den") >= (length ?? 0));
      const found = await ask(server, exchange);
      const fault = lacks(found.expected, found.answered, exchange.drawn);
      if (fault) faults.push(`${exchange.method} ${exchange.path}: ${fault} of ${JSON.stringify(found.answered)}`);
    }
    expect(faults).toEqual([]);
  });
});

/** The lines of each connection. */
function visitsOf(lines: readonly Line[]): Line[][] {
  const visits: Line[][] = [];
  for (const line of lines) {
    if ("connect" in line) visits.push([]);
    visits.at(-1)?.push(line);
  }
  return visits;
}

/** Says what a client has said, each thing once what it had heard before has come. */
async function repeat(server: Server, visit: readonly Line[], version: string): Promise<void> {
  const [opening] = visit;
  if (!opening || !("connect" in opening)) throw new Error("A visit begins with its address.");
  const socket = new WebSocket(`${server.url.replace("http", "ws")}${opening.connect}`);
  const expected = new Heard();
  const found = new Heard();
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error(`${opening.connect} can't be opened.`));
  socket.onclose = ({ code }) => {
    found.closed = code;
  };
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data)) as ServerFrame;
    if (frame.type === "check") socket.send(JSON.stringify({ type: "read", n: frame.n }));
    found.hear(frame);
  };
  await opened.promise;
  const settle = async () => {
    let lack: string | undefined;
    const isThere = () => {
      lack = missing(expected, found);
      return lack === undefined;
    };
    await until("it is as recorded", isThere).catch(() => {
      throw new Error(`At ${opening.connect} there is not ${lack}`);
    });
  };
  for (const line of visit) {
    if ("server" in line) expected.hear(asOfToday(line.server, version));
    else if ("close" in line) expected.closed = line.close;
    else if ("client" in line) {
      await settle();
      socket.send(JSON.stringify(line.client));
    }
  }
  await settle();
  socket.close();
}

/**
 * What was changed on purpose: since 0.1.0 an owner's agent does not own the room any more; since 0.2.0 an erasure that has
 * ended says no longer whom it has erased, and a room tells of packs that D1 refuses, not of single messages (`parked`).
 */
function asOfToday<T>(said: T, version: string): T {
  return JSON.parse(JSON.stringify(said), (name, value) => {
    if (version === "0.1.0" && value?.type === "you" && isAgent(value.sender)) return { ...value, owner: false };
    if (value?.kind === "erasure") return { ...value, id: `erased:${value.seq}`, erased: "" };
    return name === "parked" ? undefined : value;
  });
}

async function ask(server: Server, { method, path, key, body, status, type, answer }: Exchange) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = answer !== undefined;
  return {
    expected: { status, type, ...(isJson && { answer }) },
    answered: {
      status: response.status,
      type: response.headers.get("content-type"),
      ...(isJson && { answer: JSON.parse(text) as unknown }),
    },
  };
}
