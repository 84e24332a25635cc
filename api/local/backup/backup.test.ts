/** A backup over a network that fails: a real HTTP server that answers as a deployment does, with troubles on demand. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { said } from "../../../test/unit/backup-files.ts";
import { type DirectoryRecord, line, type MessageRecord, type RoomRow } from "../../format/records.ts";
import { type BackupReport, backUp, openBackupFolder } from "./backup.ts";
import { directoryHeader, readDirectoryFile } from "./directory-file.ts";
import { OperatorClient } from "./operator-client.ts";
import { roomPath } from "./room-file.ts";
import { checkRoomFile, messagesOf } from "./room-reader.ts";

const SECRET = "the-secret-of-the-operator";

interface Room {
  createdAt: string;
  epoch: string;
  messages: MessageRecord[];
  /** Messages below it are gone. */
  first?: number;
}

/** What the server has, and what it does with the next requests. */
let rooms: Map<string, Room>;
let pepper: string;
let asked: string[];
/** Answers a request in its own way, and says whether it has. */
let trouble: (path: string, response: ServerResponse) => boolean;
let server: Server;
/** How long the backup would have waited, ms, each time. */
let paused: number[];
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-backup-"));
  rooms = new Map();
  pepper = "pepper";
  asked = [];
  paused = [];
  trouble = () => false;
  server = createServer(({ url = "", headers }, response) => {
    asked.push(url);
    if (trouble(url, response)) return;
    if (headers.authorization !== `Operator ${SECRET}`) return response.writeHead(401).end("{}");
    const { pathname, searchParams } = new URL(url, "http://localhost");
    if (pathname === "/api/operator/directory")
      return response.end(JSON.stringify({ records: directory(), next: null }));
    const id = pathname.split("/")[3] as string;
    const text = exported(id, Number(searchParams.get("after")));
    return text === undefined ? response.writeHead(404).end("{}") : response.end(text);
  }).listen(0);
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function directory(): DirectoryRecord[] {
  const rows = [...rooms].map(([id, { createdAt, epoch, messages, first = 1 }]): RoomRow => {
    const more = { name: id, topic: "", listed: true, owner: null, settings: {}, revision: 1 };
    return { type: "room", id, createdAt, epoch, lastSeq: messages.at(-1)?.seq ?? 0, first, ...more };
  });
  return [{ type: "secret", name: "guest_pepper", value: pepper }, ...rows];
}

function exported(id: string, after: number): string | undefined {
  const room = rooms.get(id);
  if (!room) return undefined;
  const { createdAt, epoch, messages, first = 1 } = room;
  const told = messages.filter(({ seq }) => seq > after && seq >= first);
  const header = { type: "room", version: 1, id, createdAt, epoch, ...(first > 1 && { first }) };
  const body = line(header) + told.map(line).join("");
  const sha256 = createHash("sha256").update(body).digest("hex");
  return body + line({ type: "sum", upTo: messages.at(-1)?.seq ?? after, lines: told.length + 1, sha256 });
}

function makeRoom(id: string, count: number): Room {
  const messages = Array.from({ length: count }, (_, index) => said(index + 1));
  const room = { createdAt: "2026-01-03T10:00:00.000Z", epoch: `epoch-${id}`, messages };
  rooms.set(id, room);
  return room;
}

async function run(secret = SECRET): Promise<BackupReport> {
  await openBackupFolder(folder);
  const url = new URL(`http://localhost:${(server.address() as AddressInfo).port}`);
  const client = new OperatorClient(url, secret, async (ms) => void paused.push(ms));
  return backUp({ folder, server: client, progress: () => undefined });
}

/** What the backup has of a room. */
async function kept(id: string): Promise<string[] | undefined> {
  const file = await checkRoomFile(roomPath(folder, id)).catch(() => undefined);
  if (!file) return undefined;
  const found: string[] = [];
  for await (const { content } of messagesOf(roomPath(folder, id), file)) found.push(content);
  return found;
}

const words = (count: number) => Array.from({ length: count }, (_, index) => `words ${index + 1}`);

describe("messages that are gone because of their age", () => {
  const row = async (id: string) => {
    for await (const record of readDirectoryFile(folder)) {
      if (record.type === "room" && record.id === id) return { first: record.first, lastSeq: record.lastSeq };
    }
    return undefined;
  };

  it("are in no file any more after the next run, with nothing new or with much", async () => {
    const den = makeRoom("den", 3);
    await run();
    den.first = 3;
    expect(await run()).toMatchObject({ messages: 0, rewritten: 1 });
    expect(await kept("den")).toEqual(["words 3"]);
    expect(readFileSync(roomPath(folder, "den"), "utf8")).not.toMatch(/words [12]/);
    expect(await run()).toMatchObject({ messages: 0, rewritten: 0 });
    den.messages.push(said(4), said(5));
    den.first = 5;
    await run();
    expect(await kept("den")).toEqual(["words 5"]);
    expect(await row("den")).toEqual({ first: 5, lastSeq: 5 });
    den.messages.push(said(6));
    await run();
    expect(await kept("den")).toEqual(["words 5", "words 6"]);
  });

  it("leave a file that says how far the room was, where all of them are gone", async () => {
    const den = makeRoom("den", 3);
    den.first = 4;
    await run();
    expect(await kept("den")).toEqual([]);
    expect(await row("den")).toEqual({ first: 4, lastSeq: 3 });
    const file = readFileSync(roomPath(folder, "den"));
    await run();
    expect(readFileSync(roomPath(folder, "den"))).toEqual(file);
    den.messages.push(said(4));
    await run();
    expect(await kept("den")).toEqual(["words 4"]);
  });

  it("go from the file of a room of which the backup had not come to its end", async () => {
    const den = makeRoom("den", 5);
    await run();
    den.messages.push(said(6));
    den.first = 4;
    trouble = (path, response) => {
      if (!path.includes("/export")) return false;
      trouble = () => false;
      response.write("half");
      response.destroy();
      return true;
    };
    await run();
    expect(await kept("den")).toEqual(["words 4", "words 5", "words 6"]);
  });
});

describe("a backup", () => {
  it("brings what is new, and asks a room that has nothing new nothing", async () => {
    makeRoom("den", 3);
    makeRoom("zoo", 2);
    expect(await run()).toEqual({ rooms: 2, changed: 2, messages: 5, rewritten: 0, removed: 0 });
    rooms.get("zoo")?.messages.push(said(3));
    asked = [];
    expect(await run()).toEqual({ rooms: 2, changed: 1, messages: 1, rewritten: 0, removed: 0 });
    expect(asked.filter((path) => path.includes("/export"))).toEqual(["/api/rooms/zoo/export?after=2"]);
    expect([await kept("den"), await kept("zoo")]).toEqual([words(3), words(3)]);
    expect(await directoryHeader(folder)).toMatchObject({ complete: true });
  });

  it("goes on where a connection broke off, as often as it gets further", async () => {
    makeRoom("den", 100);
    let cutOff = 0;
    trouble = (path, response) => {
      const after = Number(path.split("after=")[1] ?? Number.NaN);
      if (Number.isNaN(after) || after >= 90) return false;
      cutOff++;
      // Ten more lines, and a half one.
      const lines = (exported("den", after) as string).split("\n").slice(0, 11);
      response.write(`${lines.join("\n")}\n{"seq":`, () => response.destroy());
      return true;
    };
    await run();
    expect(cutOff).toBe(9);
    expect(await kept("den")).toEqual(words(100));
  });

  it("ends with one line when the server goes away midway, and keeps what has come", async () => {
    makeRoom("den", 100);
    trouble = (path, response) => {
      if (!path.includes("/export")) return false;
      if (path.endsWith("after=0")) {
        const lines = (exported("den", 0) as string).split("\n").slice(0, 51);
        response.write(`${lines.join("\n")}\n`, () => response.destroy());
      } else response.destroy();
      return true;
    };
    await expect(run()).rejects.toThrow(/does not answer: when it is well again, run this again to go on\.$/);
    expect(await kept("den")).toEqual(words(50));
    expect(await directoryHeader(folder)).toMatchObject({ complete: false });
    trouble = () => false;
    asked = [];
    await run();
    expect(asked).toContain("/api/rooms/den/export?after=50");
    expect(await kept("den")).toEqual(words(100));
  });

  it("takes no export whose bytes are others on arrival", async () => {
    makeRoom("den", 3);
    trouble = (path, response) => {
      if (!path.includes("/export")) return false;
      response.end((exported("den", 0) as string).replace("words 2", "swords 2"));
      return true;
    };
    await expect(run()).rejects.toThrow("The export of the room den breaks off");
  });

  it("waits for a server that says so", async () => {
    makeRoom("den", 3);
    let refusals = 0;
    trouble = (_, response) => {
      if (++refusals > 2) return false;
      response.writeHead(refusals === 1 ? 429 : 503, { "retry-after": "7" }).end("{}");
      return true;
    };
    await run();
    expect(paused).toEqual([7_000, 7_000]);
    expect(await kept("den")).toEqual(words(3));
  });

  it("is refused in one line with a wrong secret, or by what is no meet-ai server", async () => {
    await expect(run("wrong")).rejects.toThrow(/does not accept this operator's secret: .*operator-secret.*\.$/);
    trouble = (_, response) => Boolean(response.end("<h1>It works!</h1>"));
    await expect(run()).rejects.toThrow(/does not answer as a meet-ai server: check --server\.$/);
    trouble = (_, response) => Boolean(response.writeHead(404).end());
    await expect(run()).rejects.toThrow(/answers 404 to \/api\/operator\/directory: check --server\.$/);
    expect(readdirSync(folder)).toEqual(["rooms"]);
  });

  it("empties what a later run finds deleted, and forgets a room that is gone", async () => {
    const { messages } = makeRoom("den", 3);
    makeRoom("zoo", 2);
    await run();
    messages[0] = said(1, "");
    messages.push({ ...said(4, ""), kind: "deletion", ref: 1 });
    rooms.delete("zoo");
    expect(await run()).toEqual({ rooms: 1, changed: 1, messages: 1, rewritten: 1, removed: 1 });
    expect(await kept("den")).toEqual(["", "words 2", "words 3", ""]);
    expect(readdirSync(join(folder, "rooms"))).toEqual(["den.ndjson"]);
    expect(readFileSync(roomPath(folder, "den"), "utf8")).not.toContain("words 1");
  });

  it("has no erased words after an erasure that has ended since the last run, and says no more whom it has erased", async () => {
    const { messages } = makeRoom("den", 3);
    await run();
    messages[1] = { ...said(2, ""), id: "erased:2", sender: "" };
    messages.push({ ...said(4, ""), id: "erased:4", kind: "erasure", ref: 3 }, said(5));
    expect(await run()).toMatchObject({ changed: 1, rewritten: 1 });
    expect(await kept("den")).toEqual(["words 1", "", "words 3", "", "words 5"]);
    expect(readFileSync(roomPath(folder, "den"), "utf8")).not.toContain("words 2");
    expect(readdirSync(join(folder, "rooms"))).toEqual(["den.ndjson"]);
    expect(await run()).toMatchObject({ changed: 0, rewritten: 0 });
  });

  it("takes away what a run that was cut off has left behind the last sum, also where nothing is new", async () => {
    makeRoom("den", 3);
    await run();
    const whole = readFileSync(roomPath(folder, "den"), "utf8");
    writeFileSync(roomPath(folder, "den"), `${whole}${line({ ...said(4), content: "deleted since" })}{"seq":5,"id`);
    await run();
    expect(readFileSync(roomPath(folder, "den"), "utf8")).toBe(whole);
  });

  it("begins a room anew that has another history, also when that is cut off midway", async () => {
    makeRoom("den", 60);
    await run();
    const later = makeRoom("den", 100);
    later.epoch = "epoch-2";
    trouble = (path, response) => {
      if (!path.includes("/export")) return false;
      if (path.endsWith("after=0")) {
        const lines = (exported("den", 0) as string).split("\n").slice(0, 31);
        response.write(`${lines.join("\n")}\n`, () => response.destroy());
      } else response.destroy();
      return true;
    };
    await expect(run()).rejects.toThrow("does not answer");
    // The earlier history is there until the later one has come whole.
    expect(await kept("den")).toEqual(words(60));
    trouble = () => false;
    asked = [];
    await run();
    expect(asked).toContain("/api/rooms/den/export?after=30");
    expect(await kept("den")).toEqual(words(100));
    expect(readdirSync(join(folder, "rooms"))).toEqual(["den.ndjson"]);
    const rows: DirectoryRecord[] = [];
    for await (const record of readDirectoryFile(folder)) rows.push(record);
    expect(rows.at(-1)).toMatchObject({ epoch: "epoch-2", lastSeq: 100 });
  });

  it("has nothing of an earlier room of the same id", async () => {
    makeRoom("den", 3);
    await run();
    rooms.set("den", { ...makeRoom("den", 0), createdAt: "2026-02-01T00:00:00.000Z" });
    await run();
    expect(await kept("den")).toBeUndefined();
    rooms.set("den", { ...makeRoom("den", 2), createdAt: "2026-02-01T00:00:00.000Z" });
    await run();
    expect(await kept("den")).toEqual(words(2));
  });

  it("takes in a room that is made while it runs", async () => {
    makeRoom("den", 3);
    trouble = (path) => {
      if (path.includes("/export") && !rooms.has("new")) makeRoom("new", 2);
      return false;
    };
    await run();
    expect(await kept("new")).toEqual(words(2));
  });

  it("leaves a room and a site whose owner came after the keys had been asked for to the next run", async () => {
    makeRoom("den", 3);
    const { createdAt, epoch } = makeRoom("late", 2);
    const keys: DirectoryRecord[] = [];
    const more = { name: "Late", topic: "", listed: true, settings: {}, revision: 1 };
    const late: RoomRow = { type: "room", id: "late", createdAt, epoch, lastSeq: 2, owner: "k1", ...more };
    const site: DirectoryRecord = {
      ...{ type: "site", name: "acme", owner: "k1", keys: [], origins: [], createdAt, removedAt: null },
    };
    trouble = (path, response) => {
      if (!path.startsWith("/api/operator/directory")) return false;
      const records = [...directory().filter((record) => record.type !== "room" || record.id !== "late"), late];
      response.end(JSON.stringify({ records: [...keys, site, ...records], next: null }));
      return true;
    };
    const owners = async () => {
      const found: (string | null)[] = [];
      for await (const record of readDirectoryFile(folder)) if ("owner" in record) found.push(record.owner);
      return found;
    };
    await run();
    expect(await owners()).toEqual([null]);
    const hash = "0".repeat(64);
    const times = { createdAt, lastUsed: null, revokedAt: null };
    keys.push({ type: "key", id: "k1", handle: "swift-otter", hash, nextHash: null, ...times });
    await run();
    expect(await owners()).toEqual(["k1", null, "k1"]);
    expect(await kept("late")).toEqual(words(2));
    // It is handed to somebody whose key has just been made: what the backup has of it stays.
    keys.pop();
    expect((await run()).removed).toBe(0);
    expect(await owners()).toEqual([null]);
    expect(await kept("late")).toEqual(words(2));
  });

  it("writes no file outside of its folder, whatever id a server gives a room", async () => {
    makeRoom("den", 1);
    const [secret, row] = directory();
    trouble = (path, response) => {
      if (!path.startsWith("/api/operator/directory")) return false;
      // The first two questions are for the pepper, and for the rooms as they are at the beginning.
      const isLater = asked.filter((earlier) => earlier === path).length > 2;
      const records = [secret, isLater ? { ...row, id: "../../out" } : row];
      response.end(JSON.stringify({ records, next: null }));
      return true;
    };
    await expect(run()).rejects.toThrow(/"\.\.\/\.\.\/out" of the server is no room's id/);
  });

  it("takes away no file in a folder of rooms that it has not written", async () => {
    makeRoom("den", 1);
    mkdirSync(join(folder, "rooms"));
    writeFileSync(join(folder, "rooms", "holiday.jpg"), "");
    await expect(run()).rejects.toThrow(/has other files and is not a backup/);
    rmSync(join(folder, "rooms", "holiday.jpg"));
    await run();
    writeFileSync(join(folder, "rooms", "holiday.jpg"), "");
    mkdirSync(join(folder, "rooms", "zoo.ndjson"));
    await run();
    expect(readdirSync(join(folder, "rooms")).sort()).toEqual(["den.ndjson", "holiday.jpg", "zoo.ndjson"]);
  });

  it("follows no symbolic link, and says where it is", async () => {
    makeRoom("den", 3);
    await run();
    const outside = mkdtempSync(join(tmpdir(), "meet-ai-outside-"));
    writeFileSync(join(outside, "file"), "somebody's");
    const refused = async (path: string, target: string) => {
      symlinkSync(join(outside, target), path);
      await expect(run()).rejects.toThrow(`${path} is a symbolic link, and a backup has none`);
      rmSync(path);
    };
    await refused(join(folder, "rooms/zoo.ndjson"), "file");
    // One that leads nowhere yet.
    await refused(join(folder, "rooms/den.ndjson.new"), "new");
    await refused(join(folder, "backup.pid"), "file");
    renameSync(join(folder, "rooms"), join(outside, "rooms"));
    await refused(join(folder, "rooms"), "rooms");
    expect([readdirSync(outside), readFileSync(join(outside, "file"), "utf8")]).toEqual([
      ["file", "rooms"],
      "somebody's",
    ]);
    rmSync(outside, { recursive: true });
  });

  it("has the names of its files on the disk, too, whether they are new, renamed or gone", async () => {
    let synced: string[] = [];
    const probe = await open(folder, "r");
    const prototype = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const { sync } = prototype;
    const spy = vi.spyOn(prototype, "sync").mockImplementation(function (this: typeof probe) {
      synced.push(readlinkSync(`/proc/self/fd/${this.fd}`));
      return sync.call(this);
    });
    const inRooms = () => synced.filter((path) => path === join(folder, "rooms")).length;
    await openBackupFolder(folder);
    expect(synced).toEqual([join(folder, "rooms"), folder, dirname(folder)]);
    const den = makeRoom("den", 3);
    synced = [];
    // At the beginning, for the new file, and at the end.
    await run();
    expect(inRooms()).toBe(3);
    synced = [];
    Object.assign(den, { epoch: "another", messages: [said(1), said(2)] });
    await run();
    expect(inRooms()).toBe(3);
    spy.mockRestore();
  });

  it("goes into no folder of something else, nor into another server's backup", async () => {
    makeRoom("den", 3);
    await run();
    pepper = "another";
    await expect(run()).rejects.toThrow(/is the backup of another server: name another folder\.$/);
    expect(await kept("den")).toEqual(words(3));
    rmSync(join(folder, "directory.ndjson"));
    writeFileSync(join(folder, "holiday.jpg"), "");
    await expect(run()).rejects.toThrow(/has other files and is not a backup: name a new or an empty folder\.$/);
  });
});
