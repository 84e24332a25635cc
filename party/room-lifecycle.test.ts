import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openLog } from "../test/unit/entries.ts";
import { TestKeyValues } from "../test/unit/key-values.ts";
import { TestD1, TestStorage, text } from "../test/unit/sqlite.ts";
import { QUERY_WITHIN } from "./archive/bounded-database.ts";
import { pack } from "./archive/pack.ts";
import { Audience } from "./audience/audience.ts";
import { FakeLog, NO_AGENTS } from "./audience/fake-room.ts";
import { Leases } from "./limits/leases.ts";
import type { OpenRoom } from "./open-room.ts";
import { isFault, type RoomInfo } from "./protocol.ts";
import { RecordStore } from "./record-store.ts";
import { RoomLifecycle } from "./room-lifecycle.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "./room-record.ts";
import { RoomStorage } from "./storage/room-storage.ts";
import type { Outcome } from "./writes/entry.ts";

const PERSON = { sender: "swift-otter", principal: "person:p1", keyId: "p1", keyHash: "a" };

let db: TestD1;
let storage: TestStorage;
let parts: RoomStorage;
let kv: TestKeyValues;
/** The wipe waits for this. */
let gate: Promise<void>;
let lifecycle: RoomLifecycle;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  db = new TestD1();
  storage = new TestStorage();
  parts = new RoomStorage(storage);
  kv = new TestKeyValues();
  gate = Promise.resolve();
  lifecycle = new RoomLifecycle({
    id: "lobby",
    room: roomDeps(),
    wipe,
    replaced: () => undefined,
    ended: () => undefined,
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function roomDeps() {
  const audience = new Audience({
    now: Date.now,
    sockets: () => [],
    listed: () => [],
    lastPing: () => undefined,
    log: new FakeLog(),
    told: { room: () => ({}) as RoomInfo, drafts: () => [], draftsVersion: () => 0 },
    presenceChanged: () => undefined,
    left: () => undefined,
    agents: NO_AGENTS,
    wakeIn: () => undefined,
    schedule: () => undefined,
  });
  return {
    now: Date.now,
    schedule: (delay: number, run: () => void) => {
      const timer = setTimeout(run, delay);
      return () => clearTimeout(timer);
    },
    storage: parts,
    records: new RecordStore(kv),
    stored: () => ({ bytes: 0, limit: undefined }),
    db,
    audience,
    leases: new Leases("lobby", () => "question"),
    ask: async () => ({ granted: 1, retryAfter: 0, quota: { limit: 60, remaining: 59, window: 60 } }),
    keepAlive: () => undefined,
    wakeIn: () => undefined,
    archiveDelay: 10_000,
    copiesPerSecond: 1_000,
    keepDays: 0,
    perMinute: { guest: 5, key: 60 },
    keyHasEnded: () => false,
    personExists: async () => true,
    lobbyRules: { slow: 0, hold: "nobody" as const, links: "anyone" as const },
    makeRoom: async (record: RoomRecord) => record,
    gone: async () => undefined,
  };
}

/** Removes all that is stored, after `gate`. */
async function wipe(): Promise<void> {
  await gate;
  for (const table of tables()) storage.sql.exec(`DROP TABLE ${table}`);
  parts.wiped();
  kv.delete("room");
}

const tables = (): string[] => {
  const query = "SELECT name FROM sqlite_master WHERE type = 'table'";
  return storage.sql
    .exec<{ name: string }>(query)
    .toArray()
    .map(({ name }) => name);
};

/** The row of the lobby, or of a room that has its id so many ms later. */
function recordOf(later = 0, lastSeq = 0): RoomRecord {
  return {
    id: "lobby",
    name: "Lobby",
    topic: "",
    listed: true,
    access: "open",
    createdByHandle: null,
    createdBy: null,
    createdAt: new Date(Date.parse(db.createdAt) + later).toISOString(),
    settings: DEFAULT_SETTINGS,
    revision: 1,
    lastSeq,
    epoch: null,
    lastMessageAt: null,
    firstSeq: 1,
    goneBefore: null,
    knownKeepDays: 0,
    guestPepper: "pepper",
  };
}

async function opened(record: RoomRecord): Promise<OpenRoom> {
  const room = await lifecycle.open(record);
  if (isFault(room)) throw new Error(room.message);
  return room;
}

describe("a room that ends (promise 6)", () => {
  it("is wiped before the next one of its id begins, which keeps what is said in it", async () => {
    await opened(recordOf());
    const wiping = Promise.withResolvers<void>();
    gate = wiping.promise;
    const ended = lifecycle.end();
    const next = opened(recordOf(1));
    wiping.resolve();
    await ended;
    const { epoch } = (await next).log;
    expect([openLog(storage).started, openLog(storage).epoch]).toEqual([true, epoch]);
  });

  it("while it is only about to begin begins no more, and nothing of it is stored", async () => {
    const message = { ...text("a-b", "m1"), seq: 1, at: Date.now() };
    db.rows("INSERT INTO packs VALUES ('lobby', 1, 1, 1, ?)", [await pack([message])]);
    const opening = lifecycle.open(recordOf(0, 1));
    await Promise.resolve();
    await lifecycle.end();
    expect(await opening).toMatchObject({ fault: "unavailable" });
    expect([lifecycle.room, tables(), kv.get("room")]).toEqual([undefined, [], undefined]);
    expect((await opened(recordOf(1))).state.head).toBe(0);
  });

  it("takes nothing more from a late caller, and leaves no timer", async () => {
    const room = await opened(recordOf());
    room.presenceChanged();
    await lifecycle.end();
    const told: Outcome[] = [];
    room.appending.append(PERSON, undefined, { id: "late", content: "late words" }, (outcome) => told.push(outcome));
    room.presenceChanged();
    expect(told).toMatchObject([{ fault: "unavailable" }]);
    await room.followers.run();
    expect([vi.getTimerCount(), tables(), db.messages]).toEqual([0, [], []]);
  });
});

describe("a room that ends because nothing is said in it", () => {
  const LONG_AGO = "2020-01-01T00:00:00.000Z";
  let now: number;

  beforeEach(async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    now = Date.now();
    db.rows(`INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '${LONG_AGO}')`);
    lifecycle = start();
    const ending = { days: 1, since: LONG_AGO };
    await opened({ ...recordOf(), id: "den", createdAt: LONG_AGO, settings: { ...DEFAULT_SETTINGS, ending } });
  });

  /** The object, as it begins from what is stored. */
  const start = () =>
    new RoomLifecycle({
      ...{ id: "den", room: { ...roomDeps(), now: () => now }, wipe },
      ...{ replaced: () => undefined, ended: () => undefined },
    });

  const said = async (id: string) => {
    const outcome = Promise.withResolvers<Outcome>();
    lifecycle.room?.appending.append(PERSON, undefined, { id, content: "words" }, outcome.resolve);
    // Not as long as D1 has for an answer.
    await vi.advanceTimersByTimeAsync(1_000);
    return outcome.promise;
  };

  /** An alarm rings so many minutes later. */
  const ring = async (minutes: number) => {
    now += minutes * 60_000;
    return (await lifecycle.endIfGone()) || (await lifecycle.endIfSilent());
  };

  const UNAVAILABLE = { fault: "unavailable", retryAfter: 30 };

  it("takes no message from its last look on, and is gone with its row", async () => {
    const asked = Promise.withResolvers<void>();
    const batch = db.batch.bind(db);
    db.batch = async <Row>(statements: Parameters<typeof batch>[0]) => {
      await asked.promise;
      return batch<Row>(statements);
    };
    const ended = lifecycle.endIfSilent();
    expect(await said("m1")).toMatchObject(UNAVAILABLE);
    asked.resolve();
    expect(await ended).toBe(true);
    expect([lifecycle.room, db.rows("SELECT id FROM rooms WHERE id = 'den'")]).toEqual([undefined, []]);
  });

  it("takes none until D1 says whether its row is gone, over a restart, and goes on where it is there", async () => {
    db.trouble = "away";
    expect(await lifecycle.endIfSilent()).toBe(false);
    expect(await said("m1")).toMatchObject(UNAVAILABLE);
    lifecycle = start();
    for (const minutes of [0, 1, 60]) {
      expect(await ring(minutes)).toBe(false);
      expect(await said("m1")).toMatchObject(UNAVAILABLE);
    }
    db.trouble = undefined;
    expect(await lifecycle.endIfGone()).toBe(false);
    expect(await said("m1")).toMatchObject({ message: { seq: 1 } });
  });

  it("is gone where D1 has removed it and the answer was lost, and nothing was acknowledged meanwhile", async () => {
    db.trouble = "mute";
    expect(await lifecycle.endIfSilent()).toBe(false);
    db.trouble = undefined;
    expect(await said("m1")).toMatchObject(UNAVAILABLE);
    lifecycle = start();
    expect(await said("m1")).toMatchObject(UNAVAILABLE);
    expect([await ring(1), lifecycle.room]).toEqual([true, undefined]);
  });

  it("goes on for an hour where D1 takes no writes, and is the owner's to delete meanwhile", async () => {
    db.trouble = "read-only";
    expect(await lifecycle.endIfSilent()).toBe(false);
    lifecycle.prepareEnd();
    expect(await said("m1")).toMatchObject(UNAVAILABLE);
    expect(await ring(1)).toBe(false);
    expect(await lifecycle.endIfSilent()).toBe(false);
    expect(await said("m1")).toMatchObject({ message: { seq: 1 } });
  });
});

describe("a room that is opened", () => {
  it("does not begin while D1 can't say what it has, and does when it is asked for again", async () => {
    db.trouble = "away";
    expect(await lifecycle.open(recordOf(0, 1))).toMatchObject({ fault: "unavailable" });
    db.trouble = undefined;
    expect((await opened(recordOf(0, 1))).record).toMatchObject({ id: "lobby" });
  });
});

/** Not one of the fake timers. */
const realImmediate = setImmediate;

describe("a D1 that hangs", () => {
  it("holds up no copy for ever: the next one brings what was said", async () => {
    const room = await opened(recordOf());
    const said = Promise.withResolvers<Outcome>();
    room.appending.append(PERSON, undefined, { id: "m1", content: "one" }, said.resolve);
    await vi.runAllTimersAsync();
    expect(await said.promise).toMatchObject({ message: { seq: 1 } });
    db.trouble = "hung";
    /** Rings the alarm until it is so. A pack is compressed in real time, of which there may be little on a busy machine. */
    const ring = async (isSo: () => boolean) => {
      while (!isSo()) {
        void room.followers.run();
        await vi.advanceTimersByTimeAsync(QUERY_WITHIN);
        await new Promise<void>((resolve) => realImmediate(resolve));
      }
    };
    await ring(() => room.state.archive.failures === 1);
    expect(room.state.archive).toMatchObject({ lag: 1 });
    db.trouble = undefined;
    await ring(() => room.state.archive.lag === 0);
    expect(room.state.archive).toMatchObject({ failures: 0 });
    expect(db.messages).toMatchObject([{ content: "one" }]);
  });

  it("keeps nobody waiting who wants to come in", async () => {
    db.rows("UPDATE rooms SET last_seq = 1 WHERE id = 'lobby'");
    db.trouble = "hung";
    const opening = lifecycle.open(recordOf(0, 1));
    await vi.advanceTimersByTimeAsync(QUERY_WITHIN);
    expect(await opening).toMatchObject({ fault: "unavailable" });
  });
});
