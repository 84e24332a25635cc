/** Who is here (promise 8): computed from live sockets, and a dead peer is gone. */

import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Presence, SILENCE } from "../../party/protocol.ts";
import { evict, ownerWithRoom, ring, stopTime, stubOf, Visitor } from "./visitor.ts";

const here = async (room: string): Promise<Presence> => {
  return (await new Visitor().json<{ presence: Presence }>(`/api/rooms/${room}`)).presence;
};

it("names a person once, however many sockets they have, and their agents beside them", async () => {
  const { owner, room } = await ownerWithRoom();
  const watcher = await new Visitor().connect(room);
  const first = await owner.enter(room);
  const second = await owner.enter(room);
  await watcher.next("update", ({ presence }) => presence?.joined?.includes(owner.handle) === true);
  await owner.enter(room, "claude");
  expect(await here(room)).toEqual({ people: [owner.handle, `${owner.handle}/claude`], spectators: 1 });
  first.close();
  second.close();
  const update = await watcher.next("update", ({ presence }) => presence?.left !== undefined);
  expect(update.presence?.left).toEqual([owner.handle]);
});

it("makes, for whoever listens, the same as what is asked over HTTP", async () => {
  const { owner, room } = await ownerWithRoom();
  const watcher = await new Visitor().connect(room);
  const { presence } = await watcher.welcome();
  const people = new Set(presence.people);
  let { spectators } = presence;
  const lines = [await owner.enter(room), await (await Visitor.withKey()).enter(room), await new Visitor().enter(room)];
  lines[1]?.close();
  const last = await owner.enter(room, "last");
  const settled = () => spectators === 1 && people.size === 3 && people.has(`${owner.handle}/last`);
  while (!settled()) {
    const { presence: change } = await watcher.next("update", (update) => update.presence !== undefined);
    for (const sender of change?.joined ?? []) people.add(sender);
    for (const sender of change?.left ?? []) people.delete(sender);
    spectators = change?.spectators ?? spectators;
  }
  expect(await here(room)).toEqual({ people: [...people].sort(), spectators: 1 });
  last.close();
});

it("is who is connected and nobody else: who was here before a crash is not", async () => {
  const { owner, room } = await ownerWithRoom();
  const watcher = await new Visitor().connect(room);
  await owner.enter(room);
  await watcher.next("update", ({ presence }) => presence?.joined?.includes(owner.handle) === true);
  await abortAllDurableObjects();
  const { presence } = await (await new Visitor().connect(room)).welcome();
  expect(presence.people).toEqual([]);
  expect(await here(room)).toEqual({ people: [], spectators: 1 });
});

it("loses somebody whose goodbye wakes the room, and the others are told", async () => {
  const { owner, room } = await ownerWithRoom();
  const other = await Visitor.withKey();
  const ownerLine = await owner.enter(room);
  const otherLine = await other.enter(room);
  await otherLine.next("update", ({ presence }) => presence?.joined?.includes(other.handle) === true);
  await evict(stubOf(room));
  ownerLine.close();
  const { presence } = await otherLine.next("update", (update) => update.presence?.left !== undefined);
  expect(presence).toEqual({ left: [owner.handle] });
});

describe("a peer that has died without a goodbye", () => {
  // Only as much time passes as the test says.
  beforeEach(stopTime);

  /** Puts the room's clock forward: its clock is read anew, so it has to wake for it. */
  async function forward(room: string, ms: number): Promise<void> {
    const now = Date.now() + ms;
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["Date"], now });
    await evict(stubOf(room));
  }

  it("and used to ping is asked, gone from the list within 45 s, and closed later; the others are told", async () => {
    const { owner, room } = await ownerWithRoom();
    const watcher = await new Visitor().connect(room);
    const line = await owner.enter(room);
    line.isSlow = true;
    await watcher.next("update", ({ presence }) => presence?.joined?.includes(owner.handle) === true);
    line.send("ping");
    await line.nextText();
    await forward(room, SILENCE.askAfter + 1_000);
    await ring(room);
    await line.next("check");
    expect((await here(room)).people).toEqual([owner.handle]);
    await forward(room, SILENCE.unlistAfter - SILENCE.askAfter);
    await ring(room);
    const update = await watcher.next("update", ({ presence }) => presence?.left !== undefined);
    expect(update.presence?.left).toEqual([owner.handle]);
    await forward(room, SILENCE.closeAfter - SILENCE.unlistAfter);
    // The watcher has just been heard of; the other one has not.
    watcher.send("{}");
    await watcher.next("error");
    await ring(room);
    expect(await line.closeCode()).toBe(1001);
  });

  it("is not believed to have died when it answers: a hidden tab pings once a minute", async () => {
    const { owner, room } = await ownerWithRoom();
    const watcher = await new Visitor().connect(room);
    const line = await owner.enter(room);
    line.send("ping");
    await line.nextText();
    for (let round = 0; round < 3; round++) {
      await forward(room, SILENCE.askAfter + 1_000);
      await runDurableObjectAlarm(stubOf(room));
      await expect.poll(() => line.checks).toHaveLength(round + 1);
      // An answer to this frame comes after what it has said before.
      line.send("{}");
      await line.next("error");
      expect((await here(room)).people).toEqual([owner.handle]);
    }
    watcher.send("{}");
    await watcher.next("error");
    expect(watcher.passed.filter((frame) => frame.type === "update" && frame.presence?.left)).toEqual([]);
  });

  it("with another socket that is alive is still here, and so are its drafts", async () => {
    const { owner, room } = await ownerWithRoom();
    const watcher = await new Visitor().connect(room);
    await owner.enter(room);
    const alive = await owner.enter(room);
    await forward(room, SILENCE.unlistAfter + 1_000);
    alive.send({ type: "draft", id: "d", append: "Once" });
    await watcher.next("update", ({ drafts }) => drafts?.some((draft) => "append" in draft) === true);
    // The look at who has died is what wakes the room.
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    expect((await here(room)).people).toEqual([owner.handle]);
    watcher.send("{}");
    await watcher.next("error");
    expect(watcher.passed.filter((frame) => frame.type === "update" && frame.presence?.left)).toEqual([]);
  });

  it("and never pinged is not listed any more, but hears everything, and is back when it speaks", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const other = await (await Visitor.withKey()).enter(room);
    await forward(room, SILENCE.unlistAfter + 1_000);
    other.say("a");
    await other.messages(1);
    await runDurableObjectAlarm(stubOf(room));
    expect((await here(room)).people).not.toContain(owner.handle);
    other.say("b");
    expect(await line.messages(2)).toMatchObject([{ id: "a" }, { id: "b" }]);
    line.say("c");
    await line.messages(1);
    expect((await here(room)).people).toContain(owner.handle);
  });

  it("is not counted by who asks over HTTP, before any alarm", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    await forward(room, SILENCE.unlistAfter + 1_000);
    expect(await here(room)).toEqual({ people: [], spectators: 0 });
    line.close();
  });

  it("is not taken for one that was heard of lately", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    await forward(room, SILENCE.unlistAfter - 5_000);
    await runDurableObjectAlarm(stubOf(room));
    expect((await here(room)).people).toEqual([owner.handle]);
    line.close();
  });
});
