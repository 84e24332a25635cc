import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ADJECTIVES, ANIMALS } from "./words.ts";

describe.each([
  ["adjectives", ADJECTIVES],
  ["animals", ANIMALS],
])("the %s", (_, words) => {
  it("are there once each", () => {
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it("are short lowercase words", () => {
    expect(words.filter((word) => !/^[a-z]{2,12}$/.test(word))).toEqual([]);
  });
});

it("make enough handles that two words nearly always do", () => {
  expect(ADJECTIVES.length * ANIMALS.length).toBeGreaterThan(20_000);
});

it("stay as they are, because a guest is called by two of their positions", () => {
  const digest = createHash("sha256")
    .update([...ADJECTIVES, "", ...ANIMALS].join(" "))
    .digest("hex");
  expect(digest).toBe("646b6514149d89a8846b03b52cd3993dea908b3a32f8d5a0c524acd0965b30e7");
});
