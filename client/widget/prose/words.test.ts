import { expect, test } from "vitest";
import type { Message } from "../../../party/protocol.ts";
import { excerptOf, words } from "./words.ts";

const said = (content: string): Message => ({
  seq: 1,
  id: "m1",
  kind: "text",
  sender: "swift-otter",
  content,
  createdAt: "2026-11-20T09:00:00.000Z",
});

test.each([
  ["Plain.", "Plain."],
  ["**Two** _things_, ~~three~~ and `code`", "Two things, three and code"],
  ["# Title\n\nText\nof two lines", "Title\nText\nof two lines"],
  ["- one\n- two\n  1. three\n\n- [x] done", "one\ntwo\n1. three\ndone"],
  ["3. Paris\n4. Rome", "3. Paris\n4. Rome"],
  ["Look:\n\n```ts\nconst x = 1;\nx;\n```\n\nRight?", "Look:\nconst x = 1;\nx;\nRight?"],
  ["| what | when |\n|---|---|\n| cut | 14:00 |", "what\nwhen\ncut\n14:00"],
  ["See [the notes](https://example.org) and https://example.com", "See the notes and https://example.com"],
  ["[click](javascript:alert(1)) stays as it was", "[click](javascript:alert(1)) stays as it was"],
  ["@swift-otter 2 \\* 3 &lt; 7, snake_case_name", "@swift-otter 2 * 3 < 7, snake_case_name"],
  ["> theirs\n\nmine", "theirs\nmine"],
])("%j says %j", (text, meant) => {
  expect(words(text)).toBe(meant);
});

test.each(["2.", "-", "---", "#", "***", "```\n```", "&nbsp;"])("%j is still something", (text) => {
  expect(words(text)).toBe(text);
});

test.each([
  ["> theirs\n> > older\n\nmine", "mine"],
  ["> only theirs", "only theirs"],
  [`${"> a long quotation\n".repeat(100)}\n**mine**`, "mine"],
  ["mine\n\n> theirs", "mine\ntheirs"],
])("the excerpt of %j is %j", (text, meant) => {
  expect(excerptOf(said(text))).toBe(meant);
});

test("of a long message, the beginning", () => {
  expect(excerptOf(said("word ".repeat(3_000))).length).toBeLessThanOrEqual(300);
});
