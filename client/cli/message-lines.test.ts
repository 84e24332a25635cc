import { describe, expect, it } from "vitest";
import type { Message } from "../../party/protocol.ts";
import { humanLines, plainLine, timeOf } from "./message-lines.ts";

const message: Message = {
  seq: 7,
  id: "a",
  kind: "text",
  sender: "swift-otter",
  content: "Hello.",
  createdAt: "2026-11-02T10:00:00.000Z",
};
const form = { room: "den", names: {}, style: (_: unknown, text: string) => text };

describe("messages as lines", () => {
  it("for a person", () => {
    const line = humanLines({ ...message, replyTo: 3 }, { ...form, now: new Date(message.createdAt) });
    expect(line).toMatch(/^\d\d:\d\d #7 swift-otter re #3 {2}Hello\.$/);
  });

  it("a message can't look like two", () => {
    const fake = `Hi.\n${humanLines({ ...message, sender: "anna" }, form)}`;
    const lines = humanLines({ ...message, content: fake }, form).split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^ {6}2026/);
  });

  it("a site's user stands with both names, without what a terminal obeys", () => {
    const sender = "anna@acme";
    expect(humanLines({ ...message, sender }, { ...form, names: { [sender]: "An\u001b[1Ana\n" } })).toContain(
      "Anna (anna@acme)",
    );
  });

  it("a question says how it is answered, for as long as it can be", () => {
    const options = [
      { id: "yes", label: "Yes, de\u001b[2Jploy" },
      { id: "no", label: "no" },
    ];
    const ask = { options, from: "people" as const, until: "2026-11-03T10:00:00.000Z" };
    const lines = humanLines({ ...message, ask }, form).split("\n");
    expect(lines[1]).toBe("      To answer: meet-ai answer den 7 yes (Yes, deploy)  or  meet-ai answer den 7 no");
    const closed = { seq: 8, option: "yes", by: "anna" };
    expect(humanLines({ ...message, ask: { ...ask, closed } }, form).split("\n")).toHaveLength(1);
  });

  it("for programs: a tab, a line break and a backslash are told from each other", () => {
    const line = plainLine({ ...message, content: "a\tb\nc\\n\u001b[2J" });
    expect(line).toBe("7\t2026-11-02T10:00:00.000Z\tswift-otter\ta\\tb\\nc\\\\n");
  });

  it("a time that is none does not end the command", () => {
    expect(timeOf("soon", "time")).toBe("?");
  });
});
