/** A room's file: what is whole of it, whatever moment its writer was cut off at. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addPart as addPartTo, said } from "../../../test/unit/backup-files.ts";
import { line, type MessageRecord } from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { fileEnd, RoomFileWriter } from "./room-file.ts";
import { checkRoomFile, messagesOf } from "./room-reader.ts";

const DEN = { id: "den", createdAt: "2026-01-03T10:00:00.000Z", epoch: "epoch-1" };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-room-file-"));
  path = join(folder, "den.ndjson");
});
afterEach(() => rmSync(folder, { recursive: true }));

const deletion = (seq: number, ref: number): MessageRecord => ({ ...said(seq, ""), kind: "deletion", ref });

const erasure = (seq: number, ref: number): MessageRecord => ({
  ...said(seq, "swift-otter"),
  id: "erase",
  kind: "erasure",
  sender: "calm-heron",
  ref,
});

const addPart = (...records: MessageRecord[]) => addPartTo(path, DEN, ...records);

async function contents(): Promise<string[]> {
  const file = await checkRoomFile(path);
  const found: string[] = [];
  if (file) for await (const { seq, content } of messagesOf(path, file)) found.push(`${seq} ${content}`);
  return found;
}

describe("a room's file", () => {
  it("has the parts that were added, one after the other, and is its user's alone", async () => {
    await addPart(said(1), said(2));
    await addPart(said(4, "ünd\nvier"));
    expect(await contents()).toEqual(["1 words 1", "2 words 2", "4 ünd\nvier"]);
    expect(await fileEnd(path)).toMatchObject({ header: DEN, upTo: 4, torn: 0, size: statSync(path).size });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is whole up to its last sum, wherever its writer was cut off, and goes on there", async () => {
    await addPart(said(1));
    const first = statSync(path).size;
    await addPart(said(2), said(3));
    const all = readFileSync(path);
    for (let length = 0; length <= all.length; length++) {
      writeFileSync(path, all.subarray(0, length));
      const whole = length === all.length ? 3 : length >= first ? 1 : 0;
      const end = await fileEnd(path);
      expect(end?.upTo ?? 0).toBe(whole);
      if (end) expect(end.size + end.torn).toBe(length);
      const checked = await checkRoomFile(path);
      expect(checked?.upTo ?? 0).toBe(whole);
      expect(checked?.torn ?? 0).toBe(end?.torn ?? 0);
    }
    writeFileSync(path, all.subarray(0, all.length - 30));
    await addPart(said(2), said(3));
    expect(readFileSync(path)).toEqual(all);
  });

  it("has no deleted words any more when the part with the deletion has ended", async () => {
    await addPart(said(1, "secret words"), said(2, "kept words"));
    const writer = await addPart(said(3), deletion(4, 1));
    expect(writer.isRewritten).toBe(true);
    expect(readFileSync(path, "utf8")).not.toContain("secret words");
    expect(await contents()).toEqual(["1 ", "2 kept words", "3 words 3", "4 "]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await addPart(said(5));
    expect(await contents()).toHaveLength(5);
  });

  it("lets what is gone go in one step, keeps its place, and is as before when that is cut off", async () => {
    await addPart(said(1, "secret words"), said(2));
    await addPart(said(3));
    const before = readFileSync(path);
    const writer = await RoomFileWriter.open(path, DEN, await fileEnd(path));
    await writer.removeBelow(3);
    await writer.close();
    expect(readFileSync(path, "utf8")).not.toContain("secret words");
    expect(await contents()).toEqual(["3 words 3"]);
    expect(await fileEnd(path)).toMatchObject({ header: { ...DEN, first: 3 }, upTo: 3 });
    expect(statSync(path).size).toBeLessThan(before.length);
    await addPart(said(4));
    expect(await contents()).toEqual(["3 words 3", "4 words 4"]);
    expect(await fileEnd(path)).toMatchObject({ header: { first: 3 }, upTo: 4 });
  });

  it("has nothing of an erased sender any more when the part with the erasure has ended", async () => {
    const bot: MessageRecord = { ...said(3, "secret words"), id: "by-bot", sender: "swift-otter/bot", ref: 2 };
    const other: MessageRecord = { ...said(2, "kept words"), sender: "calm-heron" };
    await addPart(said(1, "secret words"), other, bot, deletion(4, 1));
    const writer = await addPart(said(5, "secret words"), erasure(6, 5), said(7, "said later"));
    expect(writer.isRewritten).toBe(true);
    const file = readFileSync(path, "utf8");
    expect([...file.matchAll(/secret words|by-bot|otter\/bot/g)]).toEqual([]);
    // Named by the erasure, and by what was said after it.
    expect([...file.matchAll(/swift-otter/g)]).toHaveLength(2);
    expect(await contents()).toEqual(["1 ", "2 kept words", "3 ", "4 ", "5 ", "6 swift-otter", "7 said later"]);
  });

  it("is read as its deletions have left it, also where it has their words, and not by what was cut off", async () => {
    await addPart(said(1, "secret words"), said(2, "kept words"), deletion(3, 1));
    const writer = await RoomFileWriter.open(path, DEN, await fileEnd(path));
    await writer.add([{ record: deletion(4, 2), bytes: Buffer.from(line(deletion(4, 2))) }]);
    await writer.close();
    expect(await contents()).toEqual(["1 ", "2 kept words", "3 "]);
  });

  it("whose writer was cut off after a deletion is as if that part had never been begun", async () => {
    await addPart(said(1, "secret words"));
    const writer = await RoomFileWriter.open(path, DEN, await fileEnd(path));
    await writer.add([{ record: deletion(2, 1), bytes: Buffer.from(line(deletion(2, 1))) }]);
    await writer.close();
    expect(await fileEnd(path)).toMatchObject({ upTo: 1 });
    await addPart(deletion(2, 1));
    expect(readFileSync(path, "utf8")).not.toContain("secret words");
  });

  it("is written anew for no deletion of its own part, whose target came without its words", async () => {
    await addPart(said(1));
    const writer = await addPart(said(2, ""), deletion(3, 2));
    expect(writer.isRewritten).toBe(false);
  });

  it("that is damaged is refused with its line, wherever the damage is", async () => {
    await addPart(said(1), said(2));
    await addPart(said(3));
    const all = readFileSync(path, "utf8");
    const damages = [
      ["words 1", "swords1"],
      ['"seq":2', '"seq":1'],
      ['"upTo":2', '"upTo":1'],
      ['"lines":3', '"lines":4'],
      ["words 3", "words 4"],
      ['"epoch":"epoch-1"', '"epoch":"epoch-2"'],
      ['{"seq":1', '"seq":1'],
    ] as const;
    for (const [from, to] of damages) {
      writeFileSync(path, all.replace(from, to));
      await expect(checkRoomFile(path), `${from} as ${to}`).rejects.toThrow(/line \d, is damaged/);
    }
    writeFileSync(path, all.split("\n").toSpliced(1, 1).join("\n"));
    await expect(checkRoomFile(path)).rejects.toThrow(Failure);
  });

  it("of a later version, or of something else, is refused", async () => {
    await addPart(said(1));
    const all = readFileSync(path, "utf8");
    writeFileSync(path, all.replace('"version":3', '"version":4'));
    await expect(fileEnd(path)).rejects.toThrow(
      "has version 4 of the backup's format, and this server reads version 3",
    );
    writeFileSync(path, '{"some":"json"}\n');
    await expect(fileEnd(path)).rejects.toThrow("is not a room's file of a backup");
    writeFileSync(path, "something else\n");
    await expect(fileEnd(path)).rejects.toThrow("is not a room's file of a backup");
  });

  it("may have fields and types that this version does not know", async () => {
    const { createHash } = await import("node:crypto");
    const body =
      `{"type":"room","version":2,"mood":"blue",${JSON.stringify(DEN).slice(1)}\n` +
      `{"type":"weather","seq":"sunny"}\n${line({ ...said(1), colour: "red" })}`;
    const sha256 = createHash("sha256").update(body).digest("hex");
    writeFileSync(path, body + line({ type: "sum", upTo: 1, lines: 3, sha256 }));
    expect(await contents()).toEqual(["1 words 1"]);
  });
});
