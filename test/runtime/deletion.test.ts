/** A room's end takes two steps, D1 and then the room. What becomes of a room when somebody is stopped in between. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type DirectoryEntry, deleteRoom, findRoom, updateRoom } from "../../api/directory.ts";
import app from "../../api/index.ts";
import type { RoomRecord } from "../../party/room-record.ts";
import {
  alarmOf,
  archive,
  archived,
  evict,
  kept,
  ORIGIN,
  ownerWithRoom,
  refusalOf,
  ring,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A room in which something was said, whose deletion has begun. */
async function roomAboutToEnd(): Promise<{ owner: Visitor; room: string }> {
  const { owner, room } = await ownerWithRoom();
  await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
  await archive(room);
  await stubOf(room).prepareEnd();
  return { owner, room };
}

async function takeRow(room: string): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM packs WHERE room_id = ?").bind(room),
    env.DB.prepare("DELETE FROM rooms WHERE id = ?").bind(room),
  ]);
}

/** What the room's own storage has of the words that were said. */
const stored = async (room: string): Promise<number> =>
  (await kept(room)).filter((content) => content === "secret words").length;

/** When the room's alarm rings. After a week the tag of an author's address is forgotten, so it always has one. */
const wakesAt = async (room: string): Promise<number> => (await alarmOf(room)) ?? Number.POSITIVE_INFINITY;

describe("a deletion that was cut off", () => {
  it("is finished by the room itself", async () => {
    const { room } = await roomAboutToEnd();
    const line = await new Visitor().connect(room);
    await line.welcome();
    await takeRow(room);
    expect(await stored(room)).toBe(1);
    await runDurableObjectAlarm(stubOf(room));
    await expect.poll(() => stored(room)).toBe(0);
    expect(await line.closeCode()).toBe(4410);
    await expect.poll(() => alarmOf(room)).toBeNull();
  });

  it("before it had begun leaves the room as it was", async () => {
    const { owner, room } = await roomAboutToEnd();
    await runDurableObjectAlarm(stubOf(room));
    expect(await stored(room)).toBe(1);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
  });

  it("is looked at again when D1 does not answer", async () => {
    const { room } = await roomAboutToEnd();
    await without("rooms", async () => {
      await runDurableObjectAlarm(stubOf(room));
    });
    expect(await stored(room)).toBe(1);
    await takeRow(room);
    await runDurableObjectAlarm(stubOf(room));
    await expect.poll(() => stored(room)).toBe(0);
  });

  it("that does not go on is waited for an hour, and the room sleeps again", async () => {
    const { room } = await roomAboutToEnd();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_601_000 });
    // The room reads its clock anew when it wakes.
    await evict(stubOf(room));
    await ring(room);
    vi.useRealTimers();
    expect(await stored(room)).toBe(1);
    await expect.poll(() => wakesAt(room)).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  });

  it("is not what a room waits for when none has begun", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    await archive(room);
    await expect.poll(() => wakesAt(room)).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  });

  it("by a room that could not be reached is told as such, and is finished by the room itself", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    await archive(room);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const real = stubOf(room);
    const unreachable = {
      prepareEnd: () => real.prepareEnd(),
      destroy: () => Promise.reject(new Error("Network connection lost.")),
    };
    const bindings = { ...env, CHAT_ROOM: { getByName: () => unreachable } } as unknown as Env;
    const headers = { authorization: `Bearer ${owner.key}` };
    const request = new Request(`${ORIGIN}/api/rooms/${room}`, { method: "DELETE", headers });
    expect(await refusalOf(await app.fetch(request, bindings))).toEqual([503, "unavailable"]);
    expect(await refusalOf(await owner.fetch(`/api/rooms/${room}`))).toEqual([404, "not_found"]);
    expect(await stored(room)).toBe(1);
    await runDurableObjectAlarm(stubOf(room));
    await expect.poll(() => stored(room)).toBe(0);
  });
});

describe("a room that has ended", () => {
  /** The row of `room`, as the Worker hands it to the room. */
  const recordOf = async (room: string): Promise<RoomRecord> => (await findRoom(env.DB, room)) as RoomRecord;

  const submission = { id: "late", content: "late words" };
  const someone = { sender: "calm-heron", principal: "key:none" };

  it("is not begun again by a call that was under way: the call is told that the room is gone", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    const record = await recordOf(room);
    expect((await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" })).status).toBe(204);
    expect(await stubOf(room).send(record, someone, submission, undefined)).toMatchObject({ fault: "not_found" });
    expect(await stubOf(room).page(record, undefined, 10)).toMatchObject({ fault: "not_found" });
    expect(await runInDurableObject(stubOf(room), (_, { storage }) => storage.kv.get("room"))).toBeUndefined();
  });

  it("gives its id to another, whose owner and rules no late call of the first one changes", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("PATCH", `/api/rooms/${room}`, { name: "First" });
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "write" });
    await owner.fetch(`/api/rooms/${room}/messages`);
    const first = await recordOf(room);
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    const heir = await Visitor.withKey();
    const made = await heir.send("POST", "/api/rooms", { id: room, name: "Second" });
    expect(made.status).toBe(201);
    await heir.send("PATCH", `/api/rooms/${room}`, { guests: "read" });
    await stubOf(room).settle(first);
    expect(await stubOf(room).look(undefined)).toMatchObject({
      record: { name: "Second", settings: { guests: "read" } },
    });
    expect(await stubOf(room).send(first, someone, submission, undefined)).toMatchObject({ fault: "not_found" });
  });

  it("leaves the next room of its id an archive that is woken", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    const heir = await Visitor.withKey();
    await heir.send("POST", "/api/rooms", { id: room, name: "Second" });
    await heir.send("POST", `/api/rooms/${room}/messages`, { content: "new words" });
    await expect.poll(() => alarmOf(room)).toBeTypeOf("number");
    await archive(room);
    expect(await archived(room)).toMatchObject([{ seq: 1, content: "new words" }]);
  });

  it("loses nothing of a room that begins while it is being wiped", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    const first = await recordOf(room);
    const second = { ...first, createdAt: new Date(Date.parse(first.createdAt) + 1).toISOString(), revision: 1 };
    const stub = stubOf(room);
    const [, page] = await Promise.all([stub.destroy(first.createdAt), stub.page(second, undefined, 10)]);
    expect(page).toMatchObject({ messages: [], head: 0 });
    expect(await stored(room)).toBe(0);
    const said = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "new words" });
    expect([said.status, await said.json()]).toMatchObject([201, { seq: 1 }]);
    expect(
      await runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT 1 FROM log").toArray().length),
    ).toBe(1);
  });

  it("and whose end comes twice does not end the room that has its id by then, with what was said in it", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    const { createdAt } = await recordOf(room);
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    const heir = await Visitor.withKey();
    await heir.send("POST", "/api/rooms", { id: room, name: "Second" });
    await heir.send("POST", `/api/rooms/${room}/messages`, { content: "kept" });
    await stubOf(room).destroy(createdAt);
    expect(await heir.json(`/api/rooms/${room}/messages`)).toMatchObject({ messages: [{ content: "kept" }], head: 1 });
  });

  it("and whose id another has by now is neither changed nor deleted by a request that took it for its own", async () => {
    const { owner, room } = await ownerWithRoom();
    const first = (await findRoom(env.DB, room)) as DirectoryEntry;
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    const heir = await Visitor.withKey();
    await heir.send("POST", "/api/rooms", { id: room, name: "Second" });
    await heir.send("POST", `/api/rooms/${room}/messages`, { content: "kept" });
    await archive(room);
    expect(await updateRoom(env.DB, first, () => ({ name: "Stolen" }))).toBeUndefined();
    expect({ deleted: await deleteRoom(env.DB, first) }).toEqual({ deleted: false });
    expect(await findRoom(env.DB, room)).toMatchObject({ name: "Second" });
    expect(await archived(room)).toMatchObject([{ content: "kept" }]);
  });
});
