/** A room's end takes two steps, D1 and then the room. What becomes of a room when somebody is stopped in between. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { archive, ORIGIN, ownerWithRoom, refusalOf, stubOf, Visitor, without } from "./visitor.ts";

afterEach(() => vi.restoreAllMocks());

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
    env.DB.prepare("DELETE FROM messages WHERE room_id = ?").bind(room),
    env.DB.prepare("DELETE FROM rooms WHERE id = ?").bind(room),
  ]);
}

/** What the room's own storage has of the words that were said. */
const stored = (room: string): Promise<number> =>
  runInDurableObject(stubOf(room), (_, { storage }) => {
    const [table] = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'messages'").toArray();
    return table ? storage.sql.exec("SELECT 1 FROM messages WHERE content = 'secret words'").toArray().length : 0;
  });

describe("a deletion that was cut off", () => {
  it("is finished by the room itself", async () => {
    const { room } = await roomAboutToEnd();
    const line = await new Visitor().connect(room);
    await line.welcome();
    await takeRow(room);
    expect(await stored(room)).toBe(1);
    expect(await runDurableObjectAlarm(stubOf(room))).toBe(true);
    expect(await stored(room)).toBe(0);
    expect(await line.closeCode()).toBe(4410);
    expect(await runInDurableObject(stubOf(room), (_, { storage }) => storage.getAlarm())).toBeNull();
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
    expect(await runDurableObjectAlarm(stubOf(room))).toBe(true);
    expect(await stored(room)).toBe(0);
  });

  it("is not what a room waits for when none has begun", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret words" });
    await archive(room);
    expect(await runDurableObjectAlarm(stubOf(room))).toBe(false);
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
    expect(await runDurableObjectAlarm(stubOf(room))).toBe(true);
    expect(await stored(room)).toBe(0);
  });
});
