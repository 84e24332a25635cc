import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VisibleStream, visibleJson, visibleLine, visibleText } from "./visible-text.ts";

const ESC = "\u001b";

describe("what others wrote, in a terminal", () => {
  it.each([
    ["a colour", `${ESC}[31mred${ESC}[0m`, "red"],
    ["a clear screen", `a${ESC}[2J${ESC}[Hb`, "ab"],
    ["a title that ends with BEL", `a${ESC}]0;root@host\u0007b`, "ab"],
    ["a title that ends with ST", `a${ESC}]0;root@host${ESC}\\b`, "ab"],
    ["a clipboard that never ends", `a${ESC}]52;c;ZXZpbA==`, "a"],
    ["C1 forms", "a\u009b31mb\u009d0;x\u009cc", "abc"],
    ["a device string", `a${ESC}Pq#0;2${ESC}\\b`, "ab"],
    ["a bare escape", `a${ESC}`, "a"],
    ["a reset", `a${ESC}cb`, "ab"],
    ["a backspace, a bell, a null", "a\bb\u0007c\0d", "abcd"],
    ["a lone carriage return, which would write over the line", "fine\rhidden", "fine\nhidden"],
    ["lines of Windows", "a\r\nb", "a\nb"],
    ["an override of the direction", "a\u202eb\u2066c\u2069", "abc"],
    ["other ends of lines", "a\u2028b\u2029c", "a\nb\nc"],
    ["half a character", "a\ud83d", "a\ufffd"],
    ["what is meant well", "é 漢字 👍🏽\tשלום\u200f", "é 漢字 👍🏽\tשלום\u200f"],
  ])("%s", (_, hostile, shown) => {
    expect(visibleText(hostile)).toBe(shown);
  });

  it("is on one line beside our words", () => {
    expect(visibleLine(` a\n12:00 anna  b${ESC}[1A `)).toBe("a 12:00 anna b");
  });

  it("loses nothing as JSON, and has nothing that a terminal obeys", () => {
    const value = { content: `${ESC}[2J\u009b1A\u202e\u2028\u007f` };
    const text = visibleJson(value);
    expect(text).toMatch(/^[ -~]+$/);
    expect(JSON.parse(text)).toEqual(value);
  });

  it("comes to the same however it is cut into pieces", () => {
    const piece = fc.constantFrom(
      "a",
      "\r",
      "\n",
      ESC,
      "[",
      "]",
      "\ud83d",
      "\udc4d",
      "3",
      "m",
      ";",
      "\u0007",
      "\\",
      "\u009b",
      "P",
      " ",
    );
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 5 }), { maxLength: 12 }), (parts) => {
        const pieces = parts.map((part) => part.join(""));
        const stream = new VisibleStream();
        expect(pieces.map((text) => stream.push(text)).join("") + stream.end()).toBe(visibleText(pieces.join("")));
      }),
    );
  });

  it("keeps no more than a sequence of a stream that never ends one", () => {
    const stream = new VisibleStream();
    let shown = "";
    for (let count = 0; count < 100; count++)
      shown += stream.push(`${count === 0 ? `${ESC}]` : ""}${"x".repeat(1_000)}`);
    expect(shown).not.toContain(ESC);
    expect(shown.length).toBeGreaterThan(90_000);
  });
});
