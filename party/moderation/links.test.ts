import { cpuUsage } from "node:process";
import { expect, it } from "vitest";
import { hasLink } from "./links.ts";

it.each([
  "https://example.com",
  "see HTTP://EXAMPLE.COM/x",
  "[x](ftp://a.b)",
  "www.spam.test",
  "evil.example/path",
  "t.me/x",
  "spam.com",
  "go to spam.shop.",
  "exa\u200bmple.com",
  "ｅｘａｍｐｌｅ．ｃｏｍ",
  "mailto:a@b.c",
  "me@spam.com",
  "192.0.2.1:8080",
  "пример.рф/х",
  "discord.gg/abc",
])("%j has a link", (text) => {
  expect(hasLink(text)).toBe(true);
});

it.each([
  "Hello, world.",
  "v1.2 and 3.14",
  "e.g. this",
  "Yes.No.Maybe",
  "node.js",
  "wait...what",
  "and/or",
  "12:30",
  "note: this",
  "a.b",
  "",
])("%j has none", (text) => {
  expect(hasLink(text)).toBe(false);
});

it.each([
  "a.".repeat(8_000),
  "a-".repeat(8_000),
  `${"a".repeat(63)}.`.repeat(250),
  "1.".repeat(8_000),
  ":/".repeat(8_000),
])("takes no longer for what is almost one, %#", (text) => {
  // The processor's time, and not that of a wall clock, which goes on while other processes have their turn.
  const before = cpuUsage();
  hasLink(text);
  expect(cpuUsage(before).user).toBeLessThan(1_000_000);
});
