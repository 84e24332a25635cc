/** A room's end takes two steps, D1 and then the room. What becomes of a room when somebody is stopped in between. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { archive, ownerWithRoom, segmentsOf, stubOf, Visitor, without } from "./visitor.ts";

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
    return segmentsOf(storage).flatMap((table) => {
      return storage.sql.exec(`SELECT 1 FROM ${table} WHERE content = 'secret words'`).toArray();
    }).length;
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
});
