/** A room whose own storage is gone, while it is brought back from D1: what is not back yet is refused, and never left out. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { Rebuild } from "../../party/archive/rebuild.ts";
import type { Message } from "../../party/protocol.ts";
import { archive, archived, longRoom, loseStorage, refusalOf, Visitor, without } from "./visitor.ts";

const COUNT = 6_000;
/** The newest two thousand are there when the room opens. */
const OLDEST = 4_001;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A long room that has only its newest messages back, until `goOn`. */
async function halfRebuilt() {
  const { owner, room } = await longRoom(COUNT);
  const due = vi.spyOn(Rebuild.prototype, "due", "get").mockReturnValue(undefined);
  await loseStorage(room);
  const { epoch, head } = await (await new Visitor().connect(room)).welcome();
  expect(head).toBe(COUNT);
  const messages = `/api/rooms/${room}/messages`;
  return { owner, room, epoch, messages, goOn: () => due.mockRestore() };
}

const seqsOf = async (path: string): Promise<[seqs: number[], more: boolean]> => {
  const page = await new Visitor().json<{ messages: Message[]; more: boolean }>(path);
  return [page.messages.map(({ seq }) => seq), page.more];
};

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("while older messages are not back", () => {
  it("who asks for one is told to come again, on every path", async () => {
    const { owner, room, messages } = await halfRebuilt();
    const queries = [
      ...["?after=0", `?after=${OLDEST - 2}`, `?before=${OLDEST}`, "?before=2"],
      ...["?format=brief&after=0", "?format=brief&around=10", "?format=brief&before=100"],
      "/10/answer",
    ];
    for (const query of queries) {
      const response = await owner.fetch(messages + query);
      expect([query, await refusalOf(response.clone())]).toEqual([query, [503, "unavailable"]]);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(await refusalOf(await owner.fetch(`${messages}/10`, { method: "DELETE" }))).toEqual([503, "unavailable"]);
    const answer = { answer: { target: 10, option: "yes" } };
    expect(await refusalOf(await owner.send("POST", messages, answer))).toEqual([503, "unavailable"]);
    // Whether it is a retry of an older one can't be said.
    expect(await refusalOf(await owner.send("POST", messages, { content: "new" }))).toEqual([503, "unavailable"]);
    expect(await refusalOf(await owner.fetch(`/api/rooms/${room}/export`))).toEqual([503, "unavailable"]);
    const params = { name: "read_room", arguments: { room, after: 0 } };
    const read = await owner.send("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params });
    expect(await read.text()).toMatch(/unavailable: .* Try again in \d+ s\./);
  });

  it("what is there is read without a gap, and an older cursor starts over visibly", async () => {
    const { room, epoch, messages } = await halfRebuilt();
    expect(await seqsOf(`${messages}?after=${OLDEST - 1}&limit=3`)).toEqual([range(OLDEST, OLDEST + 2), true]);
    expect(await seqsOf(`${messages}?before=${OLDEST + 3}&limit=50`)).toEqual([range(OLDEST, OLDEST + 2), true]);
    expect(await seqsOf(messages)).toEqual([range(COUNT - 49, COUNT), true]);
    const old = await new Visitor().connect(room, { query: `?after=${OLDEST - 2}&epoch=${epoch}` });
    expect(await old.welcome()).toMatchObject({ reset: true, head: COUNT });
    const young = await (await new Visitor().connect(room, { query: `?after=${COUNT - 2}&epoch=${epoch}` })).welcome();
    expect([young.reset, young.messages.map(({ seq }) => seq)]).toEqual([undefined, [COUNT - 1, COUNT]]);
  });

  it("D1 may go away, and the rest comes when it is back: whole, and as D1 has it", async () => {
    const { owner, messages, room, goOn } = await halfRebuilt();
    goOn();
    await without("packs", async () => {
      await archive(room);
      expect(await refusalOf(await owner.fetch(`${messages}?after=0`))).toEqual([503, "unavailable"]);
    });
    const status = async () => {
      await archive(room);
      return (await new Visitor().fetch(`${messages}?after=0`)).status;
    };
    await expect.poll(status).toBe(200);
    const seqs: number[] = [];
    while (seqs.length < COUNT) seqs.push(...(await seqsOf(`${messages}?after=${seqs.length}&limit=200`))[0]);
    expect(seqs).toEqual(range(1, COUNT));
    expect((await owner.send("POST", messages, { id: "m1", content: "new" })).status).toBe(201);
    await archive(room);
    expect((await archived(room)).map(({ seq }) => seq)).toEqual(range(1, COUNT + 1));
  });
});
