import { describe, expect, it } from "vitest";
import { type GuardRules, Guards } from "./guards.ts";

const RULES: GuardRules = { me: "anna/claude", allowed: ["anna", "ben/codex"], everyMessage: false, inARow: 2 };
const said = (seq: number, sender: string, content = "@anna/claude hello") => ({
  seq,
  sender,
  content,
  kind: "text" as const,
});

describe("a bridge answers", () => {
  const guards = new Guards(RULES);
  it.each([
    ["whom it is allowed to", said(1, "anna"), undefined],
    ["an agent that is named", said(1, "ben/codex"), undefined],
    ["not itself", said(1, "anna/claude"), "own"],
    ["not somebody else", said(1, "ben"), "not allowed"],
    ["not another agent of the same person", said(1, "anna/codex"), "not allowed"],
    ["not a guest", said(1, "~anna-4f2a9c"), "not allowed"],
    ["not what does not mention it", said(1, "anna", "hello"), "no mention"],
    ["not what mentions a longer name", said(1, "anna", "@anna/claude-2 hello"), "no mention"],
    ["not what was deleted", { ...said(1, "anna"), deleted: true as const }, "no text"],
    ["not a deletion", { ...said(1, "anna"), kind: "deletion" as const }, "no text"],
  ])("%s", (_, message, refusal) => {
    expect(guards.refuses(message)).toBe(refusal);
  });

  it("anyone, and everything, only when it is told so", () => {
    const open = new Guards({ ...RULES, allowed: "anyone", everyMessage: true });
    expect(open.refuses(said(1, "~guest", "hello"))).toBeUndefined();
    expect(open.refuses(said(1, "anna/claude"))).toBe("own");
  });
});

describe("answers in a row", () => {
  it("are counted since a person has written, in whatever order both are heard of", () => {
    const guards = new Guards(RULES);
    guards.hear(said(1, "anna"));
    guards.answered(2);
    guards.hear(said(2, "anna/claude"));
    expect(guards.isExhausted).toBe(false);
    guards.answered(4);
    guards.hear(said(3, "ben/codex"));
    expect(guards.isExhausted).toBe(true);
    guards.hear(said(5, "ben"));
    expect(guards.isExhausted).toBe(false);
    guards.answered(7);
    guards.answered(8);
    // Written before both answers, heard of after them.
    guards.hear(said(6, "anna"));
    expect(guards.isExhausted).toBe(true);
  });

  it("are known after a restart, and old messages that are read again change nothing", () => {
    const log = [said(1, "anna"), said(2, "anna/claude"), said(3, "ben/codex"), said(4, "anna/claude")];
    const guards = new Guards(RULES, log);
    expect(guards.isExhausted).toBe(true);
    for (const message of log) guards.hear(message);
    expect(guards.isExhausted).toBe(true);
    guards.forget();
    expect(guards.isExhausted).toBe(false);
  });

  it("do not count questions to people, nor erased messages as people's", () => {
    const guards = new Guards(RULES);
    guards.hear({ ...said(1, "anna/claude"), ask: { options: [], from: "people", until: "" } });
    guards.answered(2);
    guards.answered(3);
    guards.hear(said(4, ""));
    expect(guards.isExhausted).toBe(true);
  });
});
