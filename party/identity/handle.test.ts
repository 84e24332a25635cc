import { describe, expect, it } from "vitest";
import { RESERVED_NAMES } from "./agent-name.ts";
import { parseHandle, refuseHandle } from "./handle.ts";

const refused = (handle: unknown) => expect(parseHandle(handle)).toMatchObject({ fault: "invalid" });

describe("a chosen handle", () => {
  it.each(["ada", "ada-lovelace", "7of9", "a".repeat(31), "swift-otter-2"])("may be %s", (handle) => {
    expect(parseHandle(handle)).toBe(handle);
  });

  it.each([
    ["too short", "ab"],
    ["too long", "a".repeat(32)],
    ["empty", ""],
    ["no text", 7],
    ["absent", null],
    ["a list", ["ada"]],
    ["capitals", "Ada"],
    ["a hyphen at the end", "ada-"],
    ["a hyphen at the beginning", "-ada"],
    ["two hyphens in a row", "ada--l"],
    ["an agent's form", "ada/claude"],
    ["a guest's form", "~ada-otter"],
    ["a site's user's form", "ada@acme"],
    ["a space", "ada l"],
    ["a line's end", "ada\n"],
    ["letters of another script that look alike", "аda"],
  ])("is refused with %s", (_, handle) => refused(handle));

  it.each([...RESERVED_NAMES, "system-notice", "meet-ai-support", "the-owner", "guest", "anonymous", "you"])(
    "is never %s",
    (handle) => refused(handle),
  );

  it("has none of the deployment's own words, nor what looks like one", () => {
    const words = ["acme", "big-corp"];
    for (const handle of ["acme", "acme-help", "the-acme-team", "acm3", "4cme-1", "big-corp", "the-big-c0rp"]) {
      expect(refuseHandle(handle, words)).toMatchObject({ fault: "invalid" });
    }
    for (const handle of ["acmeist", "big-corporation", "corp-big"])
      expect(refuseHandle(handle, words)).toBeUndefined();
  });
});
