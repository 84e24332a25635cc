import { beforeEach, describe, expect, it, vi } from "vitest";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { KeyDirectory, OTHER_WORKERS } from "./key-directory.ts";
import { KeyTable, PERSON_OF } from "./key-table.ts";

const OWNER = { id: "p1", handle: "swift-otter", createdAt: "2026-11-24T12:00:00.000Z" };
const ADDRESS = "192.0.2.1";

/** A directory before a D1 that has the key `a` of `p1`, and pointers that have what a test puts there. */
async function setUp() {
  const d1 = new TestD1();
  const table = new KeyTable(d1);
  await table.insert(OWNER, "a");
  const clock = { now: 1_800_000_000_000 };
  const pointers = new Map<string, string>();
  const asked = { d1: [] as string[], pointers: [] as string[] };
  const sources = {
    table: {
      personOf: (hash: string) => {
        asked.d1.push(hash);
        return table.personOf(hash);
      },
    },
    pointer: async (hash: string) => {
      asked.pointers.push(hash);
      return pointers.get(hash);
    },
  };
  const directory = new KeyDirectory(() => clock.now);
  const find = (hash: string, address = ADDRESS) => directory.find(hash, address, sources);
  return { d1, table, clock, pointers, asked, find };
}

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

describe("a key", () => {
  it("is found in D1 once, and then remembered", async () => {
    const { find, asked } = await setUp();
    expect([await find("a"), await find("a"), await find("a", "192.0.2.2")]).toEqual(["p1", "p1", "p1"]);
    expect(asked).toEqual({ d1: ["a"], pointers: [] });
  });

  it("is found by its own index, also one that was offered, without looking at other rows", async () => {
    const { d1, table, find } = await setUp();
    await table.offer("p1", "a", "b");
    expect(await find("b")).toBe("p1");
    const plan = d1.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${PERSON_OF}`, ["a"]).map(({ detail }) => detail);
    expect(plan.filter((detail) => detail.startsWith("SCAN"))).toEqual([]);
    expect(plan.filter((detail) => detail.startsWith("SEARCH"))).toHaveLength(2);
  });

  it("that is revoked or not there is refused, and no object is asked", async () => {
    const { table, find, asked } = await setUp();
    await table.revoke("p1", "a", "2026-11-25T12:00:00.000Z");
    expect([await find("a"), await find("x")]).toMatchObject([{ fault: "unauthorized" }, { fault: "unauthorized" }]);
    expect(asked.pointers).toEqual([]);
  });
});

describe("keys that do not exist", () => {
  it("are looked up so often for an address, and no other address pays for it", async () => {
    const { find, asked, clock } = await setUp();
    const answers = await Promise.all(Array.from({ length: 1_100 }, (_, n) => find(`x${n}`)));
    expect(answers.filter((answer) => typeof answer !== "string" && answer.fault === "unauthorized")).toHaveLength(
      1_000,
    );
    expect(asked.d1).toHaveLength(1_000);
    expect(await find("a")).toMatchObject({ fault: "rate_limited", retryAfter: 10 });
    expect(await find("a", "192.0.2.2")).toBe("p1");
    // What is remembered costs nothing, and is not refused.
    expect(await find("a")).toBe("p1");
    clock.now += 1_000;
    expect([await find("y"), await find("y"), await find("y")]).toMatchObject([
      { fault: "unauthorized" },
      { fault: "unauthorized" },
      { fault: "rate_limited" },
    ]);
  });

  it("do not count where keys exist: a crowd that comes back at once gets in", async () => {
    const { table, find } = await setUp();
    for (let n = 0; n < 1_500; n++) await table.insert({ ...OWNER, id: `q${n}`, handle: `h-${n}` }, `k${n}`);
    for (let n = 0; n < 1_500; n += 500) {
      const found = await Promise.all(Array.from({ length: 500 }, (_, index) => find(`k${n + index}`)));
      expect(found).toEqual(Array.from({ length: 500 }, (_, index) => `q${n + index}`));
    }
  });

  it("from other people's Workers, which share one address, do not keep the others out", async () => {
    const { find } = await setUp();
    for (let n = 0; n < 1_100; n++) await find(`x${n}`, OTHER_WORKERS);
    expect(await find("a", OTHER_WORKERS)).toBe("p1");
  });
});

describe("while D1 is away", () => {
  it("a key is found by its pointer, once, and one without a pointer can't be checked", async () => {
    const { d1, pointers, find, asked } = await setUp();
    d1.trouble = "away";
    pointers.set("a", "p1");
    expect([await find("a"), await find("a")]).toEqual(["p1", "p1"]);
    expect(await find("x")).toMatchObject({ fault: "unavailable", retryAfter: 5 });
    expect(asked.pointers).toEqual(["a", "x"]);
  });

  it("a crowd behind one address, each with a key that has its pointer, gets in", async () => {
    const { d1, pointers, find } = await setUp();
    d1.trouble = "away";
    for (let n = 0; n < 500; n++) pointers.set(`k${n}`, `q${n}`);
    const found: unknown[] = [];
    for (let n = 0; n < 500; n += 100) {
      found.push(...(await Promise.all(Array.from({ length: 100 }, (_, index) => find(`k${n + index}`)))));
    }
    expect(found).toEqual(Array.from({ length: 500 }, (_, n) => `q${n}`));
  });

  it("an address wakes only so many objects with keys that have none", async () => {
    const { d1, pointers, find, asked } = await setUp();
    d1.trouble = "away";
    pointers.set("a", "p1");
    await Promise.all(Array.from({ length: 300 }, (_, n) => find(`x${n}`)));
    expect(asked.pointers).toHaveLength(200);
    expect(await find("a", "192.0.2.2")).toBe("p1");
  });
});
