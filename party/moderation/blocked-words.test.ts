import { cpuUsage } from "node:process";
import { describe, expect, it } from "vitest";
import { isFault } from "../protocol.ts";
import { BlockedWords, parseBlocked } from "./blocked-words.ts";

const blocks = (words: string[], text: string): boolean => {
  const parsed = parseBlocked(words);
  if (isFault(parsed)) throw new Error(parsed.message);
  return new BlockedWords(parsed).areIn(text);
};

describe("a blocked word", () => {
  it.each([
    ["troll", "You TROLL!"],
    ["Tröll", "troll"],
    ["troll", "tr\u00f6ll"],
    ["troll", "tro\u0308ll"],
    ["troll", "tr0ll"],
    ["tr0ll", "troll"],
    ["troll", "t\u200br\u00adoll"],
    ["troll", "ＴＲＯＬＬ"],
    ["buy now", "Buy -- now!"],
    ["don't", "I don’t"],
    ["дурак", "Ты ДУРАК"],
    ["傻瓜", "你是傻瓜吗"],
    ["कल", "कल मिलते हैं"],
  ])("%j is found in %j", (word, text) => {
    expect(blocks([word], text)).toBe(true);
  });

  it.each([
    ["troll", "trolley patrol"],
    ["ass", "class assess"],
    ["buy now", "buy it now"],
    ["1337", "leet"],
    ["कल", "काल"],
    ["ab", ""],
  ])("%j is not found in %j", (word, text) => {
    expect(blocks([word], text)).toBe(false);
  });

  it.each(["a", "é", "*", "spam*", ".*", "a|b", "", "  ", "\u0301", "x".repeat(41), 7, null])(
    "can't be %j, which matches too much or is no word",
    (word) => {
      expect(parseBlocked([word])).toMatchObject({ fault: "invalid", message: expect.stringContaining("blocked[0]") });
    },
  );

  it("stands in a list of a hundred at most, once", () => {
    expect(parseBlocked(["spam", " spam "])).toEqual(["spam"]);
    expect(isFault(parseBlocked(Array.from({ length: 101 }, (_, n) => `word ${n}`)))).toBe(true);
    expect(isFault(parseBlocked("spam"))).toBe(true);
  });

  it("is looked for in the longest message in no time", () => {
    const words = Array.from({ length: 100 }, (_, n) => `word number ${n}`);
    const text = "word number ".repeat(1_400);
    // The processor's time, and not that of a wall clock, which goes on while other processes have their turn.
    const before = cpuUsage();
    expect(blocks(words, text)).toBe(false);
    expect(cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});
