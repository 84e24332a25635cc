import { expect, it } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { KeyPointer } from "./key-pointer.ts";

const OWNER = { id: "p1", handle: "swift-otter", createdAt: "2026-11-24T12:00:00.000Z" };

it("a key points nowhere until its person's Limiter has accepted it, and then for good", () => {
  const storage = new TestKeyValues();
  expect(new KeyPointer(storage).person()).toBeUndefined();
  expect(new KeyPointer(storage).firstVersion()).toBeUndefined();
  new KeyPointer(storage).point("p1");
  expect(new KeyPointer(storage).person()).toBe("p1");
  expect(storage.get("pointer")).toEqual({ version: 1, person: "p1" });
});

it("what the first version kept for a key is a pointer, is handed over whole, and is gone once it points", () => {
  const storage = new TestKeyValues();
  storage.put("owner", OWNER);
  storage.put("messages", [[1_800_000_000_000, 3]]);
  storage.put("daily:rooms", [[1_800_000_000_000, 2]]);
  storage.put("rooms", ["lobby"]);
  storage.put("lastUsed", 1_800_000_000_000);
  const pointer = new KeyPointer(storage);
  expect(pointer.person()).toBe("p1");
  const kept = {
    owner: OWNER,
    messages: [[1_800_000_000_000, 3]],
    dailyRooms: [[1_800_000_000_000, 2]],
    rooms: ["lobby"],
    lastUsed: 1_800_000_000_000,
  };
  // As often as it is asked for: the answer may have been lost.
  expect([pointer.firstVersion(), pointer.firstVersion()]).toEqual([kept, kept]);
  pointer.point("p1");
  expect([pointer.person(), pointer.firstVersion()]).toEqual(["p1", undefined]);
});

it("a key that was revoked in the first version is refused", () => {
  const storage = new TestKeyValues();
  storage.put("owner", "revoked");
  expect(new KeyPointer(storage).person()).toMatchObject({ fault: "unauthorized" });
  expect(new KeyPointer(storage).firstVersion()).toMatchObject({ owner: "revoked" });
});
