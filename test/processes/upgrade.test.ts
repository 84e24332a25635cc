/** A server of today on a state folder that an earlier version has left: nothing is lost, and nobody is somebody else. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import type { Message } from "../../party/protocol.ts";
import { restore } from "../states/state-folder.ts";
import { READING, Server } from "./server.ts";
import { until } from "./until.ts";

/** What was done with version 0.1.0 before its folder was written down. */
const LEFT = {
  keys: {
    ann: "mai_DsVL7LhOAbsVs5NEbN9ZWY8v",
    ben: "mai_pVcGOAxE0VxcIbtcILwtocKM",
    revoked: "mai_1rn4RlszP_BnDDVVszLDNyc6",
    rotatedAway: "mai_h9Wt8pMrpLB_xqXFzR5GB8du",
    rotated: "mai_LSlCNa7mEfxqs-geGLxzEda9",
  },
  handles: { ann: "able-kingfisher", ben: "silver-hippo", rotated: "opal-flamingo", guest: "~tender-coyote-71ed33" },
  guestSecret: "a-guest-secret-of-old-1234567890",
  den: { epoch: "9uQ97Ak9FE", head: 22 },
} as const;

let server: Server;

beforeAll(async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-0.1.0-"));
  restore(join(import.meta.dirname, "../states/0.1.0.json"), stateDir);
  server = await Server.start({ stateDir });
});

afterAll(async () => {
  await server.remove();
});

async function call(
  method: string,
  path: string,
  key?: string,
  body?: object,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
}

/** How many messages of a room D1 has in the form of version 0.1.0. */
function rowsOf(room: string): number {
  const database = new DatabaseSync(server.databaseFile, READING);
  try {
    const row = database.prepare("SELECT COUNT(*) AS count FROM messages WHERE room_id = ?").get(room);
    return row?.count as number;
  } finally {
    database.close();
  }
}

const history = async (): Promise<{ messages: Message[]; epoch: string; head: number }> =>
  (await call("GET", "/api/rooms/den/messages?limit=200")).json as never;

describe("a state folder of version 0.1.0", () => {
  it("has its history, in its epoch, so that cursors of before go on", async () => {
    const { messages, epoch, head } = await history();
    expect([epoch, head]).toEqual([LEFT.den.epoch, LEFT.den.head]);
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
    expect(messages[4]).toMatchObject({ content: "", deleted: true });
    expect(messages[21]).toMatchObject({ content: "a reply — “ünïcode” 🦊", replyTo: 2, sender: LEFT.handles.ben });
    const resumed = await call("GET", `/api/rooms/den/messages?after=20&epoch=${LEFT.den.epoch}`);
    expect(resumed.json).toMatchObject({ messages: [{ seq: 21 }, { seq: 22 }] });
    expect(resumed.json).not.toHaveProperty("reset");
  });

  it("knows its keys: those that hold, the one that was rotated, and those that ended", async () => {
    const { keys, handles } = LEFT;
    const me = async (key: string) => {
      const { status, json } = await call("GET", "/api/keys/me", key);
      return status === 200 ? (json as { handle: string }).handle : status;
    };
    expect({
      ann: await me(keys.ann),
      ben: await me(keys.ben),
      rotated: await me(keys.rotated),
      rotatedAway: await me(keys.rotatedAway),
      revoked: await me(keys.revoked),
    }).toEqual({ ann: handles.ann, ben: handles.ben, rotated: handles.rotated, rotatedAway: 401, revoked: 401 });
  });

  it("recognises a retry of a message of before, and another content under its id as a conflict", async () => {
    const again = await call("POST", "/api/rooms/den/messages", LEFT.keys.ann, { id: "a1", content: "message 1" });
    expect(again).toMatchObject({ status: 200, json: { seq: 1 } });
    const other = await call("POST", "/api/rooms/den/messages", LEFT.keys.ann, { id: "a1", content: "another" });
    expect(other).toMatchObject({ status: 409, json: { error: { code: "conflict" } } });
  });

  it("keeps its owner's mutes and settings, and its owner", async () => {
    const muted = await call("POST", "/api/rooms/den/messages", LEFT.keys.ben, { content: "still muted" });
    expect(muted).toMatchObject({ status: 403, json: { error: { code: "muted" } } });
    const now = { loopGuard: 5, listed: true, instructions: null };
    expect((await call("GET", "/api/rooms/den", LEFT.keys.ann)).json).toMatchObject(now);
    expect((await call("PATCH", "/api/rooms/den", LEFT.keys.ann, { topic: "New stories" })).status).toBe(200);
  });

  it("takes instructions for agents from its owner", async () => {
    const settled = await call("PATCH", "/api/rooms/den", LEFT.keys.ann, { instructions: "Be brief." });
    const instructions = { version: 1, text: "Be brief." };
    expect(settled).toMatchObject({ status: 200, json: { instructions, loopGuard: 5 } });
    expect((await call("GET", "/api/rooms/den")).json).toMatchObject({ instructions });
  });

  it("goes on: the next message has the next seq, and D1 gets it", async () => {
    const said = await call("POST", "/api/rooms/den/messages", LEFT.keys.ann, { content: "after the upgrade" });
    expect(said).toMatchObject({ status: 201, json: { seq: 23, sender: LEFT.handles.ann } });
    await until("D1 has the new message", () => server.archivedCount("den") === 23);
  });

  it("packs what it had in D1 while people talk, and loses nothing of it", async () => {
    const { messages } = await history();
    for (let message = 1; message <= 110; message++) {
      const said = await call("POST", "/api/rooms/den/messages", LEFT.keys.ann, { content: `message ${message}` });
      expect(said.status).toBe(201);
    }
    await until("all is in packs", () => rowsOf("den") === 0 && server.archivedCount("den") === 133);
    expect(messages.slice(0, LEFT.den.head)).toMatchObject(server.archived("den").slice(0, LEFT.den.head));
  });

  it("calls a guest as before", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/rooms/lobby/ws`);
    const sender = Promise.withResolvers<string>();
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", guest: LEFT.guestSecret }));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; sender?: string };
      if (frame.type === "you") sender.resolve(frame.sender as string);
    };
    expect(await sender.promise).toBe(LEFT.handles.guest);
    socket.close();
  });

  it("finds out who wrote where, and erases what was said before the upgrade", async () => {
    const authorization = `Operator ${readOperatorSecret(server.stateDir)}`;
    const path = `${server.url}/api/messages?sender=${LEFT.handles.ben}`;
    const erase = async () => (await fetch(path, { method: "DELETE", headers: { authorization } })).status;
    await until("it is done", async () => (await erase()) === 200);
    const of = (sender: string) => server.archived("den").filter((message) => message.sender === sender).length;
    expect([of(LEFT.handles.ben), of("") > 0, of(LEFT.handles.ann) > 0]).toEqual([0, true, true]);
    const { json } = await call("GET", "/api/rooms/den/messages?before=23&limit=22");
    expect(JSON.stringify(json)).not.toContain(LEFT.handles.ben);
  });

  it("is the same after a kill -9 of the new version", async () => {
    const before = await history();
    await server.kill();
    await server.start();
    expect(await history()).toEqual(before);
    expect((await call("GET", "/api/keys/me", LEFT.keys.ann)).status).toBe(200);
  });
});
