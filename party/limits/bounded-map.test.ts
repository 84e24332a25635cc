import { expect, it } from "vitest";
import { BoundedMap } from "./bounded-map.ts";

it("keeps at most so many, and lets the one go that was longest not asked for", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  expect(map.get("a")).toBe(1);
  map.set("c", 3);
  expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([1, undefined, 3, 2]);
});

it("makes an entry once", () => {
  const map = new BoundedMap<string, { made: number }>(2);
  const first = map.getOrMake("a", () => ({ made: 1 }));
  expect(map.getOrMake("a", () => ({ made: 2 }))).toBe(first);
  map.delete("a");
  expect(map.getOrMake("a", () => ({ made: 3 }))).toEqual({ made: 3 });
});
