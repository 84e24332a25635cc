/** The drill: people talk, a backup is made while they do, the server is lost, and another one has all of it again. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type DirectoryRecord, line, type MessageRecord } from "../../api/format/records.ts";
import { writeDirectoryFile } from "../../api/local/backup/directory-file.ts";
import { RoomFileWriter, roomPath } from "../../api/local/backup/room-file.ts";
import { checkRoomFile, messagesOf } from "../../api/local/backup/room-reader.ts";
import type { Message } from "../../party/protocol.ts";
import { SiteSigner } from "../site-signer.ts";
import { newGuestSecret, Visitor } from "./security/visitor.ts";
import { Server } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of the test's own, which is not there yet. */
function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "meet-ai-drill-"));
  folders.push(folder);
  return join(folder, name);
}

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a command on the folder `stateDir`. */
function start(command: "backup" | "restore", stateDir: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [`api/local/${command}.ts`, ...args], {
    cwd: ROOT,
    env: { ...process.env, STATE_DIR: stateDir, ...env },
    // A group of its own, so that one signal reaches the runtime too.
    detached: true,
  });
  const ended = (async (): Promise<Ended> => {
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const [status] = (await once(child, "close")) as [number | null];
    return { status, stdout, stderr };
  })();
  return { child, ended };
}

const run = (...args: Parameters<typeof start>): Promise<Ended> => start(...args).ended;

/** Ends all processes of a command at once. */
async function kill(child: ChildProcess, ended: Promise<Ended>): Promise<void> {
  if (child.exitCode === null) process.kill(-(child.pid as number), "SIGKILL");
  await ended;
}

/** Every message of a room, over all pages from the first on. */
async function log(visitor: Visitor, room: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let more = true; more; ) {
    const { body } = await visitor.call("GET", `/api/rooms/${room}/messages?limit=200&after=${all.at(-1)?.seq ?? 0}`);
    all.push(...body.messages);
    more = body.more;
  }
  return all;
}

/** All bytes of a folder's files. */
const bytesOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");

describe("the drill", () => {
  it("brings back every room, key, guest's name, setting, mute and deletion", async () => {
    const backup = newFolder("backup");
    await using server = await Server.start();
    const visitor = new Visitor(server);
    const [anna, ben] = [await visitor.makeKey(), await visitor.makeKey()];
    const [den, zoo, gone] = [
      await visitor.makeRoom(anna.key, { guests: "read", loopGuard: 7, instructions: "Be brief." }),
      await visitor.makeRoom(ben.key, { listed: false, topic: "Bears" }),
      await visitor.makeRoom(anna.key),
    ];
    const guest = newGuestSecret();
    const guestName = (await (await visitor.enterAs(zoo, { guest })).named()).sender;
    await visitor.say(gone, anna.key, "words of a room that ends");
    await visitor.say(den, anna.key, "words that are deleted later");
    await visitor.call("PUT", `/api/rooms/${den}/mutes/calm-newt`, { key: anna.key });

    // People talk from here on, until they are told to stop.
    const acknowledged: Record<string, Message[]> = { [den]: [], [zoo]: [] };
    let talking = true;
    const talk = async (room: string, key: string) => {
      for (let said = 0; talking; said++) {
        const { status, body } = await visitor.say(room, key, `message ${said} of ${key.slice(-4)}`);
        if (status === 201) acknowledged[room]?.push(body);
      }
    };
    const talks = [talk(den, anna.key), talk(den, ben.key), talk(zoo, ben.key)];
    const hasSaid = (room: string, count: number) =>
      until(`${count} messages in ${room}`, () => (acknowledged[room]?.length ?? 0) >= count);
    await hasSaid(zoo, 30);
    expect(await run("backup", server.stateDir, [backup])).toMatchObject({ status: 0, stderr: "" });
    expect(bytesOf(backup)).toContain("words that are deleted later");

    // What was in the first backup is deleted, and the second one is made while they talk on.
    expect((await visitor.call("DELETE", `/api/rooms/${den}/messages/1`, { key: anna.key })).status).toBe(204);
    expect((await visitor.call("DELETE", `/api/rooms/${gone}`, { key: anna.key })).status).toBe(204);
    expect((await visitor.call("DELETE", "/api/keys/me", { key: (await visitor.makeKey()).key })).status).toBe(204);
    await hasSaid(den, (acknowledged[den]?.length ?? 0) + 30);
    expect(await run("backup", server.stateDir, [backup])).toMatchObject({ status: 0, stderr: "" });
    expect(bytesOf(backup)).not.toContain("words that are deleted later");
    expect(bytesOf(backup)).not.toContain("words of a room that ends");

    // The last one, after the last word and a revocation.
    talking = false;
    await Promise.all(talks);
    expect((await visitor.call("DELETE", "/api/keys/me", { key: ben.key })).status).toBe(204);
    const third = await run("backup", server.stateDir, [backup]);
    expect(third).toMatchObject({ status: 0, stderr: "" });
    expect(third.stdout).toMatch(/^3 rooms, [\d,]+ new messages? in \d, in /);
    const before = { den: await log(visitor, den), zoo: await log(visitor, zoo) };
    const secrets = readdirSync(backup, { recursive: true }).map(
      (name) => statSync(join(backup, String(name))).mode & 0o077,
    );
    expect(new Set(secrets)).toEqual(new Set([0]));
    await server.kill();

    const stateDir = newFolder("state");
    const restored = await run("restore", stateDir, [backup]);
    expect(restored).toMatchObject({ status: 0, stderr: "" });
    expect(restored.stdout).toMatch(/^Restored 3 keys, 3 rooms and [\d,]+ messages into /m);
    await using second = await Server.start({ stateDir });
    const later = new Visitor(second);
    for (const [room, all] of [
      [den, before.den],
      [zoo, before.zoo],
    ] as const) {
      expect(await log(later, room)).toEqual(all);
      const bySeq = new Map(all.map((message) => [message.seq, message]));
      for (const message of acknowledged[room] ?? []) expect(bySeq.get(message.seq)).toEqual(message);
      const { body } = await later.call("GET", `/api/rooms/${room}/messages?limit=20&before=21`);
      expect(body.messages).toEqual(all.slice(0, 20));
    }
    expect((await later.call("GET", "/api/keys/me", { key: anna.key })).body.handle).toBe(anna.handle);
    expect((await later.call("GET", "/api/keys/me", { key: ben.key })).status).toBe(401);
    expect((await later.call("GET", `/api/rooms/${gone}`)).status).toBe(404);
    expect((await later.call("GET", `/api/rooms/${den}`, { key: anna.key })).body).toMatchObject({
      createdBy: anna.handle,
      guests: "read",
      loopGuard: 7,
      instructions: { version: 1, text: "Be brief." },
      lastSeq: before.den.length,
    });
    expect((await later.call("GET", `/api/rooms/${zoo}`)).body).toMatchObject({
      topic: "Bears",
      createdBy: ben.handle,
    });
    const listed = (await later.call("GET", "/api/rooms")).body.rooms as { id: string }[];
    expect(listed.map(({ id }) => id).sort()).toEqual([den, "lobby"].sort());
    expect((await later.call("GET", `/api/rooms/${den}/mutes`, { key: anna.key })).body.mutes).toEqual([
      { sender: "calm-newt", until: null },
    ]);
    expect((await (await later.enterAs(zoo, { guest })).named()).sender).toBe(guestName);
    // It goes on where it was, and the next backup of it holds no deleted words either.
    expect((await later.say(den, anna.key, "as if nothing had been")).body.seq).toBe(before.den.length + 1);
    expect(await run("backup", stateDir, [backup])).toMatchObject({ status: 0, stderr: "" });
    expect(bytesOf(backup)).toContain("as if nothing had been");
    expect(bytesOf(backup)).not.toContain("words that are deleted later");
  });
});

/** A sound backup with rooms of `count` messages each, made without a server. */
async function makeBackup(
  folder: string,
  rooms: readonly string[],
  count: number,
  gone: { readonly first?: number; readonly goneBefore?: string } = {},
): Promise<void> {
  mkdirSync(join(folder, "rooms"), { recursive: true });
  const createdAt = "2026-01-03T10:00:00.000Z";
  async function* directory(): AsyncGenerator<DirectoryRecord> {
    yield { type: "secret", name: "guest_pepper", value: "0123456789abcdef" };
    for (const id of rooms) {
      const more = {
        name: id,
        topic: "",
        listed: true,
        owner: null,
        settings: {},
        revision: 1,
        lastSeq: count,
        ...gone,
      };
      yield { type: "room", id, createdAt, epoch: `epoch-${id}`, ...more };
    }
  }
  for (const id of rooms) {
    const writer = await RoomFileWriter.open(roomPath(folder, id), { id, createdAt, epoch: `epoch-${id}` }, undefined);
    for (let seq = 1; seq <= count; seq++) {
      const record: MessageRecord = {
        seq,
        id: `m${seq}`,
        kind: "text",
        sender: "swift-otter",
        content: `${seq} of ${id}`,
        ref: seq > 1 && seq % 10 === 0 ? seq - 1 : null,
        at: new Date(Date.parse(createdAt) + seq * 1_000).toISOString(),
      };
      await writer.add([{ record, bytes: Buffer.from(line(record)) }]);
    }
    await writer.endPart();
    await writer.close();
  }
  await writeDirectoryFile(folder, true, directory());
}

async function messagesIn(folder: string, room: string) {
  const path = roomPath(folder, room);
  const file = await checkRoomFile(path);
  const found = [];
  if (file) for await (const message of messagesOf(path, file)) found.push(message);
  return found;
}

describe("a command that is killed", () => {
  it("restores and backs up all the same when it is run again", async () => {
    const [backup, again, stateDir] = [newFolder("backup"), newFolder("again"), newFolder("state")];
    const rooms = ["lobby", "aviary", "zoo"];
    await makeBackup(backup, rooms, 4_000);

    const first = start("restore", stateDir, [backup]);
    await until(
      "the restore has begun",
      () => existsSync(join(stateDir, "restore-begun")) || first.child.exitCode !== null,
    );
    await kill(first.child, first.ended);
    // Until it has come to its end no server starts there, and no other backup comes in between.
    if (existsSync(join(stateDir, "restore-begun"))) {
      const early = spawnSync(process.execPath, ["api/local/start.ts", "--no-build"], {
        cwd: ROOT,
        env: { ...process.env, STATE_DIR: stateDir, PORT: "0" },
        encoding: "utf8",
      });
      expect([early.status, early.stderr]).toEqual([
        1,
        `A restore into ${stateDir} was cut off: run it again to go on, or delete the folder.\n`,
      ]);
      const other = newFolder("other");
      await makeBackup(other, ["lobby"], 1);
      expect(await run("restore", stateDir, [other])).toEqual({
        status: 1,
        stdout: "",
        stderr: `A restore of another backup into ${stateDir} was cut off: restore that one, or delete ${stateDir}.\n`,
      });
      expect(await run("restore", stateDir, [backup])).toMatchObject({ status: 0, stderr: "" });
    }

    // No server runs, so the backup reads the folder by itself.
    const killed = start("backup", stateDir, [again, "--no-build"]);
    const hasBegun = () => existsSync(roomPath(again, "aviary")) && statSync(roomPath(again, "aviary")).size > 0;
    await until("the backup has begun", () => hasBegun() || killed.child.exitCode !== null);
    await kill(killed.child, killed.ended);
    expect(await run("backup", stateDir, [again, "--no-build"])).toMatchObject({ status: 0, stderr: "" });
    for (const room of rooms) expect(await messagesIn(again, room)).toEqual(await messagesIn(backup, room));
  });
});

describe("bad input", () => {
  it("says in one line what is wrong and what to do, and changes nothing", async () => {
    const backup = newFolder("backup");
    await makeBackup(backup, ["lobby", "den"], 20);
    const den = roomPath(backup, "den");
    const refused = async (stderr: string | RegExp, ...args: Parameters<typeof start>) => {
      const outcome = await run(...args);
      expect({ ...outcome, stderr: "" }).toEqual({ status: 1, stdout: "", stderr: "" });
      expect(outcome.stderr.split("\n")).toHaveLength(2);
      expect(outcome.stderr).toMatch(stderr);
    };
    const somewhere = newFolder("state");
    await refused(/^Name the folder of one backup/, "restore", somewhere, []);
    await refused(/^Unknown option '--force'/, "restore", somewhere, [backup, "--force"]);
    await refused(/is not a backup: it has no directory\.ndjson\.$/m, "restore", somewhere, [join(backup, "rooms")]);
    await refused(/^--remote takes CLOUDFLARE_API_TOKEN/, "restore", somewhere, [backup, "--remote"]);
    const account = { CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_ACCOUNT_ID: "a" };
    const days = [backup, "--remote", "--rows-a-day", "many"];
    await refused(/^--rows-a-day takes a whole number, not "many"\.$/m, "restore", somewhere, days, account);
    expect(existsSync(somewhere)).toBe(false);

    writeFileSync(den, readFileSync(den, "utf8").replace("7 of den", "8 of den"));
    const stateDir = newFolder("state");
    await refused(/den\.ndjson, line \d+, is damaged: use another copy/, "restore", stateDir, [backup]);
    expect(readdirSync(stateDir)).toEqual([]);

    await refused(/^Name one folder for the backup/, "backup", somewhere, []);
    const elsewhere = newFolder("backup");
    await refused(
      /^There is no server's data in .*: name its folder in STATE_DIR, or the server with --server\.$/m,
      "backup",
      somewhere,
      [elsewhere],
    );
    await refused(/^--server takes an address like https:/, "backup", somewhere, [elsewhere, "--server", "chat"]);
    await refused(/^The operator's secret is needed/, "backup", somewhere, [
      elsewhere,
      "--server",
      "http://localhost:1",
    ]);
    await refused(/other files and is not a backup: name a new or an empty folder\.$/m, "backup", somewhere, [
      ROOT,
      "--server",
      "http://localhost:1",
    ]);
    await refused(/EEXIST.*|ENOTDIR.*/, "backup", somewhere, [den, "--server", "http://localhost:1"]);

    await using server = await Server.start();
    // An address that no machine has: the secret of the folder is not even tried there.
    await refused(/^The operator's secret is needed: name it in OPERATOR_SECRET/, "backup", server.stateDir, [
      elsewhere,
      "--server",
      "http://192.0.2.1",
    ]);
    await refused(/does not accept this operator's secret/, "backup", server.stateDir, [elsewhere], {
      OPERATOR_SECRET: "x".repeat(30),
    });
    await refused(/^Another server \(process \d+\) keeps its data in/, "restore", server.stateDir, [backup]);
    const visitor = new Visitor(server);
    await visitor.call("GET", "/api/rooms/lobby");
    const line = await visitor.enterAs("lobby", { guest: newGuestSecret() });
    await line.outcome(line.say("somebody would miss this"));
    await server.stop();
    // Not in D1 yet, perhaps, but in the room.
    await refused(/is not empty, it has messages: name a new folder in STATE_DIR\.$/m, "restore", server.stateDir, [
      backup,
    ]);
  });

  it("of a full disk is told in one line, and the next run mends it", async () => {
    await using server = await Server.start();
    const visitor = new Visitor(server);
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    for (let said = 0; said < 40; said++) await visitor.say(room, key, "x".repeat(16_000));
    const backup = newFolder("backup");
    // A file may have 100 blocks of 1,024 bytes: so the disk is full for the room's file, and not for the directory.
    const script = 'ulimit -f 100; trap "" XFSZ; exec "$0" api/local/backup.ts "$1"';
    const env = { ...process.env, STATE_DIR: server.stateDir };
    const full = spawnSync("bash", ["-c", script, process.execPath, backup], { cwd: ROOT, env, encoding: "utf8" });
    expect([full.status, full.stdout]).toEqual([1, ""]);
    expect(full.stderr).toMatch(/^The disk .*\.\n$/);
    expect(await run("backup", server.stateDir, [backup])).toMatchObject({ status: 0, stderr: "" });
    expect(await messagesIn(backup, room)).toHaveLength(40);
  });
});

describe("a torn backup", () => {
  it("is restored up to its last checksum, and says so", async () => {
    const [backup, stateDir] = [newFolder("backup"), newFolder("state")];
    await makeBackup(backup, ["lobby"], 20);
    const path = roomPath(backup, "lobby");
    writeFileSync(
      path,
      `${readFileSync(path, "utf8")}{"seq":21,"id":"m21","kind":"text","sender":"a-b","content":"torn","ref":null,"at":"2027-01-01T00:00:00.000Z"}\n{"seq":22`,
    );
    const { status, stdout, stderr } = await run("restore", stateDir, [backup]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`${path} was cut off while it was written: it is restored up to its last checksum.`);
    expect(stdout).toContain("Restored 0 keys, 1 room and 20 messages into");
    await using server = await Server.start({ stateDir });
    expect((await log(new Visitor(server), "lobby")).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });
});

describe("a site", () => {
  it("vouches for its users after a restore as before", async () => {
    const [backup, restored] = [newFolder("backup"), newFolder("state")];
    const signer = await SiteSigner.of("acme");
    await using server = await Server.start();
    const visitor = new Visitor(server);
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    const put = await visitor.call("PUT", "/api/sites/acme", { key, body: { keys: [signer.jwk], origins: [] } });
    expect(put.status).toBe(201);
    const say = async (there: Visitor, url: string) => {
      const token = await signer.token("anna", { aud: url });
      return there.call("POST", `/api/rooms/${room}/messages`, { key: token, body: { content: "Hello" } });
    };
    expect((await say(visitor, server.url)).status).toBe(201);
    expect(await run("backup", server.stateDir, [backup])).toMatchObject({ status: 0 });
    expect(await run("restore", restored, [backup])).toMatchObject({ status: 0 });
    await using another = await Server.start({ stateDir: restored });
    const answer = await say(new Visitor(another), another.url);
    expect(answer).toMatchObject({ status: 201, body: { seq: 2, sender: "anna@acme" } });
  });
});

describe("the reader in Python", () => {
  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  it.skipIf(!hasPython)("of docs/examples prints what a backup has, and refuses a damaged one", async () => {
    const backup = newFolder("backup");
    await makeBackup(backup, ["den", "lobby"], 12);
    const read = () => spawnSync("python3", ["docs/examples/read_backup.py", backup], { cwd: ROOT, encoding: "utf8" });
    const printed = read()
      .stdout.trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    const expected = ["den", "lobby"].flatMap((room) =>
      Array.from({ length: 12 }, (_, index) => [room, index + 1, "swift-otter", `${index + 1} of ${room}`]),
    );
    expect(printed).toEqual(expected);
    const path = roomPath(backup, "den");
    writeFileSync(path, readFileSync(path, "utf8").replace("7 of den", "8 of den"));
    expect(read()).toMatchObject({ status: 1, stderr: `${path} is damaged.\n` });
  });

  it.skipIf(!hasPython)("passes over messages that are gone because of their age", async () => {
    const [bySeq, byTime] = [newFolder("by-seq"), newFolder("by-time")];
    await makeBackup(bySeq, ["den"], 12, { first: 11 });
    await makeBackup(byTime, ["den"], 12, { goneBefore: "2026-01-03T10:00:11.000Z" });
    for (const backup of [bySeq, byTime]) {
      const { stdout } = spawnSync("python3", ["docs/examples/read_backup.py", backup], {
        cwd: ROOT,
        encoding: "utf8",
      });
      const printed = stdout.trimEnd().split("\n");
      expect(printed.map((text) => JSON.parse(text)[1])).toEqual([11, 12]);
    }
  });
});
