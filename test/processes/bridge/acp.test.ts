/** An agent by ACP without a room: what it may do wrong before it is asked anything, and what becomes of its process. */

import { join } from "node:path";
import { execPath } from "node:process";
import { describe, expect, it } from "vitest";
import { AcpAgent } from "../../../client/bridge/acp-agent.ts";
import type { AnswerListener } from "../../../client/bridge/agent.ts";
import { until } from "../until.ts";

const AGENT = join(import.meta.dirname, "acp-agent.ts");
const never = new AbortController().signal;

const place = (trouble = "") => ({
  cwd: import.meta.dirname,
  env: { PATH: process.env.PATH ?? "", ACP_AGENT: trouble },
});
const script = (code: string) => new AcpAgent([execPath, "--eval", code], place());

function listener(): AnswerListener & { text: string } {
  const heard = {
    text: "",
    onText: (piece: string) => {
      heard.text += piece;
    },
    onActivity: () => {},
    onPermission: async () => undefined,
  };
  return heard;
}

/** Whether a process is there. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("an agent that can't be asked is said to be none", () => {
  it("when it never answers", async () => {
    const agent = new AcpAgent([execPath, AGENT], place("silent"), { startWithin: 500 });
    await expect(agent.start(never)).rejects.toThrow(
      "node has not answered `initialize` within 1 s. Is it an ACP agent?",
    );
  });

  it("when it writes a line that does not end", async () => {
    const endless = script(`const more = () => process.stdout.write("x".repeat(65536), more); more();`);
    await expect(endless.start(never)).rejects.toMatchObject({
      message: expect.stringContaining("does not speak ACP"),
      details: "It has written a line that does not end.",
    });
  });

  it("when it answers with what is no session", async () => {
    const wrong = script(`process.stdin.on("data", (text) => String(text).trim().split("\\n").forEach((line) => {
      const { id, method } = JSON.parse(line);
      const result = method === "initialize" ? { protocolVersion: 1 } : { sessionId: 7 };
      console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    }));`);
    await expect(wrong.start(never)).rejects.toThrow("node has begun a session without an id.");
    await wrong.close();
  });
});

describe("an agent's process", () => {
  it("ends with its bridge, and all that it has started", async () => {
    const starts = script(`const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
      process.on("SIGTERM", () => {});
      process.stdin.on("data", (text) => String(text).trim().split("\\n").forEach((line) => {
        const { id, method, params } = JSON.parse(line);
        if (method === "session/prompt") console.log(JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: {
          sessionId: "s", update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: child.pid + " " + process.pid } } } }));
        const results = { initialize: { protocolVersion: 1 }, "session/new": { sessionId: "s" }, "session/prompt": { stopReason: "end_turn" } };
        if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: results[method] }));
      }));`);
    const heard = listener();
    await starts.start(never);
    expect(starts.isNew).toBe(true);
    await starts.answer("Who are you?", heard, never);
    expect(starts.isNew).toBe(false);
    const pids = heard.text.split(" ").map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    await starts.close();
    await until("both have ended", () => !pids.some(isRunning));
  });
});
