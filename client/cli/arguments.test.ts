import { describe, expect, it } from "vitest";
import { argumentsOf, duration, listOf, wholeNumber } from "./arguments.ts";

describe("what a command was started with", () => {
  it("is what it takes", () => {
    const { values, positionals } = argumentsOf("say", ["lobby", "--id", "x", "Hello."], { id: { type: "string" } });
    expect(values.id).toBe("x");
    expect(positionals).toEqual(["lobby", "Hello."]);
  });

  it.each([
    [["--jsn"], "Unknown option '--jsn'. See: meet-ai say --help"],
    [["--id"], "Option '--id <value>' argument missing. See: meet-ai say --help"],
  ])("or one line: %j", (args, line) => {
    expect(() => argumentsOf("say", args, { id: { type: "string" } })).toThrow(line);
  });

  it.each([
    ["90s", 90_000],
    ["90", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
  ])("%s is a time", (text, length) => {
    expect(duration("--wait", text)).toBe(length);
  });

  it.each(["", "0", "-1", "1w", "ten", "1.5h", "1e3"])("%j is none", (text) => {
    expect(() => duration("--wait", text)).toThrow("--wait takes a time such as");
  });

  it("a time that is waited for is one that a timer can have", () => {
    expect(duration("--wait", "24d")).toBe(24 * 86_400_000);
    expect(() => duration("--wait", "25d")).toThrow("--wait takes at most 24d.");
    expect(duration("--for", "30d", 30 * 86_400_000)).toBe(30 * 86_400_000);
  });

  it.each(["", "-1", "1.5", "x", "9".repeat(20)])("%j is no whole number", (text) => {
    expect(() => wholeNumber("--after", text)).toThrow("--after takes a whole number");
  });

  it("a list has no empty words", () => {
    expect(listOf(" yes, no,,")).toEqual(["yes", "no"]);
  });
});
