/** The import of the previous server's file, as its user does it: a damaged file, killed, and the server started on it. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { RULES } from "../../api/local/import/rules.ts";
import type { Message } from "../../party/protocol.ts";
import { Random } from "../chaos/random.ts";
import { reaches, runImport } from "../import/command.ts";
import { compare, SoundMessages, unreadableRows } from "../import/imported.ts";
import { breakPages, garble, handleOf, hasWal, keyOf } from "../import/previous-file.ts";
import { Server } from "./server.ts";

const folder = mkdtempSync(join(tmpdir(), "meet-ai-import-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ACCOUNT = {
  CLOUDFLARE_API_TOKEN: "t",
  CLOUDFLARE_ACCOUNT_ID: "a",
  CLOUDFLARE_API_BASE_URL: "http://localhost:1",
};

const path = (name: string) => join(folder, name);
const report = (name: string) => JSON.parse(readFileSync(path(name), "utf8"));

/** Small, and with nothing wrong in it. */
function soundFile(name: string, rooms = 3): string {
  const options = { seed: 7, rooms, messages: 300, keys: 5, oneDamagedOf: 0 };
  SoundMessages.of(path(name), options);
  return path(name);
}

const history = async (server: Server, room: string, query: string): Promise<{ messages: Message[]; head: number }> =>
  (await fetch(`${server.url}/api/rooms/${room}/messages?${query}`)).json() as never;

const say = async (server: Server, room: string, content: string, key = keyOf(1)) => {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const answer = await fetch(`${server.url}/api/rooms/${room}/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ content }),
  });
  return { status: answer.status, message: (await answer.json()) as Message };
};

describe("a file with every kind of damage, and a WAL beside it", () => {
  it("is imported through kills, and each message that could be read is as it was and in its place", async () => {
    const seed = Number(process.env.IMPORT_SEED ?? 2_026);
    const random = new Random(seed);
    const [file, state] = [path("damaged.sqlite"), path("damaged")];
    const options = { seed, rooms: 40, messages: 10_000, keys: 20, oneDamagedOf: 20, withWal: true };
    const sound = SoundMessages.of(file, options);
    expect(hasWal(file)).toBe(true);
    const onBrokenPages = await breakPages(file, seed, 4);
    const before = readFileSync(file);

    for (const [phase, least, most] of [
      ["Reading", 1, 3],
      ["Reading", 4, 7],
      ["Writing", 1, 3],
      ["Writing", 4, 8],
    ] as const) {
      const killed = await runImport(state, [file], { killAt: reaches(phase, random.between(least, most)) });
      expect(killed.code).toBeNull();
    }
    // No room may be opened before all of it is there.
    await expect(Server.start({ stateDir: state })).rejects.toThrow(
      /An import into .* was cut off: run it again to go on/,
    );
    const { code, errors } = await runImport(state, [file, "--report", path("damaged.json")]);
    expect({ code, errors }).toEqual({ code: 3, errors: "" });

    const { findings, read, kinds } = report("damaged.json");
    const { wrong, lost } = await compare(state, sound, unreadableRows(findings));
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    expect(lost).toBeLessThanOrEqual(onBrokenPages);
    expect(findings.filter(({ kind }: { kind: string }) => kind === "unreadable-rows").length).toBeGreaterThan(0);
    expect(read.messages).toBeGreaterThan(sound.count - lost);
    // What is found is the same as without a kill.
    await runImport(path("elsewhere"), [file, "--dry-run", "--report", path("whole.json")]);
    expect({ kinds, read }).toEqual({ kinds: report("whole.json").kinds, read: report("whole.json").read });
    // Every kind but those that need other damage, or a server.
    const others = ["misplaced-row", "room-in-use", "room-woken"];
    expect(Object.keys(kinds).sort()).toEqual(
      Object.keys(RULES)
        .filter((kind) => !others.includes(kind))
        .sort(),
    );
    const rows = findings.map((finding: object) => JSON.stringify(finding));
    expect(rows.length).toBe(new Set(rows).size);
    // The original is as it was, and nothing else is left.
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(state)).not.toContain("import");

    const again = await runImport(state, [file]);
    expect(again.output).toContain("Imported   0 keys, 0 rooms, 0 messages");
    expect((await compare(state, sound, unreadableRows(findings))).wrong).toEqual([]);
  });

  it("whose bytes were overwritten anywhere is still imported as far as it can be", async () => {
    const [file, state] = [path("garbled.sqlite"), path("garbled")];
    SoundMessages.of(file, { seed: 5, rooms: 10, messages: 5_000, keys: 20, oneDamagedOf: 0 });
    await garble(file, 5, 40);
    const { code, errors } = await runImport(state, [file, "--report", path("garbled.json")]);
    expect({ code, errors }).toEqual({ code: 3, errors: "" });
    expect(report("garbled.json").written.messages).toBeGreaterThan(4_000);
  });
});

describe("a server on what was imported", () => {
  it("knows the keys, shows each room to its first message, and goes on from there", async () => {
    const [file, stateDir] = [soundFile("old.sqlite"), path("server")];
    const imported = await runImport(stateDir, [file]);
    expect({ code: imported.code, errors: imported.errors }).toEqual({ code: 0, errors: "" });
    expect(imported.output).toContain("Nothing was changed or left out.");
    await using server = await Server.start({ stateDir });
    for (let number = 1; number <= 5; number++) {
      const headers = { Authorization: `Bearer ${keyOf(number)}` };
      const me = await (await fetch(`${server.url}/api/keys/me`, { headers })).json();
      expect(me).toMatchObject({ handle: handleOf(number), createdAt: "2025-02-01T10:00:00.000Z" });
    }
    const { head, messages } = await history(server, "lobby", "limit=2");
    expect(messages.at(-1)?.seq).toBe(head);
    const { status, message } = await say(server, "lobby", "We have moved.");
    expect({ status, seq: message.seq, sender: message.sender }).toEqual({
      status: 201,
      seq: head + 1,
      sender: handleOf(1),
    });
    const all: Message[] = [];
    for (let before = head + 2; before > 1; before = all[0]?.seq as number) {
      all.unshift(...(await history(server, "lobby", `limit=40&before=${before}`)).messages);
    }
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: head + 1 }, (_, index) => index + 1));
    expect(all[0]?.createdAt.startsWith("2025-03-01")).toBe(true);
    await server.stop();

    // Done again it finds everything there, and leaves what has been said since.
    const again = await runImport(stateDir, [file]);
    expect(again.output).toContain("Was there  5 keys, 3 rooms, 300 messages");
    await server.start();
    expect((await history(server, "lobby", "limit=1")).messages[0]?.content).toBe("We have moved.");
  });

  it("keeps a room in which people have talked as it is, and takes over a lobby that was only opened", async () => {
    const file = soundFile("into.sqlite");
    await using server = await Server.start({ stateDir: path("talked") });
    await history(server, "lobby", "limit=1");
    const key = (await (await fetch(`${server.url}/api/keys`, { method: "POST" })).json()) as { key: string };
    const room = await fetch(`${server.url}/api/rooms`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key.key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ id: "room-2", name: "Mine" }),
    });
    expect(room.status).toBe(201);
    await say(server, "room-2", "This room is mine.", key.key);
    // Not only what D1 has heard of counts: this is as after a crash.
    await server.kill();

    const { code, output } = await runImport(server.stateDir, [file, "--report", path("into.json")]);
    expect({ code, output }).toEqual({ code: 3, output: expect.stringContaining("1 × room-in-use") });
    expect(report("into.json").findings).toEqual([
      { kind: "room-in-use", table: "rooms", room: "room-2", messages: expect.any(Number) },
    ]);
    await server.start();
    expect((await history(server, "room-2", "limit=9")).messages.map(({ content }) => content)).toEqual([
      "This room is mine.",
    ]);
    const lobby = await history(server, "lobby", "limit=1");
    expect(lobby.head).toBeGreaterThan(50);
    expect((await say(server, "lobby", "Hello")).message.seq).toBe(lobby.head + 1);
  });

  it("must be stopped first", async () => {
    const file = soundFile("running.sqlite");
    await using server = await Server.start();
    const { code, errors } = await runImport(server.stateDir, [file]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^Another server \(process \d+\) keeps its data in .*: stop it, or name another folder/);
  });
});

describe("what can't be imported", () => {
  const table = (name: string, sql: string) => {
    const db = new DatabaseSync(path(name));
    db.exec(sql);
    db.close();
    return path(name);
  };

  it.each([
    ["no file", () => [path("missing.sqlite")], /^There is no file .*missing\.sqlite\.$/],
    ["a folder", () => [folder], /is no file: name the SQLite file of the previous server\.$/],
    [
      "an empty file",
      () => {
        writeFileSync(path("empty"), "");
        return [path("empty")];
      },
      /is empty\.$/,
    ],
    [
      "another kind of file",
      () => {
        writeFileSync(path("text"), "Not a database at all, but a text of some length.");
        return [path("text")];
      },
      /is no SQLite file, or its first page is broken/,
    ],
    [
      "another program's database",
      () => [table("other.sqlite", "CREATE TABLE notes (id TEXT); CREATE TABLE rooms (id TEXT, name TEXT)")],
      /it lacks the table api_keys, the column rooms\.created_at, the table messages\.$/,
    ],
    ["two files", () => [soundFile("a.sqlite"), soundFile("b.sqlite")], /^Name one file/],
    [
      "a report nowhere",
      () => [soundFile("c.sqlite"), "--report", "/no/such/folder/r.json"],
      /^No report can be written/,
    ],
    ["a report into a folder", () => [soundFile("e.sqlite"), "--report", folder], /: that is a folder\.$/],
    ["an unknown option", () => [soundFile("d.sqlite"), "--dryrun"], /^Unknown option '--dryrun'/],
  ] as const)("%s: one line, and nothing has changed", async (_, args, line) => {
    const state = path("untouched");
    const { code, output, errors } = await runImport(state, [...args()]);
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors.trimEnd()).toMatch(line);
    expect(errors.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(state)).toBe(false);
  });
});

it("on a disk that takes no more the import ends with one line, and goes on when there is room", async () => {
  const [file, state] = [path("full.sqlite"), path("full")];
  const sound = SoundMessages.of(file, { seed: 11, rooms: 5, messages: 4_000, keys: 5, oneDamagedOf: 0 });
  // What has been read gets larger than the file itself, because it has indexes.
  const { code, errors } = await runImport(state, [file], { largestFile: statSync(file).size + 50_000 });
  expect({ code, errors }).toEqual({
    code: 1,
    errors: expect.stringMatching(/^The disk .*, and run this again to go on\.\n$/),
  });
  const again = await runImport(state, [file]);
  expect({ code: again.code, errors: again.errors }).toEqual({ code: 0, errors: "" });
  expect(await compare(state, sound, [])).toEqual({ wrong: [], lost: 0 });
});

it.each([
  ["without an account", ["--remote"], {}, /^--remote takes CLOUDFLARE_API_TOKEN/],
  ["that is not named", ["--remote"], { CLOUDFLARE_API_TOKEN: "t" }, /^--remote takes CLOUDFLARE_API_TOKEN/],
  [
    "with many rows",
    ["--remote", "--rows-a-day", "many"],
    ACCOUNT,
    /^--rows-a-day takes a whole number, not "many"\.$/,
  ],
] as const)("an import into an account %s: one line, and nothing has changed", async (_, args, env, line) => {
  const { code, output, errors } = await runImport(path("remote"), [soundFile("remote.sqlite"), ...args], { env });
  expect({ code, output }).toEqual({ code: 1, output: "" });
  expect(errors.trimEnd()).toMatch(line);
  expect(existsSync(path("remote"))).toBe(false);
});

it("a dry run says what would come of it, and writes nothing", async () => {
  const [file, state] = [path("dry.sqlite"), path("dry")];
  SoundMessages.of(file, { seed: 3, rooms: 5, messages: 1_000, keys: 5, oneDamagedOf: 20 });
  const { code, output } = await runImport(state, [file, "--dry-run", "--report", path("dry.json")]);
  expect(code).toBe(3);
  expect(output).toContain("Nothing was written (--dry-run).");
  expect(existsSync(state)).toBe(false);
  const dry = report("dry.json");
  await runImport(state, [file, "--report", path("real.json")]);
  const real = report("real.json");
  expect({ written: dry.written, kinds: dry.kinds }).toEqual({ written: real.written, kinds: real.kinds });
});
