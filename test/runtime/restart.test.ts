/** A server that ends asks its clients to come back: each of them, in each room, also in one that sleeps. */

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Shutdown } from "../../api/shutdown.ts";
import { occupiedRooms } from "../../party/audience/occupied-rooms.ts";
import { evict, type Line, ownerWithRoom, stubOf, Visitor } from "./visitor.ts";

const closeSockets = () => (exports as unknown as { Shutdown: Service<Shutdown> }).Shutdown.closeSockets();

it("each socket of each room is closed with 1012, and what was said before has its place", async () => {
  const { owner, room } = await ownerWithRoom();
  const { owner: other, room: sleeping } = await ownerWithRoom();
  const writer = await owner.enter(room);
  const watcher = await new Visitor().connect(room);
  await watcher.welcome();
  const sleeper = await other.enter(sleeping);
  await evict(stubOf(sleeping));
  writer.say("last");
  await watcher.messages(1);
  await closeSockets();
  for (const line of [writer, watcher, sleeper]) expect(await line.closeCode()).toBe(1012);
  expect(occupiedRooms.size).toBe(0);
  // The server that follows.
  const back = await owner.enter(room);
  expect(await owner.json(`/api/rooms/${room}/messages`)).toMatchObject({ messages: [{ id: "last", seq: 1 }] });
  expect(occupiedRooms).toEqual(new Set([room]));
  back.close();
});

it("event streams end, and say with which code", async () => {
  const { room } = await ownerWithRoom();
  const response = await new Visitor().fetch(`/api/rooms/${room}/events`);
  const text = response.text();
  await closeSockets();
  expect(await text).toContain('event: close\ndata: {"code":1012');
});

it("a request that waits is answered", async () => {
  const { owner, room } = await ownerWithRoom();
  const waiting = owner.fetch(`/api/rooms/${room}/messages?after=0&wait=25`);
  await expect.poll(() => occupiedRooms.has(room)).toBe(true);
  await closeSockets();
  expect((await waiting).status).toBeLessThan(600);
});

it("nothing happens where nobody is", async () => {
  await closeSockets();
  expect(occupiedRooms.size).toBe(0);
});

it.each([
  ["that leaves", (crowd: Line[]) => Promise.resolve(crowd.forEach((line) => void line.close()))],
  ["that is asked to leave", () => closeSockets()],
])("a crowd %s has the list of its sockets made for its last one alone", async (_, leave) => {
  const { room } = await ownerWithRoom();
  const crowd = await Promise.all(Array.from({ length: 10 }, () => new Visitor().connect(room)));
  let lists = 0;
  await runInDurableObject(stubOf(room), (_, state) => {
    const list = state.getWebSockets.bind(state);
    state.getWebSockets = (tag) => {
      lists++;
      return list(tag);
    };
  });
  await leave(crowd);
  await expect.poll(() => occupiedRooms.has(room)).toBe(false);
  expect(lists).toBe(1);
});
