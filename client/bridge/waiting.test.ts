import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { TurnRecord } from "./turn-record.ts";
import { Waiting } from "./waiting.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-waiting-"));
  path = join(folder, "state/bridge.json");
});

afterEach(() => rmSync(folder, { recursive: true }));

const said = (seq: number): Message => ({
  seq,
  id: `id-${seq}`,
  kind: "text",
  sender: "anna",
  content: "",
  createdAt: `2026-11-02T10:00:${String(seq % 60).padStart(2, "0")}.000Z`,
});
const cursor = (after: number) => ({ after, epoch: "e", at: said(after).createdAt });

/** What a bridge finds that comes after one that was killed. */
async function restarted() {
  const record = await TurnRecord.open(path);
  return {
    record,
    waiting: new Waiting(record, async () => undefined),
    cursor: record.cursor?.after,
    turn: record.turn?.id,
  };
}

/** The stay hands on message `seq`, and asks for the next one. */
async function hear(waiting: Waiting, seq: number, isWanted = true) {
  if (isWanted) waiting.add(said(seq));
  await waiting.save(cursor(seq));
}

describe("after a crash", () => {
  it("what waited is read again", async () => {
    const { waiting } = await restarted();
    await hear(waiting, 4, false);
    await waiting.flush();
    await hear(waiting, 5);
    await hear(waiting, 6, false);
    await waiting.flush();
    expect(await restarted()).toMatchObject({ cursor: 4, turn: undefined });
  });

  it("a turn covers the same messages again, and not those that came after it had begun", async () => {
    const { waiting } = await restarted();
    await hear(waiting, 4, false);
    await waiting.flush();
    for (const seq of [5, 6]) await hear(waiting, seq);
    expect((await waiting.beginTurn()).map(({ seq }) => seq)).toEqual([5, 6]);
    await hear(waiting, 7);
    const next = await restarted();
    expect(next).toMatchObject({ cursor: 4, turn: "id-6" });
    for (const seq of [5, 6, 7]) await hear(next.waiting, seq);
    const again = next.waiting.messagesOf(next.record.turn!);
    expect(again.map(({ seq }) => seq)).toEqual([5, 6]);
    await next.waiting.endTurn(again);
    expect(await restarted()).toMatchObject({ cursor: 6, turn: undefined });
    expect((await next.waiting.beginTurn()).map(({ seq }) => seq)).toEqual([7]);
  });

  it("a turn whose last message was deleted meanwhile covers the rest of it", async () => {
    const { waiting } = await restarted();
    for (const seq of [5, 6]) await hear(waiting, seq);
    await waiting.beginTurn();
    const next = await restarted();
    await hear(next.waiting, 5);
    await hear(next.waiting, 6, false);
    await hear(next.waiting, 7);
    expect(next.waiting.messagesOf(next.record.turn!).map(({ seq }) => seq)).toEqual([5]);
  });

  it("everything that was answered or passed over is behind the cursor", async () => {
    const { waiting } = await restarted();
    await hear(waiting, 5);
    const taken = await waiting.beginTurn();
    await hear(waiting, 6, false);
    await waiting.endTurn(taken);
    expect(await restarted()).toMatchObject({ cursor: 6, turn: undefined });
  });
});

it("what waits is bounded: of more, the oldest go, and none of the turn", async () => {
  const { waiting } = await restarted();
  await hear(waiting, 1);
  const taken = await waiting.beginTurn();
  for (let seq = 2; seq <= 1_000; seq++) await hear(waiting, seq);
  expect(waiting.length).toBe(201);
  await waiting.endTurn(taken);
  const next = await waiting.beginTurn();
  expect([next[0]?.seq, next.at(-1)?.seq]).toEqual([801, 1_000]);
});

it("what is deleted while it waits is empty, however much was said since, also in the turn that just begins", async () => {
  const { waiting } = await restarted();
  const deletes = (seq: number, target: number): Message => ({ ...said(seq), kind: "deletion", target });
  for (let seq = 1; seq <= 150; seq++) await hear(waiting, seq);
  waiting.hear([said(151), deletes(152, 1)]);
  const beginning = waiting.beginTurn();
  waiting.hear([deletes(153, 2)]);
  const gone = (await beginning).filter(({ deleted }) => deleted);
  expect(gone.map(({ seq }) => seq)).toEqual([1, 2]);
});

it("is kept for its owner alone, and nothing unfinished is left beside it", async () => {
  const { record } = await restarted();
  await record.moveTo(cursor(1));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "state"))).toEqual(["bridge.json"]);
});

it("a file that holds something else is refused, and kept", async () => {
  const { record } = await restarted();
  await record.moveTo(cursor(1));
  for (const text of ["", "{}", '{"version":2}', '{"version":1,"cursor":7}', '{"version":1,"turn":{}}']) {
    writeFileSync(path, text);
    await expect(TurnRecord.open(path)).rejects.toThrow("does not hold what a bridge has kept. Remove it");
    expect(existsSync(path)).toBe(true);
  }
});
