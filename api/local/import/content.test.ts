import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContent, utf8Length } from "../../../party/message-parser.ts";
import { LIMITS } from "../../../party/protocol.ts";
import { cleanContent } from "./content.ts";

const clean = (text: string) => cleanContent({ text, isRepaired: false });
const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

describe("a message's text", () => {
  it("stays as it is when a room would take it as it is", () => {
    expect(clean("a\n**b**\t🦊")).toEqual({ parts: ["a\n**b**\t🦊"], changes: [] });
  });

  it("is what the room takes, in each of its parts", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
        const text = String.fromCharCode(...units);
        for (const part of clean(text).parts) expect(parseContent(part)).toBe(part);
      }),
    );
  });

  it.each([
    ["a\r\nb", "a\nb", "whitespace"],
    ["  a ", "a", "whitespace"],
    ["a\u0000b\u001b", "ab", "control-characters"],
  ])("%j is cleaned, which is said", (text, part, change) => {
    expect(clean(text)).toEqual({ parts: [part], changes: [change] });
  });

  it.each(["", " \n", "\u200b\u2060", "\u0000"])("%j has nothing to see in it", (text) => {
    expect(clean(text).parts).toEqual([]);
  });

  it("that is too long comes in parts, of which no word is lost", () => {
    const length = fc.integer({ min: LIMITS.contentBytes, max: 4 * LIMITS.contentBytes });
    fc.assert(
      fc.property(length, fc.constantFrom("word ", "longer words ", "line\n", "Ä🦊 ", "para\n\n"), (bytes, unit) => {
        const text = unit.repeat(Math.ceil(bytes / utf8Length(unit)));
        const { parts, changes } = clean(text);
        expect(changes).toContain(utf8Length(text.trim()) > LIMITS.contentBytes ? "text-split" : "whitespace");
        for (const part of parts) expect(utf8Length(part)).toBeLessThanOrEqual(LIMITS.contentBytes);
        expect(parts.flatMap(words)).toEqual(words(text));
      }),
      { numRuns: 30 },
    );
  });

  it("without a space is parted between letters, of which none is lost or torn", () => {
    for (const letter of ["x", "é", "e\u0301", "👩🏽‍🚀", "नि"]) {
      const text = letter.repeat(12_000);
      const { parts } = clean(text);
      expect(parts.join("")).toBe(text);
      for (const part of parts) expect(part.length % letter.length).toBe(0);
    }
  });
});
