/** Drafts, and what a refusal says of the frame that it refuses. */

import { describe, expect, it } from "vitest";
import { ownerWithRoom, Visitor } from "./visitor.ts";

describe("draft", () => {
  it("is shown to everybody while it is written, and gives way to the message", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room, "claude");
    const watcher = await new Visitor().connect(room);
    await watcher.welcome();
    const sender = `${owner.handle}/claude`;
    line.send({ type: "draft", id: "a", append: "Once " });
    const first = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(first.drafts).toEqual([{ id: "a", sender, append: "Once " }]);
    const late = await (await new Visitor().connect(room)).welcome();
    expect(late.drafts).toEqual([{ id: "a", sender, append: "Once " }]);
    line.send({ type: "draft", id: "a", append: "upon" });
    const second = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(second.drafts).toEqual([{ id: "a", sender, append: "upon" }]);
    line.say("a", "Once upon a time");
    expect((await watcher.messages(1))[0]).toMatchObject({ id: "a", sender });
    expect((await (await new Visitor().connect(room)).welcome()).drafts).toEqual([]);
  });

  it("begins anew over another connection, which says the whole of it", async () => {
    const { owner, room } = await ownerWithRoom();
    const sender = `${owner.handle}/claude`;
    const [before, after] = [await owner.enter(room, "claude"), await owner.enter(room, "claude")];
    const watcher = await new Visitor().connect(room);
    before.send({ type: "draft", id: "a", append: "Once " });
    await watcher.next("update", ({ drafts }) => drafts !== undefined);
    after.send({ type: "draft", id: "a", append: "Once upon" });
    await watcher.next("update", ({ drafts }) => JSON.stringify(drafts)?.includes("Once upon") === true);
    const late = await (await new Visitor().connect(room)).welcome();
    expect(late.drafts).toEqual([{ id: "a", sender, append: "Once upon" }]);
  });

  it("ends when its author goes", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    line.send({ type: "draft", id: "a", append: "Once " });
    await watcher.next("update", ({ drafts }) => drafts !== undefined);
    line.close();
    const update = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(update.drafts).toEqual([{ id: "a", sender: owner.handle, end: true }]);
  });

  it("of one who may not write is refused with its id", async () => {
    const { owner, room } = await ownerWithRoom({ guests: "read" });
    const line = await new Visitor().enter(room);
    line.send({ type: "draft", id: "a", append: "" });
    expect(await line.next("error")).toMatchObject({ code: "read_only", id: "a" });
    // Nobody is shown it: what the owner drafts after it is the first that is told.
    (await owner.enter(room)).send({ type: "draft", id: "b", append: "mine" });
    const { drafts } = await line.next("update", (update) => update.drafts !== undefined);
    expect(drafts).toEqual([{ id: "b", sender: owner.handle, append: "mine" }]);
  });

  it("that its author gives up ends for everybody, and gives its place to another", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    for (const id of ["a", "b", "c", "d"]) line.send({ type: "draft", id, append: "Once " });
    await watcher.next("update", ({ drafts }) => drafts?.some(({ id }) => id === "d") === true);
    line.send({ type: "draft", id: "e", append: "upon" });
    expect(await line.next("error")).toMatchObject({ code: "rate_limited", id: "e" });
    line.send({ type: "draft", id: "a", append: "", end: true });
    const update = await watcher.next("update", ({ drafts }) => drafts !== undefined);
    expect(update.drafts).toEqual([{ id: "a", sender: owner.handle, end: true }]);
    line.send({ type: "draft", id: "e", append: "upon" });
    const { drafts } = await watcher.next("update", (next) => next.drafts !== undefined);
    expect(drafts).toEqual([{ id: "e", sender: owner.handle, append: "upon" }]);
  });

  it("that never was can be given up, also by one who may not write", async () => {
    const { owner, room } = await ownerWithRoom({ guests: "read" });
    const line = await new Visitor().enter(room);
    line.send({ type: "draft", id: "a", append: "", end: true });
    line.send({ type: "draft", id: "a", append: "" });
    expect(await line.next("error")).toMatchObject({ code: "read_only" });
    (await owner.enter(room)).send({ type: "draft", id: "b", append: "mine" });
    const { drafts } = await line.next("update", (update) => update.drafts !== undefined);
    expect(drafts).toEqual([{ id: "b", sender: owner.handle, append: "mine" }]);
  });

  it("says what it answers, to those who are here and to those who come", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("question");
    await line.messages(1);
    const watcher = await new Visitor().connect(room);
    line.send({ type: "draft", id: "a", append: "Because ", replyTo: 1 });
    const piece = { id: "a", sender: owner.handle, append: "Because ", replyTo: 1 };
    expect((await watcher.next("update", ({ drafts }) => drafts !== undefined)).drafts).toEqual([piece]);
    expect((await (await new Visitor().connect(room)).welcome()).drafts).toEqual([piece]);
    line.send({ type: "draft", id: "b", append: "", replyTo: 2 });
    expect(await line.next("error")).toMatchObject({ code: "invalid", about: "draft", id: "b" });
  });
});

describe("a refusal", () => {
  it.each<[string, object, object]>([
    ["hello", { type: "hello", key: "mai_short" }, {}],
    ["hello", { type: "hello", guest: "short" }, {}],
    ["send", { type: "send", id: "a", content: "" }, { id: "a" }],
    ["send", { type: "send", id: "a", content: "x", replyTo: 9 }, { id: "a" }],
    ["draft", { type: "draft", id: "a", append: 1 }, { id: "a" }],
    ["draft", { type: "draft", id: "a", append: "x", replyTo: -1 }, { id: "a" }],
    ["delete", { type: "delete", seq: 9 }, { seq: 9 }],
    ["delete", { type: "delete", seq: 0 }, {}],
    ["read", { type: "read" }, {}],
  ])("says that it is about a %s: %j", async (about, frame, subject) => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.send(JSON.stringify(frame));
    const { type, code, message, retryAfter, ...rest } = await line.next("error");
    expect(rest).toEqual({ about, ...subject });
  });

  it("of what is no frame is about none", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    for (const text of ["{", "[]", '{"type":"shout"}']) {
      line.send(text);
      expect(await line.next("error")).toEqual({ type: "error", code: "invalid", message: expect.any(String) });
    }
  });

  it("as a conflict names the message that has the id", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a", "one");
    line.say("b", "two");
    line.say("b", "three");
    expect(await line.next("error")).toMatchObject({ code: "conflict", about: "send", id: "b", seq: 2 });
  });

  it("of one who has not said who they are says what it refuses", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    line.send({ type: "delete", seq: 1 });
    expect(await line.next("error")).toMatchObject({ code: "unauthorized", about: "delete", seq: 1 });
  });
});
