import { beforeEach, describe, expect, it, vi } from "vitest";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { KeyTable } from "./key-table.ts";

const OWNER = { id: "p1", handle: "swift-otter", createdAt: "2026-11-24T12:00:00.000Z" };
const AT = "2026-11-25T12:00:00.000Z";

let table: KeyTable;

beforeEach(async () => {
  table = new KeyTable(new TestD1());
  await table.insert(OWNER, "a");
});

it("takes D1 that hangs for away within two seconds when somebody waits at the door", async () => {
  vi.useFakeTimers();
  const db = new TestD1();
  vi.spyOn(db, "prepare").mockReturnValue({
    bind: () => ({ first: () => new Promise(() => undefined) }),
  } as unknown as ReturnType<TestD1["prepare"]>);
  const hanging = new KeyTable(db);
  const reads = [hanging.personOf("a"), hanging.keysOf("p1")].map((read) => expect(read).rejects.toThrow("D1"));
  await vi.advanceTimersByTimeAsync(2_000);
  await Promise.all(reads);
  vi.useRealTimers();
});

describe("keys that have ended", () => {
  it("are nobody's, and no change brings one of them or another back", async () => {
    await table.offer("p1", "a", "b");
    expect(await table.revoke("p1", "a", AT)).toBe(true);
    const changes = {
      swap: await table.swap("p1", "a", "c"),
      offer: await table.offer("p1", "a", "c"),
      promote: await table.promote("p1", "b"),
      revoke: await table.revoke("p1", "a", AT),
    };
    expect(changes).toEqual({ swap: false, offer: false, promote: false, revoke: false });
    expect(await Promise.all(["a", "b", "c"].map((hash) => table.personOf(hash)))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("a key", () => {
  it("is never two people's, whether it is used or offered", async () => {
    await table.insert({ ...OWNER, id: "p2", handle: "calm-heron" }, "x");
    await table.offer("p2", "x", "y");
    expect([await table.swap("p1", "a", "x"), await table.swap("p1", "a", "y")]).toEqual([false, false]);
    await expect(table.offer("p1", "a", "y")).rejects.toThrow("UNIQUE");
    const third = { ...OWNER, id: "p3", handle: "brisk-lynx" };
    expect([await table.insert(third, "x"), await table.insert(third, "y")]).toEqual([false, false]);
  });

  it("has a holder, who may have ended it, or not have used it yet", async () => {
    expect(await table.holderOf("a")).toEqual({ ...OWNER, isValid: true });
    expect(await table.holderOf("no such")).toBeUndefined();
    await table.offer("p1", "a", "b");
    expect(await table.holderOf("b")).toEqual({ ...OWNER, isValid: false });
    await table.revoke("p1", "a", AT);
    expect(await table.holderOf("a")).toEqual({ ...OWNER, isValid: false });
  });

  it("that was replaced while another change was under way changes nothing", async () => {
    expect(await table.swap("p1", "a", "b")).toBe(true);
    const late = [
      await table.swap("p1", "a", "c"),
      await table.offer("p1", "a", "c"),
      await table.revoke("p1", "a", AT),
    ];
    expect(late).toEqual([false, false, false]);
    expect(await table.keysOf("p1")).toEqual({ owner: OWNER, current: "b", next: undefined, revoked: false });
  });
});
