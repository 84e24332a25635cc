/** `GET /api/rooms/:id/export`: a room's log as a file. */

import { describe, expect, it, vi } from "vitest";
import type { MessageRecord, RoomHeader, RoomSum } from "../../api/format/records.ts";
import { ChatRoom } from "../../party/chat-room.ts";
import { sha256Hex } from "../../party/identity/sender.ts";
import {
  expectStatus,
  longRoom,
  loseStorage,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stopTime,
  Visitor,
  without,
} from "./visitor.ts";

/** The runtime warns of `text()` where the type is not text. */
const textOf = async (response: Response) => new TextDecoder().decode(await response.arrayBuffer());

/** A part of a room's file, with its sum checked. */
async function partOf(response: Response) {
  await expectStatus(response, 200);
  const text = await textOf(response);
  const lines = text.trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line));
  const sum = records.at(-1) as RoomSum;
  expect(sum).toEqual({
    type: "sum",
    upTo: expect.any(Number),
    lines: lines.length - 1,
    sha256: await sha256Hex(text.slice(0, text.lastIndexOf('{"type":"sum"'))),
  });
  return { header: records[0] as RoomHeader, messages: records.slice(1, -1) as MessageRecord[], sum };
}

const say = (who: Visitor, room: string, content: string, more: object = {}) =>
  who.send("POST", `/api/rooms/${room}/messages`, { content, ...more });

const seqsOf = (messages: readonly MessageRecord[]) => messages.map(({ seq }) => seq);

describe("exports of one owner", () => {
  it("are two at a time: each that is not read holds a page in memory", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "one");
    const path = `/api/rooms/${room}/export`;
    const [first, second] = [await owner.fetch(path), await owner.fetch(path)];
    expect(await refusalOf(await owner.fetch(path))).toEqual([429, "rate_limited"]);
    await first?.body?.cancel();
    await partOf(await owner.fetch(path));
    await textOf(second as Response);
    await partOf(await owner.fetch(path));
  });
});

describe("an export", () => {
  it("has a header, each message as it is stored, and a sum", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "one", { id: "a" });
    await say(owner, room, "two", { id: "b", as: "claude", replyTo: 1 });
    await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" });
    await say(owner, room, "ünd vier", { id: "d" });
    const { createdAt } = await owner.json<{ createdAt: string }>(`/api/rooms/${room}`);
    const { epoch } = await owner.json<{ epoch: string }>(`/api/rooms/${room}/messages`);
    const response = await owner.fetch(`/api/rooms/${room}/export`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${room}.ndjson"`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { header, messages, sum } = await partOf(response);
    expect(header).toEqual({ type: "room", version: 3, id: room, createdAt, epoch });
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const [me, myAgent] = [owner.handle, `${owner.handle}/claude`];
    expect(messages).toEqual([
      { seq: 1, id: "a", kind: "text", sender: me, content: "", ref: null, at },
      { seq: 2, id: "b", kind: "text", sender: myAgent, content: "two", ref: 1, at },
      { seq: 3, id: "delete:1", kind: "deletion", sender: me, content: "", ref: 1, at },
      { seq: 4, id: "d", kind: "text", sender: me, content: "ünd vier", ref: null, at },
    ]);
    expect(sum.upTo).toBe(4);
  });

  it("goes on after a seq, so that its parts one after the other are the log", async () => {
    const { owner, room } = await longRoom(450);
    const first = await partOf(await owner.fetch(`/api/rooms/${room}/export`));
    expect(seqsOf(first.messages)).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
    const rest = await partOf(await owner.fetch(`/api/rooms/${room}/export?after=200`));
    expect(rest.messages).toEqual(first.messages.slice(200));
    expect(rest.header).toEqual(first.header);
    const none = await partOf(await owner.fetch(`/api/rooms/${room}/export?after=450`));
    expect([none.messages, none.sum.upTo]).toEqual([[], 450]);
  });

  it("has all of a long room, also while D1 is away", async () => {
    const { owner, room } = await longRoom(12_000);
    await say(owner, room, "the newest");
    const response = await owner.fetch(`/api/rooms/${room}/export`);
    const { messages } = await without("packs", () => partOf(response));
    expect(seqsOf(messages)).toEqual(Array.from({ length: 12_001 }, (_, index) => index + 1));
  });

  it("is read a page at a time, when the reader has taken the one before", async () => {
    const { owner, room } = await longRoom(4_000);
    const pages = vi.spyOn(ChatRoom.prototype, "page");
    const response = await owner.fetch(`/api/rooms/${room}/export`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader.read()).value, { stream: true });
    await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/3500`, { method: "DELETE" }), 204);
    await say(owner, room, "later than the export began");
    const taken = pages.mock.calls.length;
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += decoder.decode(read.value);
    const records = text
      .trimEnd()
      .split("\n")
      .slice(1, -1)
      .map((line) => JSON.parse(line) as MessageRecord);
    expect(records[3_499]).toMatchObject({ seq: 3_500, content: "" });
    expect(records[3_500]).toMatchObject({ seq: 3_501, content: "line" });
    expect(taken).toBeLessThan(4);
    expect(pages.mock.calls).toHaveLength(80);
    pages.mockRestore();
    // It ends where the log ended when it began.
    expect(records.at(-1)?.seq).toBe(4_000);
  });

  it("ends when its reader goes away", async () => {
    const { owner, room } = await longRoom(4_000);
    const pages = vi.spyOn(ChatRoom.prototype, "page");
    const reader = ((await owner.fetch(`/api/rooms/${room}/export`)).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    const taken = pages.mock.calls.length;
    // Another reader takes its eighty pages, and nothing goes on beside it.
    expect((await partOf(await owner.fetch(`/api/rooms/${room}/export`))).sum.upTo).toBe(4_000);
    expect(pages.mock.calls.length - taken).toBe(80);
    pages.mockRestore();
  });

  it("that can't be read on breaks off without a sum", async () => {
    const { owner, room } = await longRoom(12_000);
    await loseStorage(room);
    // The room begins with the newest some thousand, and D1 goes away before the others are back.
    await owner.json(`/api/rooms/${room}`);
    await without("packs", async () => {
      const response = await owner.fetch(`/api/rooms/${room}/export?after=100`);
      expect(await refusalOf(response)).toEqual([503, "unavailable"]);
    });
  });

  it("may be read as Markdown, in which what people wrote is quoted", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "# Not a heading\n\nof this page");
    const response = await owner.fetch(`/api/rooms/${room}/export?format=md`);
    expect(response.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
    const text = await response.text();
    expect(text).toMatch(/^# Den\n\nhttps:\/\/meet\.example\/r\//);
    expect(text).toContain(`1. **${owner.handle}** (`);
    expect(text).toContain("   > # Not a heading\n   > \n   > of this page\n");
  });

  it("of an empty room has a header and a sum", async () => {
    const { owner, room } = await ownerWithRoom();
    const { messages, sum } = await partOf(await owner.fetch(`/api/rooms/${room}/export`));
    expect([messages, sum.upTo, sum.lines]).toEqual([[], 0, 1]);
  });

  it("is its owner's alone", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "hello");
    const path = `/api/rooms/${room}/export`;
    expect(await refusalOf(await new Visitor().fetch(path))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await (await Visitor.withKey()).fetch(path))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await owner.fetch("/api/rooms/nowhere/export"))).toEqual([404, "not_found"]);
  });

  it("of a seq that there is not, or in a form that there is not, is refused", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}/export`;
    expect(await refusalOf(await owner.fetch(`${path}?after=1`))).toEqual([409, "conflict"]);
    expect(await refusalOf(await owner.fetch(`${path}?after=-1`))).toEqual([400, "invalid"]);
    expect(await refusalOf(await owner.fetch(`${path}?format=pdf`))).toEqual([400, "invalid"]);
  });

  it("costs a scan, of which an address has so many", async () => {
    stopTime();
    const owner = await Visitor.withKey();
    const room = await makeRoom(owner);
    const path = `/api/rooms/${room}/export`;
    const statuses: number[] = [];
    for (let asked = 0; asked < 12; asked++) {
      const response = await owner.fetch(path);
      statuses.push(response.status);
      await textOf(response);
    }
    expect(statuses).toContain(429);
  });

  it("has no body for HEAD, and reads nothing", async () => {
    const { owner, room } = await ownerWithRoom();
    const log = vi.spyOn(console, "error");
    const response = await owner.fetch(`/api/rooms/${room}/export`, { method: "HEAD" });
    expect([response.status, await textOf(response)]).toEqual([200, ""]);
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });
});
