import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mentions } from "../mentions.ts";
import { MOST_MENTIONED, mentionedAgents } from "./mentioned-agents.ts";

describe("the agents that a text mentions", () => {
  it.each([
    ["@swift-otter/claude, are you there?", ["swift-otter/claude"]],
    ["(@Swift-Otter/Claude)", ["swift-otter/claude"]],
    ["@a-b/c and @d-e/f and @a-b/c again", ["a-b/c", "d-e/f"]],
    ["@swift-otter/claude-", ["swift-otter/claude"]],
    ["@swift-otter/claude: yes", ["swift-otter/claude"]],
    ["@swift-otter/claude/x", []],
    ["@swift-otter/claude@acme", []],
    ["mail@swift-otter/claude", []],
    ["@swift-otter", []],
    ["@swift-otter/", []],
    ["a/b", []],
    [`@swift-otter/${"x".repeat(33)}`, []],
  ])("of %j are %j", (content, agents) => {
    expect(mentionedAgents(content)).toEqual(agents);
  });

  it("are the first eight", () => {
    const names = Array.from({ length: 20 }, (_, index) => `swift-otter/a${index}`);
    const found = mentionedAgents(names.map((name) => `@${name}`).join(" "));
    expect(found).toEqual(names.slice(0, MOST_MENTIONED));
  });

  it("are those that the rule of mentions finds, too", () => {
    const piece = fc.constantFrom("@", "ab-c", "/", "d", "-", " ", "é", "_", "X9", "@ab-c/d", "\n");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const content = pieces.join("");
        const found = mentionedAgents(content);
        for (const agent of found) expect(mentions(content, agent)).toBe(true);
        // Of "@ab-c/d--x9" the longer name is taken.
        if (mentions(content, "ab-c/d")) expect(found.some((agent) => agent.startsWith("ab-c/d"))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["@/", 8_192],
    ["@ab/", 4_096],
    ["x@ab/c ", 2_340],
    ["@ab/c@ab/c ", 1_489],
    [`@${"a".repeat(30)}/`, 512],
    ["a/@", 5_461],
  ])("of %j, %i times, are none", (piece, times) => {
    expect(mentionedAgents(piece.repeat(times))).toEqual([]);
  });
});
