/** The operator: who proves to be it, and what they may do. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { DirectoryRecord, KeyRecord, RoomRow, SecretRecord, StateRecord } from "../../api/format/records.ts";
import { sha256Hex } from "../../party/identity/sender.ts";
import { archive, expectStatus, ownerWithRoom, refusalOf, stopTime, stubOf, Visitor } from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };

/** The operator, at an address of their own. */
function operator(secret = OPERATOR_SECRET) {
  const visitor = new Visitor();
  const headers = { authorization: `Operator ${secret}` };
  return {
    fetch: (path: string, init: RequestInit = {}) => visitor.fetch(path, { ...init, headers }),
    send: (method: string, path: string, body: unknown) => visitor.send(method, path, body, headers),
  };
}

/** The whole directory, over all its pages. */
async function directory(): Promise<DirectoryRecord[]> {
  const all: DirectoryRecord[] = [];
  const caller = operator();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const response = await caller.fetch(`/api/operator/directory${query}`);
    await expectStatus(response, 200);
    const page = await response.json<{ records: DirectoryRecord[]; next: string | null }>();
    all.push(...page.records);
    cursor = page.next;
  }
  return all;
}

describe("the operator's secret", () => {
  it("opens what is the operator's, and nothing else does", async () => {
    const path = "/api/operator/directory";
    await expectStatus(await operator().fetch(path), 200);
    expect(await refusalOf(await new Visitor().fetch(path))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await (await Visitor.withKey()).fetch(path))).toEqual([401, "unauthorized"]);
    const wrong = [`${OPERATOR_SECRET}x`, OPERATOR_SECRET.slice(1), OPERATOR_SECRET.toUpperCase(), "x"];
    for (const secret of wrong) {
      expect(await refusalOf(await operator(secret).fetch(path))).toEqual([401, "unauthorized"]);
    }
    const asKey = await new Visitor().fetch(path, { headers: { authorization: `Bearer ${OPERATOR_SECRET}` } });
    expect(await refusalOf(asKey)).toEqual([401, "unauthorized"]);
    const inAddress = await new Visitor().fetch(`${path}?operator=${OPERATOR_SECRET}`);
    expect(await refusalOf(inAddress)).toEqual([401, "unauthorized"]);
  });

  it("is guessed at only so often from one address, and wrong guesses lock nobody out", async () => {
    stopTime();
    const guesser = new Visitor();
    const guess = (secret: string) =>
      guesser.fetch("/api/operator/directory", { headers: { authorization: `Operator ${secret}` } });
    const statuses = new Set<number>();
    for (let tried = 0; tried < 110; tried++) statuses.add((await guess(`guess-${tried}`)).status);
    expect([...statuses]).toEqual([401, 429]);
    await expectStatus(await guess(OPERATOR_SECRET), 200);
    const refused = await guess("another-guess");
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refusalOf(refused)).toEqual([429, "rate_limited"]);
    await expectStatus(await operator().fetch("/api/operator/directory"), 200);
  });

  it("is in no log and in no answer", async () => {
    const said: string[] = [];
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((...words) => void said.push(JSON.stringify(words))),
    );
    const secret = `${OPERATOR_SECRET.slice(0, -1)}!`;
    for (const path of ["/api/operator/directory", "/api/rooms/lobby", "/api/keys/me", "/api/rooms/lobby/export"]) {
      for (const one of [secret, OPERATOR_SECRET]) said.push(await (await operator(one).fetch(path)).text());
    }
    for (const spy of spies) spy.mockRestore();
    expect(said.join("\n")).not.toContain(OPERATOR_SECRET.slice(0, -1));
  });
});

describe("the operator", () => {
  it("renames, settles, mutes in and deletes any room", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}`;
    expect(await (await operator().send("PATCH", path, { name: "Tidy", guests: "read" })).json()).toMatchObject({
      name: "Tidy",
      guests: "read",
    });
    await expectStatus(await operator().send("PUT", `${path}/mutes/${owner.handle}`, {}), 200);
    expect(await (await operator().fetch(`${path}/mutes`)).json()).toEqual({
      mutes: [{ sender: owner.handle, until: null }],
    });
    const refused = await owner.send("POST", `${path}/messages`, { content: "Hello" });
    expect(await refusalOf(refused)).toEqual([403, "muted"]);
    await expectStatus(await operator().fetch(`${path}/mutes/${owner.handle}`, { method: "DELETE" }), 204);
    expect(await (await operator().fetch(path)).json()).toMatchObject({ listed: true, archive: { lag: 0 } });
    await expectStatus(await operator().fetch(path, { method: "DELETE" }), 204);
    await expectStatus(await owner.fetch(path), 404);
  });

  it("deletes any message, under a name that is nobody's", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}/messages`;
    await owner.send("POST", path, { content: "Hello" });
    await expectStatus(await operator().fetch(`${path}/1`, { method: "DELETE" }), 204);
    expect(await (await owner.fetch(path)).json()).toMatchObject({
      messages: [
        { seq: 1, content: "", deleted: true },
        { seq: 2, kind: "deletion", sender: "operator", target: 1 },
      ],
    });
  });

  it("exports any room", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    const response = await operator().fetch(`/api/rooms/${room}/export`);
    await expectStatus(response, 200);
    expect(await response.text()).toContain('"content":"Hello"');
  });

  it("is nobody who talks: it has no key", async () => {
    const { room } = await ownerWithRoom();
    const said = await operator().send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    expect(await refusalOf(said)).toEqual([401, "unauthorized"]);
  });
});

describe("the directory", () => {
  it("has the pepper, each key and each room, whoever may see them otherwise", async () => {
    const { owner, room } = await ownerWithRoom({ guests: "read" });
    await owner.send("PATCH", `/api/rooms/${room}`, { listed: false, topic: "Bears" });
    await owner.send("PUT", `/api/rooms/${room}/mutes/calm-newt`, {});
    const revoked = await Visitor.withKey();
    await revoked.fetch("/api/keys/me", { method: "DELETE" });
    const records = await directory();
    const pepper = (await env.DB.prepare("SELECT value FROM secrets").first<string>("value")) ?? "";
    expect(records.filter(({ type }) => type === "secret")).toEqual([
      { type: "secret", name: "guest_pepper", value: pepper } satisfies SecretRecord,
    ]);
    const keys = records.filter(({ type }) => type === "key") as KeyRecord[];
    expect(keys.find(({ handle }) => handle === owner.handle)).toMatchObject({
      hash: await sha256Hex(owner.key as string),
      revokedAt: null,
      nextHash: null,
    });
    expect(keys.find(({ handle }) => handle === revoked.handle)?.revokedAt).toEqual(expect.any(String));
    const rooms = records.filter(({ type }) => type === "room") as RoomRow[];
    expect(rooms.map(({ id }) => id)).toContain("lobby");
    const row = rooms.find(({ id }) => id === room);
    expect(row).toMatchObject({ listed: false, topic: "Bears", lastSeq: 0 });
    expect(row?.settings).toMatchObject({ guests: "read", mutes: { "calm-newt": null } });
    expect(keys.find(({ id }) => id === row?.owner)?.handle).toBe(owner.handle);
  });

  it("says where a log ends by the room's own word, before D1 has heard of it", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    const { epoch } = await owner.json<{ epoch: string }>(`/api/rooms/${room}/messages`);
    const row = async () => (await directory()).find((record) => record.type === "room" && record.id === room);
    expect(await row()).toMatchObject({ lastSeq: 1, epoch });
    await archive(room);
    expect(await row()).toMatchObject({ lastSeq: 1, epoch });
  });

  it("wakes no room that has never been opened", async () => {
    const { room } = await ownerWithRoom();
    await directory();
    const tables = await runInDurableObject(stubOf(room), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'log'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("has more keys and rooms than go into one page, each once", async () => {
    const rows = Array.from({ length: 1_100 }, (_, index) => `page-${String(index).padStart(5, "0")}`);
    await env.DB.prepare(
      `INSERT INTO api_keys (id, key_hash, handle, created_at)
        SELECT value, 'hash-' || value, 'handle-' || value, '2026-01-01T00:00:00.000Z' FROM json_each(?)`,
    )
      .bind(JSON.stringify(rows))
      .run();
    await env.DB.prepare(
      "INSERT INTO rooms (id, name, created_at) SELECT value, value, '2026-01-01T00:00:00.000Z' FROM json_each(?)",
    )
      .bind(JSON.stringify(rows.slice(0, 120)))
      .run();
    const records = await directory();
    const ids = (type: string) =>
      records.flatMap((record) => (record.type === type && "id" in record ? [record.id] : []));
    expect(ids("key").filter((id) => id.startsWith("page-"))).toEqual(rows);
    expect(ids("room").filter((id) => id.startsWith("page-"))).toEqual(rows.slice(0, 120));
  });

  it("has what each room knows beside its messages, each part once, however long they are", async () => {
    const { room } = await ownerWithRoom();
    const parts = Array.from({ length: 450 }, (_, index) => `part-${String(index).padStart(3, "0")}`);
    const long = "x".repeat(700_000);
    const insert = env.DB.prepare("INSERT INTO room_state VALUES (?1, ?2, json_quote(?3), 1)");
    // What follows from the messages is in a backup with them.
    const others = ["asks", "pairs"].map((part) => insert.bind(room, part, "left out"));
    const bodyOf = (index: number) => (index < 4 ? long : `body ${index}`);
    await env.DB.batch([...parts.map((part, index) => insert.bind(room, part, bodyOf(index))), ...others]);
    const states = (await directory()).filter(
      (record): record is StateRecord => record.type === "state" && record.room === room,
    );
    const found = states.map(({ part, body }) => [part, body]);
    expect(found).toEqual(parts.map((part, index) => [part, bodyOf(index)]));
    const page = await operator().fetch(`/api/operator/directory?cursor=state:${room}/`);
    expect((await page.json<{ records: unknown[] }>()).records).toHaveLength(2);
  });

  it("has whom the operator has erased, over more pages than one", async () => {
    const hashes = Array.from({ length: 600 }, (_, index) => `hash-${String(index).padStart(3, "0")}`);
    const at = "2026-01-01T00:00:00.000Z";
    const insert =
      "INSERT INTO erasure_orders (sender_hash, at, sender) SELECT value, ?2, 'calm-newt' FROM json_each(?1)";
    await env.DB.prepare(insert).bind(JSON.stringify(hashes), at).run();
    const orders = (await directory()).filter(({ type }) => type === "erasureOrder");
    expect(orders).toEqual(hashes.map((senderHash) => ({ type: "erasureOrder", senderHash, at, sender: "calm-newt" })));
  });

  it("goes on only where an earlier page said", async () => {
    const refused = await operator().fetch("/api/operator/directory?cursor=nowhere");
    expect(await refusalOf(refused)).toEqual([400, "invalid"]);
  });
});
