/** A server of today on a state folder that version 0.2.0 has left, with something of everything (`test/states/live.ts`). */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOperatorSecret } from "../../api/local/operator-secret.ts";
import type { Message } from "../../party/protocol.ts";
import { LIFE, tokenFor } from "../states/live.ts";
import { restore } from "../states/state-folder.ts";
import { expectStatus, Visitor } from "./security/visitor.ts";
import { Server, WRITING } from "./server.ts";
import { until } from "./until.ts";

const { "old-ann": ann, "old-ben": ben, "old-cat": cat, "old-dan": dan, "old-eve": eve } = LIFE.keys;

let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-0.2.0-"));
  restore(join(import.meta.dirname, "../states/0.2.0.json"), stateDir);
  server = await Server.start({ stateDir });
  visitor = new Visitor(server);
});

afterAll(async () => {
  await server.remove();
});

const read = async (room: string, key?: string) =>
  (await visitor.call("GET", `/api/rooms/${room}/messages?limit=200`, { ...(key !== undefined && { key }) })).body;

describe("a state folder of version 0.2.0", () => {
  it("has its people and the pointers to them: they are known before D1 was asked, and new ones are not", async () => {
    const lock = new DatabaseSync(server.databaseFile, WRITING);
    lock.exec("BEGIN EXCLUSIVE");
    try {
      expectStatus(await visitor.say("den", ann, "Still me"), 201);
      expectStatus(await visitor.say("den", `mai_${"x".repeat(24)}`, "Nobody"), 503);
    } finally {
      lock.close();
    }
  });

  it("has its history: replies, what was deleted and erased, who has decided", async () => {
    const { messages, head } = (await read("den")) as { messages: Message[]; head: number };
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    expect(messages[4]).toMatchObject({ content: "", deleted: true });
    expect(messages[6]).toMatchObject({ content: "a reply — “ünïcode” 🦊", replyTo: 2, sender: "old-ben" });
    const ask = messages.find(({ id }) => id === "ask");
    expect(ask).toMatchObject({ content: LIFE.ask.question, ask: { closed: { by: "old-ben", option: "yes" } } });
    expect(messages.find(({ id }) => id === "s1")).toMatchObject({ sender: "anna@acme" });
    expect(JSON.stringify(messages)).not.toContain("will be erased");
  });

  it("reads what it had packed in D1", async () => {
    const { messages } = (await read("hall")) as { messages: Message[] };
    expect(messages.map(({ content }) => content)).toEqual(
      Array.from({ length: 120 }, (_, index) => `${Math.floor(index / 3) + 1}`),
    );
    expect(server.archivedCount("hall")).toBe(120);
  });

  it("knows its keys: those that hold, the one that was rotated, and those that ended", async () => {
    const me = async (key: string) => {
      const { status, body } = await visitor.call("GET", "/api/keys/me", { key });
      return status === 200 ? body.handle : status;
    };
    expect([await me(ann), await me(LIFE.rotated), await me(dan), await me(eve)]).toEqual([
      ...["old-ann", "old-dan"],
      ...[401, 401],
    ]);
  });

  it("lets its members into their room, each by their role, and nobody else", async () => {
    expect((await read("attic", cat)).messages).toHaveLength(1);
    expectStatus(await visitor.call("GET", "/api/rooms/attic/messages"), 401);
    expectStatus(await visitor.call("GET", "/api/rooms/attic/messages", { key: LIFE.rotated }), 403);
    expectStatus(await visitor.say("attic", cat, "A reader may not"), 403);
    expectStatus(await visitor.say("attic", ben, "Still among us"), 201);
    const { members } = (await visitor.call("GET", "/api/rooms/attic/members", { key: ben })).body;
    expect(members).toMatchObject([
      { sender: "old-ben", role: "moderator" },
      { sender: "old-cat", role: "reader" },
    ]);
    const { invites } = (await visitor.call("GET", "/api/rooms/attic/invites", { key: ben })).body;
    expect(invites).toMatchObject([{ ...LIFE.invite, used: 0 }]);
  });

  it("keeps rules, mutes and instructions, and who is moderator of the lobby", async () => {
    expect((await visitor.say("den", LIFE.rotated, "still muted")).body.error.code).toBe("muted");
    expectStatus(await visitor.say("den", ben, "the word is swordfish"), 403);
    expect((await visitor.call("GET", "/api/rooms/den", { key: ann })).body).toMatchObject({
      instructions: { version: 1, text: LIFE.instructions },
      loopGuard: 5,
      blocked: ["swordfish"],
    });
    expectStatus(await visitor.call("GET", "/api/rooms/lobby/moderation", { key: ben }), 200);
  });

  it("lets a user of its site write, in a room that the site has made, too", async () => {
    const key = tokenFor("anna", server.url);
    expect((await visitor.say("den", key, "Back from acme")).body).toMatchObject({ sender: "anna@acme" });
    expectStatus(await visitor.say("acme--first-post", key, "Second!"), 201);
  });

  it("keeps what the operator has done: a closed room, and the audit log", async () => {
    expect((await visitor.say("cellar", LIFE.keys["old-fay"], "Is anybody here?")).body.error.code).toBe("read_only");
    const authorization = `Operator ${readOperatorSecret(server.stateDir)}`;
    const { entries } = (await visitor.call("GET", "/api/admin/audit", { headers: { authorization } })).body;
    expect(entries.map(({ path }: { path: string }) => path)).toEqual([
      ...["/api/rooms/lobby/members", "/api/admin/notice", "/api/admin/rooms/cellar"],
    ]);
  });

  it("is the same after a kill -9 of the new version", async () => {
    // An erasure of before, whose entry loses the name.
    await until("it has ended", async () => JSON.stringify(await read("den")).includes('"erased:12"'));
    const before = await read("den");
    await server.kill();
    await server.start();
    expect(await read("den")).toEqual(before);
    expectStatus(await visitor.call("GET", "/api/keys/me", { key: ann }), 200);
  });
});
