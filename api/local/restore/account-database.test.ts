/** A restore into a Cloudflare account, whose API is played by a server that answers as its documentation says. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addPart, said } from "../../../test/unit/backup-files.ts";
import { CloudflareApi } from "../../../test/unit/cloudflare-api.ts";
import { storedMessages } from "../../../test/unit/packs.ts";
import type { DirectoryRecord, RoomRow } from "../../format/records.ts";
import { writeDirectoryFile } from "../backup/directory-file.ts";
import { roomPath } from "../backup/room-file.ts";
import { type AccountOptions, openDatabase } from "../remote/account.ts";
import { DayIsOver } from "../remote/d1-over-http.ts";
import { AccountDatabase } from "./account-database.ts";
import { type RestoreReport, restore } from "./restore.ts";

const DAY = Date.parse("2026-11-26T18:30:00Z");
const CREATED = "2026-01-03T10:00:00.000Z";
const MESSAGES = 3_500;

let folder: string;
let api: CloudflareApi;
/** Rows written today, over the runs. */
let written: string | undefined;
let pepper: string | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-restore-remote-"));
  mkdirSync(join(folder, "rooms"));
  for (const room of ["den", "lobby"]) {
    const identity = { id: room, createdAt: CREATED, epoch: `epoch-${room}` };
    await addPart(roomPath(folder, room), identity, ...Array.from({ length: MESSAGES }, (_, index) => said(index + 1)));
  }
  await writeDirectory("the-pepper");
  api = await CloudflareApi.start(DAY);
  written = undefined;
  pepper = await secret("guest_pepper");
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const row = (id: string): RoomRow => ({
  ...{ type: "room", id, name: `The ${id}`, topic: "", listed: true, owner: id === "den" ? "k1" : null },
  ...{ createdAt: CREATED, settings: { guests: "read" }, revision: 3, epoch: `epoch-${id}`, lastSeq: MESSAGES },
});

async function writeDirectory(withPepper: string | undefined, complete = true): Promise<void> {
  async function* records(): AsyncGenerator<DirectoryRecord> {
    if (withPepper !== undefined) yield { type: "secret", name: "guest_pepper", value: withPepper };
    yield {
      ...{ type: "key", id: "k1", hash: "a".repeat(64), handle: "swift-otter", createdAt: CREATED },
      ...{ lastUsed: null, revokedAt: null, nextHash: null },
    };
    yield row("den");
    yield row("lobby");
  }
  await writeDirectoryFile(folder, complete, records());
}

async function run(changes: Partial<AccountOptions> = {}): Promise<RestoreReport> {
  const store = {
    load: () => written,
    save(text: string) {
      written = text;
    },
  };
  const db = await openDatabase({ ...api.account, ...changes }, store);
  const place = new AccountDatabase(db, "meet-ai");
  return restore({ folder, place, allowsIncomplete: false, progress: () => undefined });
}

/** A run of which some requests arrive, and then none. */
async function cutOffMidway(): Promise<void> {
  const cut = Array.from({ length: 9 }, () => "cut" as const);
  api.troubles = [...Array.from({ length: 9 }, () => "none" as const), ...cut];
  await expect(run()).rejects.toThrow(/^D1_ERROR: the API does not answer/);
  api.troubles = [];
  expect((await all("SELECT 1 FROM packs")).length).toBeGreaterThan(0);
}

const all = async (query: string) => (await api.db.prepare(query).all<Record<string, unknown>>()).results;
const secret = async (name: string) =>
  (await api.db.prepare("SELECT value FROM secrets WHERE name = ?").bind(name).first<{ value: string }>())?.value;
const lobbyMade = async () => String((await all("SELECT created_at FROM rooms WHERE id = 'lobby'"))[0]?.created_at);

const wordsOf = async (room: string) => (await storedMessages(api.db, room)).map(({ content }) => content);

async function expectAll(): Promise<void> {
  const words = Array.from({ length: MESSAGES }, (_, index) => `words ${index + 1}`);
  expect([await wordsOf("den"), await wordsOf("lobby")]).toEqual([words, words]);
  expect(await all("SELECT id, name, created_by, settings, last_seq, epoch FROM rooms ORDER BY id")).toEqual([
    {
      id: "den",
      name: "The den",
      created_by: "k1",
      settings: '{"guests":"read"}',
      last_seq: MESSAGES,
      epoch: "epoch-den",
    },
    {
      ...{ id: "lobby", name: "The lobby", created_by: null, settings: '{"guests":"read"}' },
      last_seq: MESSAGES,
      epoch: "epoch-lobby",
    },
  ]);
  expect(await all("SELECT id, handle FROM api_keys")).toEqual([{ id: "k1", handle: "swift-otter" }]);
  expect(await all("SELECT name, value FROM secrets")).toEqual([{ name: "guest_pepper", value: "the-pepper" }]);
}

describe("a restore into a Cloudflare account", () => {
  it("brings everything there, and leaves no mark", async () => {
    expect(await run()).toEqual({ keys: 1, rooms: 2, messages: 2 * MESSAGES, torn: [] });
    await expectAll();
  });

  it("makes another lobby of the one that is there, which may know itself, and keeps other rooms' times", async () => {
    const before = await lobbyMade();
    await run();
    expect(Date.parse(await lobbyMade())).toBe(Date.parse(before) + 1);
    expect(await all("SELECT created_at FROM rooms WHERE id = 'den'")).toEqual([{ created_at: CREATED }]);
  });

  it("lets nobody into a room until all is there: without a pepper the Worker refuses", async () => {
    await cutOffMidway();
    expect(await secret("guest_pepper")).toBe(undefined);
    await run();
    await expectAll();
  });

  it("has the pepper of before again where the backup has none", async () => {
    await writeDirectory(undefined);
    await cutOffMidway();
    await run();
    expect(await all("SELECT name, value FROM secrets")).toEqual([{ name: "guest_pepper", value: pepper }]);
  });

  it("stops before the rows of a day are used up, and goes on on the next", async () => {
    let made: string | undefined;
    const days: number[] = [];
    for (; ; api.now += 86_400_000) {
      const before = await api.rows();
      const error = await run({ rowsADay: 1_120 }).then(
        () => undefined,
        (error: Error) => error,
      );
      days.push((await api.rows()) - before);
      made ??= await lobbyMade();
      expect(await lobbyMade()).toBe(made);
      if (!error) break;
      expect(error).toBeInstanceOf(DayIsOver);
    }
    expect(days.length).toBeGreaterThan(1);
    expect(Math.max(...days)).toBeLessThanOrEqual(1_120);
    await expectAll();
  });

  it("goes on after any number of troubles, at each of its steps, and writes nothing twice", async () => {
    const asked = api.requests.length;
    await run();
    const steps = api.requests.length - asked;
    await api[Symbol.asyncDispose]();
    for (let step = 0; step < steps - 1; step += 2) {
      api = await CloudflareApi.start(DAY);
      const last = step % 4 === 0 ? ("lost answer" as const) : ("cut" as const);
      const troubles = [...Array.from({ length: step }, () => "none" as const), last];
      api.troubles = [...troubles, ...Array.from({ length: 9 }, () => "cut" as const)];
      await expect(run()).rejects.toThrow(/^D1_ERROR: the API does not answer/);
      api.troubles = [];
      // Where only the last answer was lost, all of it is there.
      await run().catch((error: Error) => expect(error.message).toMatch(/is not empty, it has keys/));
      await expectAll();
      await api[Symbol.asyncDispose]();
    }
    api = await CloudflareApi.start(DAY);
  });
});

describe("an account is refused, in one line, and nothing is changed", () => {
  const refused = async (line: RegExp, changes: Partial<AccountOptions> = {}) => {
    const before = [await api.rows(), await all("SELECT * FROM secrets")];
    await expect(run(changes)).rejects.toThrow(line);
    await expect(run(changes)).rejects.not.toThrow(/\n/);
    expect([await api.rows(), await all("SELECT * FROM secrets")]).toEqual(before);
  };

  it.each([
    ["keys", "INSERT INTO api_keys (id, key_hash, handle, created_at) VALUES ('k', 'hash', 'anna', '2026')"],
    ["rooms", "INSERT INTO rooms (id, name, created_at) VALUES ('zoo', 'Zoo', '2026')"],
    ["rooms", "UPDATE rooms SET revision = 2"],
    ["messages", "UPDATE rooms SET last_seq = 1"],
  ])("when D1 has %s already (%s)", async (content, statement) => {
    await api.db.prepare(statement).all();
    await refused(
      new RegExp(`^meet-ai on Cloudflare is not empty, it has ${content}: a restore needs an empty database`),
    );
  });

  it("when everything was restored there before", async () => {
    await run();
    await refused(/is not empty, it has keys/);
  });

  it("when a restore of another backup was cut off there", async () => {
    await cutOffMidway();
    await writeDirectory("another-pepper");
    await refused(
      /^A restore of another backup into meet-ai on Cloudflare was cut off: restore that one, or delete the database/,
    );
  });

  it("when the token is wrong, the backup is not complete, or the tables are not there", async () => {
    await refused(/^The account does not accept the token/, { token: "wrong" });
    await writeDirectory("the-pepper", false);
    await refused(/was cut off: run npm run backup again, or restore what it has with --incomplete\.$/);
  });
});
