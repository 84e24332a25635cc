import { expect, it } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { KnownRooms } from "./known-rooms.ts";

const NOON = 1_800_000_000_000;
const HOUR = 3_600_000;

it("are those that were come to last: a room that is left out is the one not come to for longest", () => {
  const storage = new TestKeyValues();
  const open = () => new KnownRooms(storage);
  for (let count = 0; count < 1_000; count++) open().add(`room-${count}`, NOON + count);
  open().add("room-0", NOON + HOUR);
  open().add("new", NOON + HOUR);
  expect(open().all).toHaveLength(1_000);
  expect(open().all).toEqual(expect.arrayContaining(["room-0", "new"]));
  expect(open().all).not.toContain("room-1");
});

it("are written at most once an hour for each room, also when the principal sleeps in between", () => {
  const storage = new TestKeyValues();
  for (let minute = 0; minute < 120; minute++) new KnownRooms(storage).add("den", NOON + minute * 60_000);
  expect(storage.rows).toBe(2);
});

it("come to with the clock set back are written, and not lost", () => {
  const storage = new TestKeyValues();
  const rooms = new KnownRooms(storage);
  rooms.add("den", NOON);
  rooms.add("den", NOON - 10 * HOUR);
  rooms.add("den", NOON - 10 * HOUR + 1);
  expect([rooms.all, storage.rows]).toEqual([["den"], 2]);
});

it("of version 0.2 are known, and those taken over come before", () => {
  const storage = new TestKeyValues();
  storage.put("rooms", ["a", "b"]);
  const rooms = new KnownRooms(storage);
  rooms.add("a", NOON);
  rooms.inherit(["z", "b"]);
  expect(new KnownRooms(storage).all).toEqual(["z", "b", "a"]);
});
