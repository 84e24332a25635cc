import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { KeyRing, type KeyRingDeps } from "./key-ring.ts";
import { type KeyOwner, KeyTable } from "./key-table.ts";

const OWNER: KeyOwner = { id: "p1", handle: "swift-otter", createdAt: "2026-11-24T12:00:00.000Z" };

type Change = "swap" | "offer" | "promote" | "revoke";
const REFUSED = { fault: "unauthorized" };
const AWAY = { fault: "unavailable" };

/** How a change in D1 may go wrong. */
type Trouble =
  /** It does not happen. */
  | "fails"
  /** It happens, and the answer is lost. */
  | "is not answered";

beforeEach(() => {
  for (const level of ["error", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A person `p1` with the key `a` in D1, and their ring, which a crash opens anew from what is stored. */
async function setUp(overrides: Partial<KeyRingDeps> = {}) {
  const d1 = new TestD1();
  const table = new KeyTable(d1);
  await table.insert(OWNER, "a");
  const storage = new TestKeyValues();
  const world = {
    trouble: undefined as Trouble | undefined,
    /** Called before D1 is asked, and waited for. */
    before: async (_: string): Promise<void> => undefined,
    ended: [] as (string | undefined)[],
    pointed: [] as string[],
    rotations: 0,
    given: 0,
  };
  const inTrouble = async <T>(name: string, change: () => Promise<T>): Promise<T> => {
    await world.before(name);
    if (world.trouble === "fails") throw new Error("D1_ERROR: database is locked");
    const done = await change();
    if (world.trouble === "is not answered" && name !== "keysOf") throw new Error("D1_ERROR: Network connection lost.");
    return done;
  };
  const open = () =>
    new KeyRing({
      id: "p1",
      storage,
      now: () => Date.parse("2026-11-25T12:00:00.000Z"),
      table: {
        keysOf: (id) => inTrouble("keysOf", () => table.keysOf(id)),
        swap: (...args) => inTrouble("swap", () => table.swap(...args)),
        offer: (...args) => inTrouble("offer", () => table.offer(...args)),
        promote: (...args) => inTrouble("promote", () => table.promote(...args)),
        revoke: (...args) => inTrouble("revoke", () => table.revoke(...args)),
      },
      point: async (hash) => void world.pointed.push(hash),
      inherit: async () => undefined,
      takeRotation: () => {
        world.rotations++;
        return { giveBack: () => void world.given++ };
      },
      ended: async (hash) => void world.ended.push(hash),
      ...overrides,
    });
  return { d1, table, storage, world, open };
}

const isAccepted = async (ring: KeyRing, hash: string): Promise<boolean> => !isFault(await ring.identify(hash));

/** Which of `hashes` are accepted. A key that is offered ends the other one by it, so each is asked of a copy. */
async function validKeys(table: KeyTable, hashes: readonly string[]): Promise<string[]> {
  const keys = await table.keysOf("p1");
  return hashes.filter((hash) => !keys?.revoked && (keys?.current === hash || keys?.next === hash));
}

describe("a person's key", () => {
  it("is accepted by what D1 says, once, and then without D1, also after a crash", async () => {
    const { d1, world, open } = await setUp();
    const ring = open();
    expect([ring.holds("a"), await ring.identify("a"), ring.holds("a")]).toEqual([false, OWNER, true]);
    expect(world.pointed).toEqual(["a"]);
    d1.trouble = "away";
    expect(await ring.identify("a")).toEqual(OWNER);
    expect(await open().identify("a")).toEqual(OWNER);
    expect(world.pointed).toEqual(["a"]);
  });

  it("that is another's or nobody's is refused, and can't be checked while only D1 knows", async () => {
    const { open } = await setUp();
    expect(await open().identify("x")).toMatchObject(REFUSED);
    const { world, open: openAway } = await setUp();
    world.trouble = "fails";
    expect(await openAway().identify("a")).toMatchObject(AWAY);
  });

  it("is accepted although its pointer can't be written, which is tried again", async () => {
    const tries: string[] = [];
    const { open } = await setUp({
      point: async (hash) => {
        tries.push(hash);
        if (tries.length === 1) throw new Error("Network connection lost.");
      },
    });
    const ring = open();
    for (let use = 0; use < 3; use++) expect(await ring.identify("a")).toEqual(OWNER);
    expect(tries).toEqual(["a", "a"]);
  });

  it("is still asked about after a question that has failed", async () => {
    const { open } = await setUp({
      takeRotation: () => {
        throw new Error("The object's storage is full.");
      },
    });
    const ring = open();
    const asked = [ring.offer("a", "b"), ring.identify("a"), ring.identify("x")];
    expect(await Promise.allSettled(asked)).toMatchObject([
      { status: "rejected" },
      { status: "fulfilled", value: OWNER },
      { status: "fulfilled", value: REFUSED },
    ]);
  });

  it("of the first version is taken over, without D1", async () => {
    const { d1, open, storage } = await setUp({ inherit: async (hash) => (hash === "a" ? OWNER : undefined) });
    d1.trouble = "away";
    expect(await open().identify("a")).toEqual(OWNER);
    expect(storage.get("keys")).toMatchObject({ version: 1, keys: { owner: OWNER, current: "a" }, pointed: "a" });
    const late = open();
    expect([await late.identify("x"), await late.identify("a")]).toMatchObject([REFUSED, OWNER]);
  });

  it("of the first version that was revoked there stays so, and the person's other key does not suffer", async () => {
    const { table, open } = await setUp({ inherit: async (hash) => (hash === "old" ? "revoked" : undefined) });
    const ring = open();
    expect([await ring.identify("old"), await ring.identify("a")]).toMatchObject([REFUSED, OWNER]);
    expect(await validKeys(table, ["a"])).toEqual(["a"]);
  });
});

describe("a revocation", () => {
  it("ends every key, for good, and tells so", async () => {
    const { open, world, table } = await setUp();
    const ring = open();
    await ring.offer("a", "b");
    expect(await ring.revoke("a")).toBeUndefined();
    expect(world.ended).toEqual([undefined]);
    for (const after of [ring, open()]) {
      expect([await after.identify("a"), await after.identify("b"), after.isRevoked]).toMatchObject([
        REFUSED,
        REFUSED,
        true,
      ]);
    }
    expect(await ring.revoke("a")).toMatchObject(REFUSED);
    expect(await validKeys(table, ["a", "b"])).toEqual([]);
  });

  it("is not overwritten by an answer of D1 that was under way when it came", async () => {
    const { open, world } = await setUp();
    let answer: (() => void) | undefined;
    // D1 has read the row before the revocation, and says so afterwards.
    world.before = (name) => (name === "keysOf" ? new Promise((resolve) => (answer = resolve)) : Promise.resolve());
    const ring = open();
    const identified = ring.identify("a");
    const revoked = ring.revoke("a");
    await expect.poll(() => answer).toBeDefined();
    answer?.();
    expect(await revoked).toBeUndefined();
    await identified;
    expect([await ring.identify("a"), ring.holds("a")]).toMatchObject([REFUSED, false]);
    expect(await open().identify("a")).toMatchObject(REFUSED);
  });

  it("that D1 does not take changes nothing", async () => {
    const { open, world } = await setUp();
    const ring = open();
    await ring.identify("a");
    world.trouble = "fails";
    expect(await ring.revoke("a")).toMatchObject(AWAY);
    for (const after of [ring, open()]) expect(await after.identify("a")).toEqual(OWNER);
    world.trouble = undefined;
    expect(await open().identify("a")).toEqual(OWNER);
    expect(world.ended).toEqual([]);
  });

  it("that D1 takes without an answer holds as soon as D1 is asked again", async () => {
    const { open, world } = await setUp();
    const ring = open();
    await ring.identify("a");
    world.trouble = "is not answered";
    expect(await ring.revoke("a")).toMatchObject(AWAY);
    expect(await ring.identify("a")).toMatchObject(REFUSED);
    expect(world.ended).toEqual([undefined]);
  });
});

describe("a rotation to a key of the client's", () => {
  it("is one swap: the new key is valid, the old one over, and sockets of the old one are told of it", async () => {
    const { open, world, table } = await setUp();
    const ring = open();
    expect(await ring.swap("a", "b")).toEqual(OWNER);
    expect(world.ended).toEqual(["a"]);
    expect([await ring.identify("a"), await ring.identify("b")]).toMatchObject([REFUSED, OWNER]);
    expect(await validKeys(table, ["a", "b"])).toEqual(["b"]);
  });

  it("is answered again when it is repeated with either key, also after a crash, and counts once", async () => {
    const { open, world } = await setUp();
    const ring = open();
    await ring.swap("a", "b");
    for (const again of [ring, open()]) {
      expect(await again.swap("a", "b")).toEqual(OWNER);
      expect(await again.swap("b", "b")).toEqual(OWNER);
      expect(await again.swap("a", "c")).toMatchObject(REFUSED);
      expect(await again.swap("x", "b")).toMatchObject(REFUSED);
    }
    expect(world.rotations).toBe(1);
  });

  it("whose answer D1 loses has happened or not, and repeating it settles that", async () => {
    for (const trouble of ["fails", "is not answered"] as const) {
      for (const crash of [true, false]) {
        const { open, world, table } = await setUp();
        const ring = open();
        await ring.identify("a");
        world.trouble = trouble;
        expect(await ring.swap("a", "b")).toMatchObject(AWAY);
        expect(world.given).toBe(1);
        expect(await validKeys(table, ["a", "b"])).toHaveLength(1);
        world.trouble = undefined;
        expect(await (crash ? open() : ring).swap("a", "b")).toEqual(OWNER);
        expect(await validKeys(table, ["a", "b"])).toEqual(["b"]);
        expect(world.ended).toEqual(["a"]);
      }
    }
  });

  it("to a key that another person has is refused, and the old key goes on", async () => {
    const { open, table } = await setUp();
    await table.insert({ ...OWNER, id: "p2", handle: "calm-heron" }, "c");
    await table.offer("p2", "c", "d");
    const ring = open();
    for (const taken of ["c", "d"]) expect(await ring.swap("a", taken)).toMatchObject({ fault: "conflict" });
    expect(await ring.identify("a")).toEqual(OWNER);
  });

  it("beyond the day's is refused, and the old key goes on", async () => {
    const refusal: Fault = fault("rate_limited", "At most 10 rotations of a key in 24 hours.", 60);
    const { open } = await setUp({ takeRotation: () => refusal });
    const ring = open();
    expect([await ring.swap("a", "b"), await ring.offer("a", "b"), await ring.identify("a")]).toEqual([
      refusal,
      refusal,
      OWNER,
    ]);
  });
});

describe("a rotation to a key of the server's", () => {
  it("leaves both valid until the new one is first used, which ends the old one", async () => {
    const { open, world } = await setUp();
    const ring = open();
    expect(await ring.offer("a", "b")).toEqual(OWNER);
    expect([await ring.identify("a"), world.ended]).toEqual([OWNER, []]);
    expect([await ring.identify("b"), world.ended]).toEqual([OWNER, ["a"]]);
    for (const after of [ring, open()])
      expect([await after.identify("a"), await after.identify("b")]).toMatchObject([REFUSED, OWNER]);
  });

  it("asked for again takes the place of what was offered and not used", async () => {
    const { open } = await setUp();
    const ring = open();
    await ring.offer("a", "b");
    await ring.offer("a", "c");
    expect([await ring.identify("b"), await ring.identify("a"), await ring.identify("c")]).toMatchObject([
      REFUSED,
      OWNER,
      OWNER,
    ]);
  });

  it("that D1 does not take counts as none", async () => {
    const { open, world } = await setUp();
    world.trouble = "fails";
    const ring = open();
    expect(await ring.offer("a", "b")).toMatchObject(AWAY);
    world.trouble = undefined;
    await ring.identify("a");
    world.trouble = "fails";
    expect(await ring.offer("a", "b")).toMatchObject(AWAY);
    expect([world.rotations, world.given]).toEqual([1, 1]);
  });

  it("is withdrawn by a swap to a key of the client's", async () => {
    const { open } = await setUp();
    const ring = open();
    await ring.offer("a", "b");
    expect(await ring.swap("a", "c")).toEqual(OWNER);
    for (const after of [ring, open()])
      expect([await after.identify("b"), await after.identify("c")]).toMatchObject([REFUSED, OWNER]);
  });

  it("lets the old one go on while D1 can't record the first use of the new one", async () => {
    const { open, world } = await setUp();
    const ring = open();
    await ring.offer("a", "b");
    world.trouble = "fails";
    expect([await ring.identify("b"), await ring.identify("a"), await ring.identify("b")]).toMatchObject([
      AWAY,
      OWNER,
      AWAY,
    ]);
    world.trouble = undefined;
    expect([await ring.identify("b"), await ring.identify("a")]).toMatchObject([OWNER, REFUSED]);
    expect(world.ended).toEqual(["a"]);
  });

  it("whose first use D1 takes without an answer ends the old one as soon as D1 is asked again", async () => {
    for (const crash of [true, false]) {
      const { open, world } = await setUp();
      const ring = open();
      await ring.offer("a", "b");
      world.trouble = "is not answered";
      expect(await ring.identify("b")).toMatchObject(AWAY);
      world.trouble = undefined;
      const after = crash ? open() : ring;
      expect([await after.identify("a"), await after.identify("b")]).toMatchObject([REFUSED, OWNER]);
      expect(world.ended).toEqual(["a"]);
    }
  });
});

it("whatever happens to rotations, the person has a valid key that they hold, and D1 and the ring agree", async () => {
  const step = fc.record({
    what: fc.constantFrom<Change | "use" | "repeat">("swap", "swap", "offer", "use", "use", "repeat"),
    trouble: fc.constantFrom<Trouble | "crash" | undefined>(undefined, undefined, "fails", "is not answered", "crash"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { open, world, table } = await setUp();
      let ring = open();
      /** What the client has in its hands, newest last. A key of the server's only once the answer has come. */
      const held = ["a"];
      let made = 0;
      let lastSwap: [string, string] | undefined;
      for (const { what, trouble } of steps) {
        world.trouble = trouble === "crash" ? "is not answered" : trouble;
        const old = held[0] as string;
        if (what === "swap" || (what === "repeat" && lastSwap)) {
          const [from, to] = what === "swap" ? [held.at(-1) as string, `k${++made}`] : (lastSwap as [string, string]);
          if (what === "swap") held.push(to);
          lastSwap = [from, to];
          const answer = await ring.swap(from, to);
          if (!isFault(answer)) held.splice(0, held.length, to);
        } else if (what === "offer") {
          const next = `k${++made}`;
          const answer = await ring.offer(old, next);
          if (!isFault(answer)) held.push(next);
        } else if (what === "use") await ring.identify(held.at(-1) as string);
        if (trouble === "crash") ring = open();
        world.trouble = undefined;
        const valid = await validKeys(table, held);
        expect(valid).not.toEqual([]);
        expect(world.ended.filter((hash) => hash === undefined)).toEqual([]);
      }
      // What is offered is tried last: its first use ends the others.
      const accepted: string[] = [];
      for (const hash of held) if (await isAccepted(open(), hash)) accepted.push(hash);
      expect(accepted.length).toBeGreaterThan(0);
      expect(await validKeys(table, accepted)).toContain(accepted.at(-1));
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  );
});
