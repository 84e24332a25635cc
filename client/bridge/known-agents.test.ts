import { expect, it } from "vitest";
import { nameOf, wayTo } from "./known-agents.ts";

it.each([
  ["claude", "acp", "npx --yes @agentclientprotocol/claude-agent-acp"],
  ["/opt/bin/codex", "acp", "npx --yes @agentclientprotocol/codex-acp"],
  ["gemini", "acp", "gemini --acp"],
  ["opencode", "acp", "opencode acp"],
  ["cursor-agent", "acp", "cursor-agent acp"],
  ["gemini --acp -m pro", "acp", "gemini --acp -m pro"],
  ["npx @agentclientprotocol/claude-agent-acp@0.101.0", "acp", undefined],
  ["./codex-acp", "acp", undefined],
  ["claude -p", "plain", undefined],
  ["./answer.sh", "plain", undefined],
  ["cat", "plain", undefined],
])("%s is spoken to as %s", (typed, speaks, started) => {
  const command = typed.split(" ");
  expect(wayTo(command)).toEqual({ command: (started ?? typed).split(" "), speaks });
});

it("is spoken to as its user says", () => {
  expect(wayTo(["claude"], "plain")).toEqual({ command: ["claude"], speaks: "plain" });
  expect(wayTo(["./mine"], "acp")).toEqual({ command: ["./mine"], speaks: "acp" });
});

it.each([
  ["/home/anna/bin/answer.sh --token=secret", "answer.sh"],
  ["npx --yes @agentclientprotocol/codex-acp", "@agentclientprotocol/codex-acp"],
  ["node /home/anna/agent.mjs", "node"],
])("%s is called %s in the room", (command, name) => {
  expect(nameOf(command.split(" "))).toBe(name);
});
