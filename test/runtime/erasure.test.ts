/** Everything by one sender is erased: from which moment on nobody is shown it, and in which stores nothing of it is left. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { unlogged } from "../logged.ts";
import {
  admit,
  archive,
  archived,
  copiedState,
  evict,
  expectStatus,
  longRoom,
  loseStorage,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  savePacks,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };
const AS_OPERATOR = { headers: { authorization: `Operator ${OPERATOR_SECRET}` } };

const SECRET = "what must not be found";

/** Says something in a room, under an id. */
async function say(who: Visitor, room: string, id: string, content = SECRET, more: object = {}): Promise<Message> {
  const response = await who.send("POST", `/api/rooms/${room}/messages`, { id, content, ...more });
  expect([200, 201]).toContain(response.status);
  return response.json();
}

const erase = (who: Visitor, room: string, sender: string): Promise<Response> =>
  who.fetch(`/api/rooms/${room}/messages?sender=${encodeURIComponent(sender)}`, { method: "DELETE" });

const eraseEverywhere = (sender: string): Promise<Response> =>
  new Visitor().fetch(`/api/messages?sender=${encodeURIComponent(sender)}`, { method: "DELETE", ...AS_OPERATOR });

const log = async (room: string, query = "after=0&limit=200"): Promise<Message[]> =>
  (await new Visitor().json<{ messages: Message[] }>(`/api/rooms/${room}/messages?${query}`)).messages;

/** Lets the room work until it asks for nothing more at once. */
async function carryOut(room: string): Promise<void> {
  for (let ring = 0; ring < 20 && (await runDurableObjectAlarm(stubOf(room))); ring++);
}

/** All that `table` in D1 has of a room. */
const rowsOf = (table: string, room: string): D1PreparedStatement =>
  env.DB.prepare(`SELECT * FROM ${table} WHERE ${table === "rooms" ? "id" : "room_id"} = ?`).bind(room);

/** All that the room's object has stored, and D1 of the room, as text. The entry that says who was erased is left out. */
async function everythingOf(room: string): Promise<string> {
  const stored = await runInDurableObject(stubOf(room), (_, { storage: { sql } }) => {
    const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    const ours = tables.filter(({ name }) => !name.startsWith("_cf") && !name.startsWith("sqlite"));
    return ours.map(({ name }) => sql.exec(`SELECT * FROM ${name}`).toArray());
  });
  const tables = ["senders", "room_state"];
  const rows = await env.DB.batch(tables.map((table) => rowsOf(table, room)));
  const everything = [...stored, ...rows.map(({ results }) => results), await archived(room)].flat();
  return JSON.stringify(everything.filter((row) => (row as { kind?: string }).kind !== "erasure"));
}

describe("erasing everything by one sender in a room", () => {
  it("shows nobody any of it from then on, and leaves nothing of it in any store", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    // They were a member, too.
    await admit(owner, room, troll);
    await expectStatus(await owner.fetch(`/api/rooms/${room}/members/${troll.handle}`, { method: "DELETE" }), 204);
    await say(troll, room, "first");
    await say(troll, room, "bot", SECRET, { as: "bot" });
    await say(owner, room, "mine", "stays", { replyTo: 1 });
    const deleted = await say(troll, room, "second");
    await troll.fetch(`/api/rooms/${room}/messages/${deleted.seq}`, { method: "DELETE" });
    await archive(room);
    const reader = await new Visitor().connect(room, { query: "?knows=erasure" });
    await reader.welcome();
    const older = await new Visitor().connect(room);
    await older.welcome();

    const response = await erase(owner, room, troll.handle);
    await expectStatus(response, 200);
    expect(await response.json()).toEqual({ pending: 0 });
    const [told] = await reader.messages(1);
    const entry = { seq: 6, kind: "erasure", sender: owner.handle, content: "", erased: troll.handle, upTo: 5 };
    expect(told).toMatchObject(entry);
    // A client that does not say that it applies erasures has to start over: so it can't go on showing anything.
    expect(await older.welcome()).toMatchObject({ reset: true, head: 6 });

    const gone = { kind: "text", sender: "", content: "", deleted: true };
    const expected = [
      { seq: 1, id: "erased:1", ...gone },
      { seq: 2, id: "erased:2", ...gone },
      { seq: 3, id: "mine", sender: owner.handle, content: "stays", replyTo: 1 },
      { seq: 4, id: "erased:4", ...gone },
      { seq: 5, kind: "deletion", sender: "", target: 4 },
      { ...entry, id: "erased:6", erased: "" },
    ];
    // It is carried out everywhere, so it says no longer whose messages they were.
    expect(await log(room)).toMatchObject(expected);
    expect(await log(room, "before=7")).toMatchObject(expected);
    const newcomer = await new Visitor().connect(room);
    expect((await newcomer.welcome()).messages).toMatchObject(expected);
    const page = await (await new Visitor().fetch(`/r/${room}?format=md`)).text();
    expect(page).toContain(`6. ${owner.handle} erased everything that somebody who was erased had said`);
    const brief = await (await new Visitor().fetch(`/api/rooms/${room}/messages?format=brief`)).text();
    expect(brief).toMatch(/^6 .* erased everything by somebody up to 5$/m);
    const file = await (await owner.fetch(`/api/rooms/${room}/export`)).text();
    expect(page + brief + file).not.toMatch(new RegExp(`${SECRET}|${troll.handle}`));
    const left = await everythingOf(room);
    expect(left).not.toContain(SECRET);
    expect(left).not.toContain(troll.handle);
    expect(left).toContain("stays");
  });

  it("leaves what the sender says afterwards, and says nothing again when it is asked for again", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await say(troll, room, "first");
    await expectStatus(await erase(owner, room, troll.handle), 200);
    await expectStatus(await erase(owner, room, troll.handle), 200);
    await say(troll, room, "later", "said later");
    await archive(room);
    expect(await log(room)).toMatchObject([{ seq: 1, sender: "" }, { kind: "erasure" }, { content: "said later" }]);
    // And that can be erased, too.
    await expectStatus(await erase(owner, room, troll.handle), 200);
    expect(await log(room)).toMatchObject([{ sender: "" }, { kind: "erasure" }, { sender: "" }, { kind: "erasure" }]);
  });

  it("takes an agent alone when it is named, and leaves its person", async () => {
    const { owner, room } = await ownerWithRoom();
    const person = await Visitor.withKey();
    await say(person, room, "a", "stays");
    await say(person, room, "b", SECRET, { as: "bot" });
    await expectStatus(await erase(owner, room, `${person.handle}/bot`), 200);
    expect(await log(room)).toMatchObject([{ content: "stays" }, { sender: "", content: "" }, { kind: "erasure" }]);
  });

  it("stores no retry of what was erased, also not in a room that has lost its own storage", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await say(owner, room, "x", "stays");
    await say(troll, room, "again", SECRET, { replyTo: 1 });
    await expectStatus(await erase(owner, room, troll.handle), 200);
    expect(await say(troll, room, "again", SECRET, { replyTo: 1 })).toMatchObject({ seq: 2, deleted: true });
    await evict(stubOf(room), { webSockets: "close" });
    expect(await say(troll, room, "again")).toMatchObject({ seq: 2 });
    await carryOut(room);
    await loseStorage(room);
    expect(await say(troll, room, "again")).toMatchObject({ seq: 2 });
    // Whoever else has the same id says something else.
    expect(await say(owner, room, "again", "mine")).toMatchObject({ seq: 4, content: "mine" });
    expect(await log(room)).toMatchObject([{ content: "stays" }, { sender: "" }, { kind: "erasure" }, { seq: 4 }]);
  });

  it("reaches what the room has let go of, in packs and in rows of the older form, however long it is", async () => {
    const { owner, room } = await longRoom(9_000, SECRET);
    await env.DB.prepare("DELETE FROM packs WHERE room_id = ? AND first < 1001").bind(room).run();
    const insert = `INSERT INTO messages (room_id, seq, id, kind, sender, content, created_at)
      SELECT ?1, value, 'm' || value, 'text', 'swift-otter', ?2, '2026-11-24T12:00:00.000Z' FROM json_each(?3)`;
    const seqs = Array.from({ length: 1_000 }, (_, index) => index + 1);
    await env.DB.prepare(insert).bind(room, SECRET, JSON.stringify(seqs)).run();
    await say(owner, room, "mine", "stays");
    // Nothing is overwritten yet: what is read is read through the erasure.
    const cut = (table: string, which: string) =>
      `CREATE TRIGGER late_${table} BEFORE UPDATE ON ${table} WHEN OLD.${which} < 8001 BEGIN SELECT RAISE(ABORT, 'late'); END`;
    await env.DB.batch([env.DB.prepare(cut("packs", "first")), env.DB.prepare(cut("messages", "seq"))]);
    const logged = vi.spyOn(console, "warn").mockReturnValue();
    await expectStatus(await erase(owner, room, "swift-otter"), 202);
    for (const query of ["after=0&limit=1", "before=1500&limit=1", "before=8000&limit=1", "limit=3"]) {
      expect((await log(room, query))[0]).toMatchObject({ sender: "", content: "" });
    }
    expect((await archived(room)).filter(({ content }) => content === SECRET).length).toBeGreaterThan(7_000);
    await env.DB.batch(["packs", "messages"].map((table) => env.DB.prepare(`DROP TRIGGER late_${table}`)));
    logged.mockRestore();
    await carryOut(room);
    await expectStatus(await erase(owner, room, "swift-otter"), 200);
    const left = await everythingOf(room);
    expect([left.includes(SECRET), left.includes("swift-otter"), left.includes("stays")]).toEqual([false, false, true]);
  });

  it("is done again in a D1 that was set back to before it: in messages, among members, in what was held and done", async () => {
    const { owner, room } = await ownerWithRoom({ hold: "newcomers" });
    const troll = await Visitor.withKey();
    await expectStatus(await troll.send("POST", `/api/rooms/${room}/messages`, { content: SECRET }), 202);
    await admit(owner, room, troll);
    await say(troll, room, "a");
    await expectStatus(await owner.fetch(`/api/rooms/${room}/members/${troll.handle}`, { method: "DELETE" }), 204);
    await say(owner, room, "b", "stays");
    await archive(room);
    const tables = ["packs", "room_state"];
    const inD1 = async () =>
      env.DB.batch<Record<string, unknown>>([...tables, "rooms"].map((table) => rowsOf(table, room)));
    await vi.waitUntil(async () => JSON.stringify((await inD1())[1]).includes(SECRET), { timeout: 10_000 });
    const [packs, state, rooms] = (await inD1()).map(({ results }) => results);
    await expectStatus(await erase(owner, room, troll.handle), 200);
    await carryOut(room);
    expect(await everythingOf(room)).not.toContain(troll.handle);

    for (const [index, rows] of [packs, state].entries()) {
      await env.DB.prepare(`DELETE FROM ${tables[index]} WHERE room_id = ?`).bind(room).run();
      for (const row of rows ?? []) {
        const columns = Object.keys(row);
        const values = columns.map(() => "?");
        const insert = `INSERT INTO ${tables[index]} (${columns}) VALUES (${values})`;
        await env.DB.prepare(insert)
          .bind(...Object.values(row))
          .run();
      }
    }
    const { last_seq, copied_at } = rooms?.[0] ?? {};
    const setBack = "UPDATE rooms SET last_seq = ?, copied_at = ? WHERE id = ?";
    await env.DB.prepare(setBack).bind(last_seq, copied_at, room).run();
    expect(await everythingOf(room)).toContain(troll.handle);
    await say(owner, room, "c", "stays");
    await unlogged(() => archive(room));
    await carryOut(room);
    await vi.waitUntil(async () => !(await everythingOf(room)).includes(troll.handle), { timeout: 10_000 });
  });

  it("is said to be under way while D1 is away, and shows nobody anything meanwhile", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await say(troll, room, "first");
    await archive(room);
    await without("packs", async () => {
      const response = await erase(owner, room, troll.handle);
      await expectStatus(response, 202);
      expect(await response.json()).toEqual({ pending: 1 });
      // Asked for again, it is still the same one.
      await expectStatus(await erase(owner, room, troll.handle), 202);
      expect(await log(room)).toMatchObject([{ sender: "", content: "" }, { kind: "erasure" }]);
    });
    await carryOut(room);
    await expectStatus(await erase(owner, room, troll.handle), 200);
    expect(await everythingOf(room)).not.toContain(SECRET);
  });

  it("ends what the sender is writing", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await say(troll, room, "first");
    const line = await troll.enter(room);
    line.send({ type: "draft", id: "d", append: SECRET });
    await line.next("update", ({ drafts }) => drafts?.some((draft) => "append" in draft) ?? false);
    await erase(owner, room, troll.handle);
    await line.next("update", ({ drafts }) => drafts?.some((draft) => "end" in draft) ?? false);
  });

  it("is the owner's and the operator's, and bad questions are refused", async () => {
    const { owner, room } = await ownerWithRoom();
    const other = await Visitor.withKey();
    await say(owner, room, "a", "stays");
    expect(await refusalOf(await erase(other, room, owner.handle))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await erase(new Visitor(), room, owner.handle))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await erase(owner, "no-such-room", "swift-otter"))).toEqual([404, "not_found"]);
    for (const query of ["", "?sender=", "?sender=A%20b", `?sender=${"a".repeat(200)}`, "?sender=b%00"]) {
      const refused = await owner.fetch(`/api/rooms/${room}/messages${query}`, { method: "DELETE" });
      expect(await refusalOf(refused)).toEqual([400, "invalid"]);
    }
    expect(await refusalOf(await owner.fetch("/api/messages?sender=a-b", { method: "DELETE" }))).toEqual([
      401,
      "unauthorized",
    ]);
    expect((await log(room)).length).toBe(1);
    // Nobody of that name was ever here.
    await expectStatus(await erase(owner, room, "swift-otter"), 200);
    expect((await log(room)).length).toBe(1);
  });
});

describe("erasing everything by one sender everywhere", () => {
  it("finds every room in which they wrote, and leaves the others alone", async () => {
    const owner = await Visitor.withKey();
    const troll = await Visitor.withKey();
    const rooms = [await makeRoom(owner), await makeRoom(owner), await makeRoom(owner)];
    const [first, second, third] = rooms as [string, string, string];
    await say(troll, first, "a");
    await say(troll, second, "b", SECRET, { as: "bot" });
    await say(owner, third, "c", "stays");
    for (const room of rooms) await archive(room);
    const response = await eraseEverywhere(troll.handle);
    await expectStatus(response, 200);
    expect(await response.json()).toEqual({ pending: 0 });
    for (const room of [first, second]) {
      expect(await log(room)).toMatchObject([{ sender: "" }, { kind: "erasure", sender: "operator" }]);
      expect(await everythingOf(room)).not.toContain(SECRET);
    }
    expect(await log(third)).toMatchObject([{ content: "stays" }]);
    await expectStatus(await eraseEverywhere(troll.handle), 200);
    expect((await log(first)).length).toBe(2);
  });

  it("begins it everywhere, however many rooms are still at it", async () => {
    const owner = await Visitor.withKey();
    const troll = await Visitor.withKey();
    const room = await makeRoom(owner);
    await say(troll, room, "a");
    await archive(room);
    const insert = "INSERT INTO rooms (id, name, created_at) VALUES (?1, ?1, ?2)";
    const slow = Array.from({ length: 25 }, (_, index) => `0-slow-${room}-${index}`.slice(0, 63));
    await env.DB.batch(
      slow.flatMap((id) => [
        env.DB.prepare(insert).bind(id, new Date().toISOString()),
        env.DB.prepare("INSERT INTO senders (room_id, sender) VALUES (?, ?)").bind(id, troll.handle),
      ]),
    );
    const isDone = async () => {
      await eraseEverywhere(troll.handle);
      return (await log(room))[0]?.sender === "";
    };
    await expect.poll(isDone, { timeout: 30_000 }).toBe(true);
    await env.DB.batch(
      slow.flatMap((id) => [
        env.DB.prepare("DELETE FROM senders WHERE room_id = ?").bind(id),
        env.DB.prepare("DELETE FROM rooms WHERE id = ?").bind(id),
      ]),
    );
    expect(await log(room)).toMatchObject([{ sender: "" }, { kind: "erasure" }]);
  });

  it("keeps the name of whom it erases no longer than it takes", async () => {
    const { room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    const names = () => env.DB.prepare("SELECT sender FROM erasure_orders WHERE sender IS NOT NULL").all();
    await say(troll, room, "a");
    await archive(room);
    await expect.poll(async () => (await eraseEverywhere(troll.handle)).status, { timeout: 30_000 }).toBe(200);
    expect(JSON.stringify((await names()).results)).not.toContain(troll.handle);
  });

  it("takes what waits for a moderator in a room whose log has nothing of theirs, also out of D1", async () => {
    const { owner, room } = await ownerWithRoom({ hold: "newcomers" });
    const troll = await Visitor.withKey();
    await expectStatus(await troll.send("POST", `/api/rooms/${room}/messages`, { content: SECRET, as: "bot" }), 202);
    const inD1 = () => env.DB.prepare("SELECT body FROM room_state WHERE room_id = ?").bind(room).all();
    const isKept = async () => JSON.stringify(await inD1()).includes(SECRET);
    await archive(room);
    expect(await isKept()).toBe(true);
    await expectStatus(await eraseEverywhere(troll.handle), 200);
    expect(JSON.stringify(await owner.json(`/api/rooms/${room}/held`))).not.toContain(SECRET);
    await archive(room);
    expect(await isKept()).toBe(false);
  });

  it("takes their name off what they did to others and off their invites, also where they said nothing", async () => {
    const { owner, room } = await ownerWithRoom();
    const moderator = await Visitor.withKey();
    await admit(owner, room, moderator, "moderator");
    const path = `/api/rooms/${room}`;
    await expectStatus(await moderator.send("PUT", `${path}/mutes/somebody-else`, {}), 200);
    await expectStatus(await moderator.send("POST", `${path}/invites`, {}), 201);
    await expectStatus(await owner.fetch(`${path}/members/${moderator.handle}`, { method: "DELETE" }), 204);
    await archive(room);
    for (const part of ["deeds", "invites"]) {
      expect(JSON.stringify(await copiedState(room, part))).toContain(moderator.handle);
    }
    await expectStatus(await eraseEverywhere(moderator.handle as string), 200);
    await archive(room);
    expect(await everythingOf(room)).not.toContain(moderator.handle);
    const { entries } = await owner.json<{ entries: object[] }>(`${path}/moderation`);
    expect(entries).toContainEqual(expect.objectContaining({ by: "", deed: "mute", target: "somebody-else" }));
    const { invites } = await owner.json<{ invites: object[] }>(`${path}/invites`);
    expect(invites).toMatchObject([{ createdBy: "", used: 0 }]);
  });

  it("reaches what a room brings to D1 only later, but for what was said after it", async () => {
    const { room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    const before = await say(troll, room, "a");
    await expectStatus(await eraseEverywhere(troll.handle), 200);
    const at = Date.parse((await orderAt()) ?? "");
    expect(at).toBeGreaterThanOrEqual(Date.parse(before.createdAt));
    await expect.poll(() => Date.now()).toBeGreaterThan(at);
    await say(troll, room, "b", "said later");
    await archive(room);
    await expect.poll(() => log(room)).toHaveLength(3);
    await carryOut(room);
    expect(await log(room)).toMatchObject([
      { seq: 1, sender: "", content: "" },
      { seq: 2, content: "said later" },
      { seq: 3, kind: "erasure", upTo: 1, sender: "operator" },
    ]);
    expect(await everythingOf(room)).not.toContain(SECRET);
    // What was said later is found by the next one, once D1 knows of it.
    await archive(room);
    await expectStatus(await eraseEverywhere(troll.handle), 200);
    expect((await log(room))[1]).toMatchObject({ sender: "", content: "" });
  });

  it("asks rooms of which D1 does not know who wrote there, and appends nothing where they did not", async () => {
    const owner = await Visitor.withKey();
    const rooms = [await makeRoom(owner), await makeRoom(owner)];
    const at = Date.parse("2026-11-24T12:00:00.000Z");
    for (const [index, room] of rooms.entries()) {
      const sender = index === 0 ? "old-troll" : "old-friend";
      const message = { id: "a", kind: "text" as const, sender, content: SECRET, ref: null };
      await savePacks(room, [{ ...message, seq: 1, at }]);
      await env.DB.prepare("UPDATE rooms SET last_seq = 1, copied_at = -1 WHERE id = ?").bind(room).run();
    }
    for (let asked = 0; asked < 10; asked++) {
      if ((await eraseEverywhere("old-troll")).status === 200) break;
      for (const room of rooms) await carryOut(room);
    }
    await expectStatus(await eraseEverywhere("old-troll"), 200);
    expect(await log(rooms[0] as string)).toMatchObject([{ sender: "" }, { kind: "erasure" }]);
    expect(await log(rooms[1] as string)).toMatchObject([{ sender: "old-friend", content: SECRET }]);
  });
});

const orderAt = async (): Promise<string | null> =>
  env.DB.prepare("SELECT MAX(at) AS at FROM erasure_orders").first<string>("at");
