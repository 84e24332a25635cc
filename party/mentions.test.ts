import { expect, test } from "vitest";
import { isAgent, mentions, personOf } from "./mentions.ts";

test.each([
  ["@swift-otter hello", "swift-otter", true],
  ["Hello, @Swift-Otter!", "swift-otter", true],
  ["(@swift-otter)", "swift-otter", true],
  ["Thanks @swift-otter.", "swift-otter", true],
  ["@swift-otter- yes", "swift-otter", true],
  ["@swift-otter/claude hello", "swift-otter/claude", true],
  ["@swift-otter/claude hello", "swift-otter", false],
  ["@swift-otter hello", "swift-otter/claude", false],
  ["@swift-otter-2 hello", "swift-otter", false],
  ["@swift-otters hello", "swift-otter", false],
  ["mail@swift-otter", "swift-otter", false],
  ["é@swift-otter", "swift-otter", false],
  ["swift-otter", "swift-otter", false],
  ["@swift-otter-2 and @swift-otter", "swift-otter", true],
  ["@~brisk-lynx-4f2a9c?", "~brisk-lynx-4f2a9c", true],
  ["@anna@before, hello", "anna@before", true],
  ["@anna@before, hello", "anna", false],
])("%j mentions %s: %s", (content, name, expected) => {
  expect(mentions(content, name)).toBe(expected);
});

test("who wrote on the previous server is no agent, and nobody else's", () => {
  expect([isAgent("anna@before"), personOf("anna@before")]).toEqual([false, "anna@before"]);
});

test("an agent's person", () => {
  expect([personOf("swift-otter/claude"), personOf("swift-otter"), personOf("~brisk-lynx-4f2a9c")]).toEqual([
    "swift-otter",
    "swift-otter",
    "~brisk-lynx-4f2a9c",
  ]);
});
