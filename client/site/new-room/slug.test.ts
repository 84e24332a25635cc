import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRoomId } from "../../../party/protocol.ts";
import { slugOf } from "./slug.ts";

describe("slugOf", () => {
  it.each([
    ["Team chat, 2026", "team-chat-2026"],
    ["  --Überlange Namen--  ", "uberlange-namen"],
    ["Ada's workshop", "ada-s-workshop"],
    ["غرفة", ""],
    ["x", ""],
    ["", ""],
  ])("makes of %j the address %j", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it("gives nothing but ids that a room can have", () => {
    const names = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("a", "-", " ", "é"), maxLength: 200 }),
    );
    fc.assert(fc.property(names, (name) => slugOf(name) === "" || isRoomId(slugOf(name))));
  });
});
