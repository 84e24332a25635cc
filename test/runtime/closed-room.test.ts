/** A room that the operator has closed says so, by each way in which it is read, and takes nothing by any in which one writes. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { archive, expectStatus, ownerWithRoom, refusalOf, stubOf, Visitor } from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };

/** The operator closes a room, or opens it again. */
async function close(room: string, closed = true): Promise<void> {
  const headers = { authorization: `Operator ${OPERATOR_SECRET}` };
  await expectStatus(await new Visitor().send("PATCH", `/api/admin/rooms/${room}`, { closed }, headers), 200);
}

/** A closed room in which somebody has said something. */
async function closedRoom() {
  const { owner, room } = await ownerWithRoom();
  await expectStatus(await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" }), 201);
  await close(room);
  const read = async (path: string) => (await new Visitor().fetch(path)).text();
  return { owner, room, path: `/api/rooms/${room}`, read };
}

const LINE = "# closed: this server's operator has closed the room; it can be read, and nobody can write";

/** Until somebody waits in the room. */
async function somebodyWaits(room: string): Promise<void> {
  const sockets = () => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length);
  await expect.poll(sockets).toBe(1);
}

async function callTool(name: string, args: object, visitor: Visitor): Promise<string> {
  const params = { name, arguments: args };
  const response = await visitor.send("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params });
  return JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? "").result.content[0].text;
}

describe("a closed room", () => {
  it("is said to be to who is there, to who comes, and when it is opened again", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    await close(room);
    expect((await line.next("update", ({ room }) => room !== undefined)).room).toMatchObject({ closed: true });
    expect((await (await new Visitor().connect(room)).welcome()).room).toMatchObject({ closed: true });
    await close(room, false);
    expect((await line.next("update", ({ room }) => room !== undefined)).room).not.toHaveProperty("closed");
    expect((await (await new Visitor().connect(room)).welcome()).room).not.toHaveProperty("closed");
  });

  it("is said to be in a page of it, the live room's and the archive's", async () => {
    const { owner, room, path } = await closedRoom();
    await archive(room);
    for (const query of ["", "?after=0", "?before=2", "?after=1&wait=1"]) {
      expect(await owner.json(`${path}/messages${query}`)).toMatchObject({ closed: true });
    }
    await close(room, false);
    for (const query of ["", "?after=0", "?before=2"]) {
      expect(await owner.json(`${path}/messages${query}`)).not.toHaveProperty("closed");
    }
  });

  it("ends a wait at once when it is closed, and none of those that begin later", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}/messages?after=0&wait=50`;
    const waiting = owner.json<object>(path);
    await somebodyWaits(room);
    await close(room);
    expect(await waiting).toMatchObject({ messages: [], head: 0, closed: true });
    const again = owner.json<object>(path);
    await somebodyWaits(room);
    await close(room, false);
    await expectStatus(await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Back" }), 201);
    expect(await again).toMatchObject({ messages: [{ content: "Back" }] });
  });

  it("is said to be in a brief reading, whose wait it ends, too", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}/messages?format=brief`;
    const waiting = owner.fetch(`${path}&after=0&wait=50`).then((response) => response.text());
    await somebodyWaits(room);
    await close(room);
    expect(await waiting).toMatch(`${LINE}\n# nothing new\n`);
    expect(await (await owner.fetch(path)).text()).toMatch(`${LINE}\n# nothing\n`);
    await close(room, false);
    expect(await (await owner.fetch(path)).text()).not.toContain("closed");
  });

  it("is said to be as text, without the ways to write", async () => {
    const { room, read } = await closedRoom();
    const text = await read(`/r/${room}?format=md`);
    expect(text).toContain("This server's operator has closed this room: it can be read, and nobody can write");
    expect(text).toContain("Read on from here");
    expect(text).not.toContain("-X POST");
    await close(room, false);
    const opened = await read(`/r/${room}?format=md`);
    expect(opened).not.toContain("has closed");
    expect(opened).toContain("- Say something: `curl -X POST");
  });

  it("is said to be to a model, by each tool", async () => {
    const { owner, room } = await closedRoom();
    expect(await callTool("read_room", { room }, owner)).toContain(`${LINE}\n1 ${owner.handle} `);
    expect(await callTool("wait_for_messages", { room, after: 1, wait: 1 }, owner)).toMatch(`${LINE}\n# nothing new\n`);
    expect(await callTool("who_is_here", { room }, owner)).toMatch(new RegExp(`\n${LINE}$`));
    expect(await callTool("list_rooms", { q: room }, owner)).toMatch(
      new RegExp(`^${room} \\(\\d+ messages.*, closed\\): `),
    );
    expect(await callTool("send_message", { room, content: "Hello?" }, owner)).toMatch(
      /^read_only: This server's operator has closed the room/,
    );
  });

  it("is said to be in its events", async () => {
    const { room } = await closedRoom();
    const response = await new Visitor().fetch(`/api/rooms/${room}/events`);
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!/event: welcome\n.*\ndata: .*\n\n/.test(text)) text += (await reader.read()).value ?? "";
    expect(text).toMatch(/"closed":true/);
    await close(room, false);
    while (!/event: update\n.*\ndata: .*"room":.*\n\n/.test(text)) text += (await reader.read()).value ?? "";
    expect(text.slice(text.indexOf("event: update"))).not.toContain("closed");
    await reader.cancel();
  });

  it("takes no answer, and nothing that a moderator approves, until it is open again", async () => {
    const { owner, room } = await ownerWithRoom({ hold: "newcomers" });
    const path = `/api/rooms/${room}`;
    const asked = await owner.send("POST", `${path}/messages`, { content: "Well?", ask: { options: ["yes", "no"] } });
    await expectStatus(asked, 201);
    const stranger = await Visitor.withKey();
    const { held } = await (await stranger.send("POST", `${path}/messages`, { content: "Me" })).json<{
      held: string;
    }>();
    await close(room);
    const answered = await stranger.send("POST", `${path}/messages`, { answer: { target: 1, option: "yes" } });
    expect(await refusalOf(answered)).toEqual([403, "read_only"]);
    const approve = () => owner.fetch(`${path}/held/${held}/approve`, { method: "POST" });
    expect(await refusalOf(await approve())).toEqual([403, "read_only"]);
    expect(await owner.json(path)).toMatchObject({ lastSeq: 1 });
    await close(room, false);
    await expectStatus(await approve(), 200);
    expect(await owner.json(path)).toMatchObject({ lastSeq: 2 });
  });
});
