/** What sites call their users: told beside the messages, to everybody who sees them, and never more. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Message, UpdateFrame } from "../../party/protocol.ts";
import { TestSite } from "./site.ts";
import { archive, evict, expectStatus, stubOf, Visitor } from "./visitor.ts";

const NAMED = { name: "Anna Lind" };

/** A room in which a site's user, whom the site calls Anna Lind, has said something. */
async function roomOfAnna() {
  const site = await TestSite.register();
  const room = await site.room();
  const watcher = await new Visitor().connect(room);
  await watcher.welcome();
  const line = await site.enter(room, "anna", NAMED);
  line.say("m1", "Hello");
  await line.messages(1);
  const anna = `anna@${site.name}`;
  return { site, room, watcher, line, anna, names: { [anna]: "Anna Lind" } };
}

const withMessage = ({ messages }: UpdateFrame) => messages !== undefined;

describe("a site's name for its user", () => {
  it("comes with their message, with their coming, and in a welcome", async () => {
    const { room, watcher, anna, names } = await roomOfAnna();
    const update = await watcher.next("update", withMessage);
    expect(update.names).toEqual(names);
    const came = watcher.passed.find((frame) => frame.type === "update" && frame.presence?.joined?.includes(anna));
    expect(came ?? update).toMatchObject({ names });
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ names });
  });

  it("comes with an ask that they have answered, also on a page", async () => {
    const { site, room, line, anna, names } = await roomOfAnna();
    const asked = await site.owner.send("POST", `/api/rooms/${room}/messages`, {
      content: "Go?",
      as: "bot",
      ask: { options: ["yes", "no"] },
    });
    const { seq } = await asked.json<{ seq: number }>();
    await line.messages(1);
    line.send({ type: "send", id: "a", answer: { target: seq, option: "yes" } });
    await line.messages(1);
    const path = `/api/rooms/${room}/messages?before=${seq + 1}&limit=1`;
    const page = await new Visitor().json<{ messages: Message[]; names?: object }>(path);
    expect(page).toMatchObject({ messages: [{ ask: { closed: { by: anna } } }], names });
  });

  it("is in no frame in which they are not", async () => {
    const { site, room, line } = await roomOfAnna();
    const bob = await site.enter(room, "bob", { name: "Bob" });
    line.close();
    bob.say("m1");
    const { names, presence } = await bob.next("update", withMessage);
    expect(Object.values(names ?? {})).toEqual(presence?.left ? ["Bob", "Anna Lind"] : ["Bob"]);
  });

  it("comes with a page of the log, from the room, from D1, and to who waits", async () => {
    const { site, room, line, names } = await roomOfAnna();
    const page = (query: string) =>
      new Visitor().json<{ names?: object; epoch: string }>(`/api/rooms/${room}/messages${query}`);
    const { epoch, ...newest } = await page("");
    expect(newest).toMatchObject({ names });
    await archive(room);
    expect(await page("?before=2")).toMatchObject({ names });
    const waiting = page(`?after=1&epoch=${epoch}&wait=20`);
    const sockets = () => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length);
    while ((await sockets()) < 3) await sockets();
    line.say("m2");
    expect(await waiting).toMatchObject({ names });
    const key = await site.owner.send("POST", `/api/rooms/${room}/messages`, { content: "Mine" });
    await expectStatus(key, 201);
    expect(await page("?after=2")).not.toHaveProperty("names");
  });

  it("is known after the room has slept, and is another as soon as the site says so", async () => {
    const { site, room, line, anna, names } = await roomOfAnna();
    await evict(stubOf(room));
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ names });
    line.close();
    const again = await site.hello(room, "anna", { name: "Anna Berg" });
    await again.next("you");
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ names: { [anna]: "Anna Berg" } });
  });

  it("comes with a message over HTTP, and stays when a token has none", async () => {
    const { site, room, watcher, names } = await roomOfAnna();
    await watcher.next("update", withMessage);
    const post = async (claims: object) => {
      const headers = await site.authorization("anna", { ...claims });
      return new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: "Again" }, headers);
    };
    await expectStatus(await post({}), 201);
    expect((await watcher.next("update", withMessage)).names).toEqual(names);
  });

  it("is gone with everything else by them, when that is erased", async () => {
    const { site, room, line, anna } = await roomOfAnna();
    line.close();
    const erase = await site.owner.fetch(`/api/rooms/${room}/messages?sender=${encodeURIComponent(anna)}`, {
      method: "DELETE",
    });
    expect(erase.ok).toBe(true);
    const welcome = await (await new Visitor().connect(room)).welcome();
    expect(JSON.stringify(welcome)).not.toContain("Anna Lind");
    const kept = await runInDurableObject(stubOf(room), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM site_users_1").toArray(),
    );
    expect(kept).toEqual([]);
  });

  it("is none for a sender of another form in a message's words", async () => {
    const { room, line, anna } = await roomOfAnna();
    line.say("m2", `"${anna}" is not "eve@${anna.split("@")[1]}"`);
    const { names } = await line.next("update", withMessage);
    expect(Object.keys(names ?? {})).toEqual([anna]);
    expect((await (await new Visitor().connect(room)).welcome()).messages).toHaveLength(2);
  });
});
