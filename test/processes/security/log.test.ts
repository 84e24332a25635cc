/** The operator's log of a real server: one line of JSON for each event, and nothing in it that is a visitor's. */

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nanoid } from "nanoid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOG_EVENTS } from "../../../party/operator-log/log-events.ts";
import { Server, WRITING } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, expectStatus, newGuestSecret, Visitor } from "./visitor.ts";

type Line = Record<string, unknown> & { readonly event: string; readonly request?: string };

let server: Server;

beforeAll(async () => {
  server = await Server.start({ vars: { LOG_REQUESTS: "true" } });
});

afterAll(() => server.remove());

/** What `npm start` says to a person. */
const TO_PEOPLE = /^$|^ {2}(meet-ai|lobby|data|operator|Ctrl\+C)/;

/** The log so far. Fails when anything in it is no line of it. */
function logged(): Line[] {
  const lines = server.output.split("\n").filter((line) => !TO_PEOPLE.test(line));
  // Of more the test would see only a part.
  expect(server.output.length).toBeLessThan(100_000);
  return lines.map((line) => JSON.parse(line) as Line);
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const requestOf = ({ headers }: Pick<Answer, "headers">): string => headers.get("x-request-id") ?? "";

/** Does `work` while D1 lacks a table. */
async function without(table: string, work: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(server.databaseFile, WRITING);
  database.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  try {
    await work();
  } finally {
    database.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    database.close();
  }
}

/** Does `work` while D1 takes no writes. */
async function locked(work: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(server.databaseFile, WRITING);
  database.exec("BEGIN IMMEDIATE");
  try {
    await work();
  } finally {
    database.exec("ROLLBACK");
    database.close();
  }
}

const MARKER = "zebrafinch";
const ADDRESSES = ["198.51.100.77", "2001:db8:77::5"] as const;

describe("whatever comes", () => {
  it("each line is an event, and has no content, key, secret or address", async () => {
    const visitor = new Visitor(server, ADDRESSES[0]);
    const other = new Visitor(server, ADDRESSES[1]);
    const owner = await visitor.makeKey();
    const room = await visitor.makeRoom(owner.key);
    const guest = `${nanoid()}Aa`;
    const operator = readFileSync(join(server.stateDir, "operator-secret"), "utf8").trim();
    const invited = await visitor.call("POST", `/api/rooms/${room}/invites`, {
      key: owner.key,
      body: { role: "member" },
    });
    expectStatus(invited, 201);
    const { secret: invite } = invited.body as { secret: string };
    const secrets = [owner.key, guest, operator, invite, MARKER, ...ADDRESSES];
    const answers: Answer[] = [];
    const call = async (...[method, path, options]: Parameters<Visitor["call"]>) => {
      for (const who of [visitor, other]) answers.push(await who.call(method, path, options));
    };

    const odd = async () => {
      for (const secret of secrets) {
        const said = encodeURIComponent(secret);
        const headers = { "user-agent": secret, referer: `https://x.example/?${said}`, "x-request-id": secret };
        await call("GET", `/api/rooms/${said}/messages?q=${said}`, { headers });
        await call("DELETE", `/api/rooms/${room}/members/${said}`, { key: owner.key, headers });
        await call("POST", "/api/rooms", { key: owner.key, text: `{"name": ${secret}`, headers });
        await call("POST", `/api/rooms/${room}/messages`, {
          headers: { authorization: secret },
          body: { content: secret },
        });
      }
    };
    const talk = async () => {
      const line = await visitor.enterAs(room, { guest });
      for (const secret of secrets) {
        line.say(`${MARKER} ${secret}`);
        line.sendText(`{"type":"send","id":"${secret}","content":"${MARKER}`);
        line.send({ type: secret, [secret]: secret });
      }
      await line.settled();
      line.close();
      await visitor.say(room, owner.key, `${MARKER} of the owner`);
    };
    await odd();
    await talk();
    await without("rooms", async () => {
      await call("GET", `/api/rooms?q=${MARKER}`);
      await call("POST", "/api/rooms", { key: owner.key, body: { name: MARKER } });
      await talk();
    });
    await without("api_keys", async () => {
      await call("GET", "/api/keys/me", { key: owner.key.replace(/.$/, "x") });
      await call("PATCH", `/api/rooms/${room}`, { key: owner.key, body: { name: MARKER } });
    });
    await locked(async () => {
      await talk();
      await call("POST", "/api/rooms", { key: owner.key, body: { name: MARKER } });
      await call("POST", "/api/keys", { body: { handle: MARKER } });
      await until("the archive has failed", () => server.output.includes('"archive.batch_failed"'));
    });
    // Then it fails no more, and writes no line into the tests that follow.
    const { length: said } = await visitor.messages(room);
    await until("the archive has followed", () => server.archivedCount(room) === said);

    const ids = answers.map(requestOf);
    for (const id of ids) expect(id).toMatch(UUID);
    expect(new Set(ids).size).toBe(ids.length);
    await until("the log has the last request", () => server.output.includes(ids.at(-1) as string));
    const lines = logged();
    for (const line of lines) {
      expect(Object.keys(LOG_EVENTS)).toContain(line.event);
      expect(line).toMatchObject({ level: /^(info|warn|error)$/.test(String(line.level)) && line.level });
      expect(new Date(String(line.time)).toISOString()).toBe(line.time);
    }
    const told = server.output.toLowerCase().split("\n");
    for (const form of secrets.flatMap((secret) => [secret, encodeURIComponent(secret)])) {
      expect(told.filter((line) => line.includes(form.toLowerCase()))).toEqual([]);
    }
    // What the visitors were told of is there.
    expect(new Set(lines.map(({ event }) => event))).toContain("request.failed");
    const failed = answers.filter(({ status }) => status === 500);
    expect(failed.length).toBeGreaterThan(0);
    for (const answer of failed) {
      expect(answer.body.error.message).toContain(requestOf(answer));
      const [line] = lines.filter(({ event, request }) => event === "request.failed" && request === requestOf(answer));
      expect(line).toMatchObject({ status: 500, error: { message: expect.stringContaining("no such table") } });
    }
    for (const answer of answers) {
      const request = requestOf(answer);
      const line = lines.find((line) => line.request === request && line.event.startsWith("request."));
      expect(line).toMatchObject({ status: answer.status, route: expect.stringMatching(/^\/[\w:/*-]*$/) });
    }
  });

  it("bytes after an upgrade that are no frame write no line but that of their socket", async () => {
    const before = logged().length;
    const upgrade = `GET /api/rooms/lobby/ws HTTP/1.1\r\nHost: localhost:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const noMask = [0, 0, 0, 0];
    // Reserved bits, an unknown opcode, a piece of no message, and a length beyond all.
    const heads = [
      [0xf1, 0x80],
      [0x8b, 0x80],
      [0x80, 0x80],
      [0x81, 0xff, 0x7f, ...Array(7).fill(255)],
    ];
    for (const head of heads) {
      const bytes = Buffer.concat([Buffer.from(upgrade), Buffer.from([...head, ...noMask])]);
      const socket = connect(server.port, "localhost");
      let answer = "";
      socket.on("data", (text: Buffer) => {
        answer += text.toString("latin1");
      });
      socket.on("error", () => undefined);
      socket.write(bytes);
      await until("it has been let in", () => answer.includes('"type":"welcome"'));
      // The runtime can't tell it what was wrong.
      socket.resetAndDestroy();
    }
    const last = await new Visitor(server).call("GET", "/healthz");
    await until("the log has what came last", () => server.output.includes(requestOf(last)));
    const events = logged().slice(before);
    expect(events.map(({ event }) => event)).toEqual(Array(heads.length + 1).fill("request.answered"));
  });

  it("a message over a socket writes no line, and its socket one", async () => {
    const visitor = new Visitor(server);
    const before = logged().length;
    const line = await visitor.enterAs("lobby", { guest: newGuestSecret() });
    for (let count = 0; count < 100; count++) line.say(`message ${count}`);
    await line.settled();
    line.close();
    const last = await visitor.call("GET", "/healthz");
    await until("the log has what came last", () => server.output.includes(requestOf(last)));
    expect(logged().slice(before)).toMatchObject([
      { event: "request.answered", route: "/api/rooms/:id/ws", room: "lobby", status: 101 },
      { event: "request.answered", route: "/healthz", request: requestOf(last) },
    ]);
  });
});
