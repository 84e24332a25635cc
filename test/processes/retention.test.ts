/** Old messages in a room that nobody ever visits: a real server removes them, however often it is killed meanwhile. */

import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import type { DirectoryRecord } from "../../api/format/records.ts";
import { writeDirectoryFile } from "../../api/local/backup/directory-file.ts";
import { roomPath } from "../../api/local/backup/room-file.ts";
import { checkRoomFile, messagesOf } from "../../api/local/backup/room-reader.ts";
import { addPart, said } from "../unit/backup-files.ts";
import { Visitor } from "./security/visitor.ts";
import { READING, Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");
const DAY = 86_400_000;
const place = mkdtempSync(join(tmpdir(), "meet-ai-retention-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

/** A backup with the room `den`, where 250 messages are forty days old and 30 are a day old. */
async function makeBackup(folder: string): Promise<void> {
  mkdirSync(join(folder, "rooms"), { recursive: true });
  const createdAt = daysAgo(50);
  const messages = Array.from({ length: 280 }, (_, index) => {
    const isOld = index < 250;
    return { ...said(index + 1, `${isOld ? "old" : "young"} words ${index + 1}`), at: daysAgo(isOld ? 40 : 1) };
  });
  await addPart(roomPath(folder, "den"), { id: "den", createdAt, epoch: "epoch-den" }, ...messages);
  async function* records(): AsyncGenerator<DirectoryRecord> {
    yield { type: "secret", name: "guest_pepper", value: "the-pepper" };
    const more = { name: "Den", topic: "", listed: true, owner: null, settings: {}, revision: 1 };
    yield { type: "room", id: "den", createdAt, epoch: "epoch-den", lastSeq: 280, ...more };
  }
  await writeDirectoryFile(folder, true, records());
}

function command(name: "backup" | "restore", stateDir: string, folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [`api/local/${name}.ts`, folder], {
    cwd: ROOT,
    env: { ...process.env, STATE_DIR: stateDir, KEEP_DAYS: "30" },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

/** The contents that rooms have in their own storage. */
function storedInRooms(stateDir: string): string[] {
  return globSync("do/meet-ai-ChatRoom/*.sqlite", { cwd: stateDir }).flatMap((file) => {
    const database = new DatabaseSync(join(stateDir, file), READING);
    try {
      const isRoom = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'messages'").get() !== undefined;
      const rows = isRoom ? database.prepare("SELECT content FROM messages").all() : [];
      return rows.map(({ content }) => String(content));
    } finally {
      database.close();
    }
  });
}

it("are gone from every store within moments of a start with KEEP_DAYS, and from the next backup", async () => {
  const [backup, stateDir] = [join(place, "backup"), join(place, "state")];
  await makeBackup(backup);
  command("restore", stateDir, backup);
  await using server = await Server.start({ stateDir, vars: { KEEP_DAYS: "30" } });
  // Wherever it is by then.
  for (let killed = 0; killed < 3; killed++) {
    await server.kill();
    await server.start();
  }
  // What one run does not remove waits a minute for the next one.
  await until("D1 has the young ones alone", () => server.archivedCount("den") === 30, 180_000);
  expect(storedInRooms(stateDir).filter((content) => content.startsWith("old"))).toEqual([]);
  const { body } = await new Visitor(server).call("GET", "/api/rooms/den/messages?limit=200&after=0");
  expect(body).toMatchObject({ reset: true, head: 280, more: false });
  expect(body.messages.map(({ seq }: { seq: number }) => seq)).toEqual(
    Array.from({ length: 30 }, (_, index) => 251 + index),
  );
  command("backup", stateDir, backup);
  const path = roomPath(backup, "den");
  expect(readFileSync(path, "utf8")).not.toContain("old words");
  const file = await checkRoomFile(path);
  const kept: number[] = [];
  if (file) for await (const { seq } of messagesOf(path, file)) kept.push(seq);
  expect([kept.length, kept[0], file?.upTo]).toEqual([30, 251, 280]);
});
