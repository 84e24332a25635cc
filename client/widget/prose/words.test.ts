import { expect, test } from "vitest";
import { words } from "./words.ts";

test.each([
  ["Plain.", "Plain."],
  ["**Two** _things_, ~~three~~ and `code`", "Two things, three and code"],
  ["# Title\n\nText\nof two lines", "Title\nText\nof two lines"],
  ["- one\n- two\n  1. three\n\n- [x] done", "one\ntwo\nthree\ndone"],
  ["Look:\n\n```ts\nconst x = 1;\nx;\n```\n\nRight?", "Look:\nconst x = 1;\nx;\nRight?"],
  ["| what | when |\n|---|---|\n| cut | 14:00 |", "what\nwhen\ncut\n14:00"],
  ["See [the notes](https://example.org) and https://example.com", "See the notes and https://example.com"],
  ["[click](javascript:alert(1)) stays as it was", "[click](javascript:alert(1)) stays as it was"],
  ["@swift-otter 2 \\* 3 &lt; 7, snake_case_name", "@swift-otter 2 * 3 < 7, snake_case_name"],
  ["> theirs\n\nmine", "theirs\nmine"],
])("%j says %j", (text, said) => {
  expect(words(text)).toBe(said);
});

test.each([
  ["> theirs\n> > older\n\nmine", "mine"],
  ["> only theirs", "only theirs"],
  ["mine\n\n> theirs", "mine"],
])("without what it quotes, %j says %j", (text, said) => {
  expect(words(text, true)).toBe(said);
});

test("of a long message, the beginning", () => {
  expect(words("word ".repeat(10_000)).length).toBeLessThanOrEqual(1_000);
});
