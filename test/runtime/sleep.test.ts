/** Sleeping, restarting, crashing and losing everything (promises 1 and 7). */

import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { alarmOf, archive, archived, evict, ownerWithRoom, refusalOf, stubOf, Visitor, without } from "./visitor.ts";

/** A room is copied within this time, ms: thrice the delay in vitest.config.ts. */
const COPIED_WITHIN = 3 * 3_600_000;

describe("a room that sleeps", () => {
  it("keeps its sockets, who they are and what they may, and goes on where it was", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room, "claude");
    const watcher = await new Visitor().connect(room);
    const { epoch } = await watcher.welcome();
    line.say("a");
    await watcher.messages(1);
    await evict(stubOf(room));
    line.say("b");
    line.say("a");
    expect(await watcher.messages(1)).toMatchObject([{ seq: 2, id: "b", sender: `${owner.handle}/claude` }]);
    expect(await line.next("ack")).toMatchObject({ id: "a", seq: 1 });
    expect((await (await new Visitor().connect(room)).welcome()).epoch).toBe(epoch);
  });

  it("knows who is here when it wakes, and tells those who are when one of them goes", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    await watcher.welcome();
    await line.next("update", ({ presence }) => presence?.spectators === 1);
    await evict(stubOf(room));
    const newcomer = await (await new Visitor().connect(room)).welcome();
    expect(newcomer.presence).toEqual({ people: [owner.handle], spectators: 1 });
    line.close();
    const update = await watcher.next("update", ({ presence }) => presence?.left !== undefined);
    expect(update.presence?.left).toEqual([owner.handle]);
  });

  it("is not woken by a ping", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    await line.welcome();
    await evict(stubOf(room));
    line.send("ping");
    expect(await line.nextText()).toBe("pong");
    // An object that does not run can't be put to sleep.
    await expect(evictDurableObject(stubOf(room))).rejects.toThrow();
  });

  it("has forgotten nothing of what the owner has settled", async () => {
    const { owner, room } = await ownerWithRoom({ guests: "read", name: "Cave" });
    const guest = await new Visitor().enter(room);
    await evict(stubOf(room));
    guest.say("a");
    expect(await guest.next("error")).toMatchObject({ code: "read_only", id: "a" });
    expect(await owner.json(`/api/rooms/${room}`)).toMatchObject({ name: "Cave" });
  });

  it("has forgotten nothing of what the owner has settled while people were there", async () => {
    const { owner, room } = await ownerWithRoom();
    const guest = await new Visitor().enter(room);
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "read" });
    await guest.next("update", (update) => update.room?.guests === "read");
    await evict(stubOf(room));
    guest.say("a");
    expect(await guest.next("error")).toMatchObject({ code: "read_only", id: "a" });
  });

  it("counts agents' messages on for the loop guard", async () => {
    const { owner, room } = await ownerWithRoom({ loopGuard: 2 });
    const line = await owner.enter(room, "claude");
    line.say("a");
    await line.messages(1);
    await evict(stubOf(room));
    line.say("b");
    line.say("c");
    expect(await line.next("error")).toMatchObject({ code: "loop_guard", id: "c" });
    await evict(stubOf(room));
    expect((await (await new Visitor().connect(room)).welcome()).room.agentsPaused).toBe(true);
  });
});

describe("a draft", () => {
  it("does not keep its room awake; it is told as ended when the room wakes, and begins anew", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    await watcher.welcome();
    line.send({ type: "draft", id: "a", append: "Once " });
    await watcher.next("update", ({ drafts }) => drafts !== undefined);
    await evict(stubOf(room));
    line.send({ type: "draft", id: "b", append: "" });
    const ended = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(ended.drafts).toContainEqual({ id: "a", sender: owner.handle, end: true });
    line.send({ type: "draft", id: "a", append: "Once upon", whole: true });
    const isNew = (draft: { id: string }) => draft.id === "a" && "append" in draft;
    const begun = await watcher.next("update", ({ drafts }) => drafts?.some(isNew) === true);
    expect(begun.drafts?.filter(isNew)).toEqual([{ id: "a", sender: owner.handle, append: "Once upon" }]);
    expect((await (await new Visitor().connect(room)).welcome()).drafts.map(({ id }) => id).sort()).toEqual(["a", "b"]);
  });

  it("that nobody goes on with is told as ended by a look of the room's own", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    line.send({ type: "draft", id: "a", append: "" });
    await watcher.next("update", ({ drafts }) => drafts !== undefined);
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    const ended = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(ended.drafts).toEqual([{ id: "a", sender: owner.handle, end: true }]);
  });
});

describe("a deploy", () => {
  it("costs clients a reconnect, and they resume exactly", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    await evict(stubOf(room), { webSockets: "close" });
    await line.closeCode();
    const again = await (await new Visitor().connect(room, { query: `?after=0&epoch=${epoch}` })).welcome();
    expect(again).toMatchObject({ epoch, head: 1, messages: [{ seq: 1, id: "a" }] });
    expect(again).not.toHaveProperty("reset");
    expect(again.presence).toEqual({ people: [], spectators: 0 });
  });
});

describe("a crash", () => {
  it("loses no message that was acknowledged, and D1 gets each once (promises 1 and 6)", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const ids = Array.from({ length: 30 }, (_, index) => `m${index}`);
    for (const id of ids) line.say(id);
    await line.messages(ids.length);
    await abortAllDurableObjects();
    expect(await line.closeCode()).toBe(1006);
    const { messages } = await (await new Visitor().connect(room)).welcome();
    expect(messages.map(({ id }) => id)).toEqual(ids);
    await archive(room);
    await abortAllDurableObjects();
    await owner.send("POST", `/api/rooms/${room}/messages`, { id: "after", content: "b" });
    await archive(room);
    expect((await archived(room)).map(({ id }) => id)).toEqual([...ids, "after"]);
  });

  it("leaves a retry as free as it was", async () => {
    const { owner, room } = await ownerWithRoom();
    const send = () => owner.send("POST", `/api/rooms/${room}/messages`, { id: "a", content: "Hello" });
    const first = await (await send()).json();
    await abortAllDurableObjects();
    const again = await send();
    expect([again.status, await again.json()]).toEqual([200, first]);
  });

  it("asks for the archive's alarm again when that was lost, and for none when nothing waits", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await runInDurableObject(stubOf(room), (_, state) => state.storage.deleteAlarm());
    await evict(stubOf(room));
    await expect.poll(() => alarmOf(room)).not.toBeNull();
    await archive(room);
    expect(await archived(room)).toHaveLength(1);
    await evict(stubOf(room));
    // But for that of another week, in which the tag of the author's address is forgotten.
    const wakes = async () => (await alarmOf(room)) ?? Number.POSITIVE_INFINITY;
    await expect.poll(wakes).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  });

  it("wakes the archive each time that something was said: an alarm that has rung is not taken for one to come", async () => {
    const { owner, room } = await ownerWithRoom();
    for (const id of ["a", "b"]) {
      await owner.send("POST", `/api/rooms/${room}/messages`, { id, content: "x" });
      await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(Date.now() + COPIED_WITHIN);
      await archive(room);
    }
    expect((await archived(room)).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("wakes the archive by itself: its alarm survives", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await abortAllDurableObjects();
    await expect.poll(() => alarmOf(room)).toBeTypeOf("number");
    await archive(room);
    expect(await archived(room)).toHaveLength(1);
  });
});

describe("a room that has lost its storage", () => {
  async function loseStorage(room: string): Promise<void> {
    await runInDurableObject(stubOf(room), async (_, state) => {
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
    });
    await abortAllDurableObjects();
  }

  it("starts from what D1 has, in a new epoch, so that old cursors start over visibly", async () => {
    const { owner, room } = await ownerWithRoom();
    for (const content of ["a", "b", "c"]) await owner.send("POST", `/api/rooms/${room}/messages`, { content });
    const before = await (await new Visitor().connect(room)).welcome();
    await archive(room);
    await loseStorage(room);
    const after = await (await new Visitor().connect(room, { query: `?after=1&epoch=${before.epoch}` })).welcome();
    expect(after.epoch).not.toBe(before.epoch);
    expect(after).toMatchObject({ reset: true, head: 3 });
    expect(after.messages).toEqual(before.messages);
    const next = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "d" });
    expect(await next.json()).toMatchObject({ seq: 4 });
    await archive(room);
    expect((await archived(room)).map(({ content }) => content)).toEqual(["a", "b", "c", "d"]);
    const row = await env.DB.prepare("SELECT epoch, last_seq FROM rooms WHERE id = ?").bind(room).first();
    expect(row).toEqual({ epoch: after.epoch, last_seq: 4 });
  });

  it("has one epoch on every path at once, pages from D1 among them", async () => {
    const { owner, room } = await ownerWithRoom();
    for (const content of ["a", "b"]) await owner.send("POST", `/api/rooms/${room}/messages`, { content });
    await archive(room);
    await loseStorage(room);
    const { epoch } = await (await new Visitor().connect(room)).welcome();
    for (const query of ["?before=3", "?after=1", ""]) {
      const page = await new Visitor().json<{ epoch: string }>(`/api/rooms/${room}/messages${query}`);
      expect(page.epoch).toBe(epoch);
    }
  });

  it("lets everybody in while D1 takes no writes, and says its epoch with the next copy", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await archive(room);
    await loseStorage(room);
    await env.DB.exec("CREATE TRIGGER used_up BEFORE UPDATE ON rooms BEGIN SELECT RAISE(ABORT, 'quota used up'); END");
    const log = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { epoch, head } = await (await new Visitor().connect(room)).welcome();
    expect(head).toBe(1);
    await archive(room);
    expect(log).toHaveBeenCalled();
    log.mockRestore();
    await env.DB.exec("DROP TRIGGER used_up");
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "b" });
    await archive(room);
    expect(await env.DB.prepare("SELECT epoch FROM rooms WHERE id = ?").bind(room).first("epoch")).toBe(epoch);
  });

  it("recognises the retries of what D1 has", async () => {
    const { owner, room } = await ownerWithRoom();
    const send = () => owner.send("POST", `/api/rooms/${room}/messages`, { id: "a", content: "Hello" });
    await send();
    await archive(room);
    await loseStorage(room);
    expect((await send()).status).toBe(200);
  });

  it("recognises the retries of messages that D1 alone had, also while D1 is away again", async () => {
    const { owner, room } = await ownerWithRoom();
    const insert = `INSERT INTO messages (room_id, seq, id, kind, sender, content, ref, created_at)
      SELECT ?1, value, 'm' || value, 'text', ?2, 'Hello', NULL, '2026-11-24T12:00:00.000Z' FROM json_each(?3)`;
    const seqs = Array.from({ length: 500 }, (_, index) => index + 1);
    await env.DB.prepare(insert).bind(room, owner.handle, JSON.stringify(seqs)).run();
    await env.DB.prepare("UPDATE rooms SET last_seq = 500, epoch = 'old' WHERE id = ?").bind(room).run();
    const send = (id: string, content: string) => owner.send("POST", `/api/rooms/${room}/messages`, { id, content });
    const again = await send("m7", "Hello");
    expect([again.status, await again.json()]).toEqual([200, expect.objectContaining({ seq: 7, id: "m7" })]);
    expect(await refusalOf(await send("m7", "Something else"))).toEqual([409, "conflict"]);
    await without("packs", async () => {
      expect((await send("m7", "Hello")).status).toBe(200);
      expect((await send("m499", "Hello")).status).toBe(200);
      expect(await (await send("new", "Hello")).json()).toMatchObject({ seq: 501 });
    });
    const line = await owner.enter(room);
    line.say("m8", "Hello");
    expect(await line.next("ack")).toMatchObject({ id: "m8", seq: 8 });
  });

  it("does not begin an empty history while D1 can't be asked", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await archive(room);
    await loseStorage(room);
    await without("packs", async () => {
      const line = await new Visitor().connect(room);
      expect(await line.next("error")).toMatchObject({ code: "unavailable" });
      expect(await line.closeCode()).toBe(1013);
    });
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ head: 1 });
  });
});
