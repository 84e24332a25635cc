import { describe, expect, it } from "vitest";
import { utf8Length } from "../../message-parser.ts";
import { FLOW, type Message, type UpdateFrame } from "../../protocol.ts";
import { type Piece, toPieces } from "./outgoing-frame.ts";

const message = (seq: number, content: string): Message => {
  return { seq, id: `m${seq}`, kind: "text", sender: "a-b", content, createdAt: "2026-11-26T12:00:00.000Z" };
};

const room = { id: "den", name: "Den", topic: "", guests: "write" as const, loopGuard: 3, agentsPaused: false };

const frames = (pieces: readonly Piece[]) => pieces.map(({ text }) => JSON.parse(text) as UpdateFrame);

it("is one frame as it stands where it fits, with its length in bytes and its last seq", () => {
  const update: UpdateFrame = { type: "update", messages: [message(1, "ä"), message(2, "🦊")], room };
  const [piece, ...more] = toPieces(update);
  expect(more).toEqual([]);
  expect(piece).toEqual({ text: JSON.stringify(update), bytes: utf8Length(JSON.stringify(update)), to: 2 });
  expect(toPieces({ type: "update", room })[0]?.to).toBeUndefined();
});

describe("an update that is too long for a frame (promise 9)", () => {
  it("is split, in its order, with nothing lost or doubled, and no frame is longer", () => {
    const messages = Array.from({ length: 300 }, (_, index) => message(index + 1, "€".repeat(index)));
    const joined = Array.from({ length: 2_000 }, (_, index) => `swift-otter/agent-${index}`);
    const left = Array.from({ length: 2_000 }, (_, index) => `calm-heron/agent-${index}`);
    const agents = Object.fromEntries(left.map((name, index) => [name, index % 2 ? ("polls" as const) : null]));
    const drafts = [
      { id: "d", sender: "a-b", end: true as const },
      ...Array.from({ length: 40 }, (_, index) => ({ id: `d${index}`, sender: "a-b", append: '"'.repeat(1_000) })),
    ];
    const pieces = toPieces({
      type: "update",
      messages,
      presence: { joined, left, spectators: 7, agents },
      drafts,
      room,
    });
    expect(Math.max(...pieces.map(({ bytes }) => bytes))).toBeLessThanOrEqual(FLOW.frameBytes);
    for (const { text, bytes } of pieces) expect(bytes).toBe(utf8Length(text));
    const told = frames(pieces);
    expect(told.flatMap((update) => update.messages ?? [])).toEqual(messages);
    expect(told.flatMap(({ presence }) => presence?.joined ?? [])).toEqual(joined);
    expect(told.flatMap(({ presence }) => presence?.left ?? [])).toEqual(left);
    expect(told.flatMap(({ presence }) => presence?.spectators ?? [])).toEqual([7]);
    expect(Object.assign({}, ...told.map(({ presence }) => presence?.agents))).toEqual(agents);
    expect(told.flatMap((update) => update.drafts ?? [])).toEqual(drafts);
    expect(told.flatMap((update) => update.room ?? [])).toEqual([room]);
    for (const { to, text } of pieces) expect(to).toBe((JSON.parse(text) as UpdateFrame).messages?.at(-1)?.seq);
  });

  it("gives a message that is longer than a frame one for itself", () => {
    const long = message(2, '"'.repeat(16_384));
    const told = frames(toPieces({ type: "update", messages: [message(1, "a"), long, message(3, "b")] }));
    expect(told.map((update) => update.messages?.map(({ seq }) => seq))).toEqual([[1], [2], [3]]);
  });

  it("begins a long snapshot empty, and what it held follows as changes", () => {
    const people = Array.from({ length: 3_000 }, (_, index) => `swift-otter/agent-${index}`);
    const drafts = [{ id: "d", sender: "a-b", append: "x" }];
    const agents = Object.fromEntries(people.slice(0, 1_000).map((name) => [name, "wakes" as const]));
    const presence = { people, spectators: 4, agents };
    const told = frames(toPieces({ type: "update", snapshot: { presence, drafts } }));
    expect(told[0]?.snapshot).toEqual({ presence: { people: [], spectators: 4 }, drafts: [] });
    expect(told.flatMap((update) => update.presence?.joined ?? [])).toEqual(people);
    expect(Object.assign({}, ...told.map((update) => update.presence?.agents))).toEqual(agents);
    expect(told.flatMap((update) => update.drafts ?? [])).toEqual(drafts);
  });
});
