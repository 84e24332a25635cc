/**
 * An agent that speaks version 1 of ACP exactly, and has no model: what it does is in the messages that it is to answer
 * (`do:slow`), or, for what goes wrong before it is asked, in the variable ACP_AGENT.
 *
 *     node test/processes/bridge/acp-agent.ts [NOTES_FILE]
 *
 * It notes each prompt, and how it ended, as a line of JSON.
 */

import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

type Json = Record<string, unknown>;

const [notes] = process.argv.slice(2);
const trouble = process.env.ACP_AGENT;

const waiting = new Map<number, (answer: { result?: Json; error?: { code: number } }) => void>();
let nextRequest = 1;
let sessions = 0;
/** The turn under way: aborted by `session/cancel`. */
let turn: AbortController | undefined;
const answers = new Map<string, number>();

const say = (message: Json) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const note = (what: Json) => notes && appendFileSync(notes, `${JSON.stringify(what)}\n`);

/** Asks the client. */
function request(method: string, params: Json): Promise<{ result?: Json; error?: { code: number } }> {
  const id = nextRequest++;
  say({ id, method, params });
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function answer(method: string, params: Json): Promise<Json> {
  switch (method) {
    case "initialize":
      if (trouble === "silent") await new Promise(() => {});
      if (params.protocolVersion !== 1) throw new Error("The client has not said version 1.");
      return {
        protocolVersion: trouble === "version" ? 7 : 1,
        agentCapabilities: {
          loadSession: false,
          promptCapabilities: { image: false, audio: false, embeddedContext: false },
        },
        authMethods: trouble === "auth" ? [{ id: "login", name: "Log in", description: null }] : [],
      };
    case "session/new": {
      if (trouble === "auth") throw Object.assign(new Error("Authentication required"), { code: -32_000 });
      if (typeof params.cwd !== "string" || !params.cwd.startsWith("/")) throw new Error("cwd must be absolute.");
      if (!Array.isArray(params.mcpServers)) throw new Error("mcpServers is missing.");
      return { sessionId: `session-${++sessions}` };
    }
    case "session/prompt":
      return { stopReason: await prompted(params as { sessionId: string; prompt: { type: string; text: string }[] }) };
    default:
      throw Object.assign(new Error("Method not found"), { code: -32_601 });
  }
}

async function prompted({ sessionId, prompt }: { sessionId: string; prompt: { type: string; text: string }[] }) {
  const text = prompt.map((block) => block.text).join("");
  const asked = text.split("\n# To answer\n").at(-1) ?? "";
  note({ sessionId, text });
  turn = new AbortController();
  const { signal } = turn;
  const update = (body: Json) => say({ method: "session/update", params: { sessionId, update: body } });
  const chunk = (piece: string) =>
    update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: piece } });
  const tool = (title: string, status: string) =>
    update({
      sessionUpdate: "tool_call",
      toolCallId: title,
      title,
      kind: "execute",
      status,
      content: [],
      locations: [],
    });
  const [, deed = "answer"] = /do:([a-z]+)/.exec(asked) ?? [];
  const count = (answers.get(sessionId) ?? 0) + 1;
  answers.set(sessionId, count);

  update({ sessionUpdate: "available_commands_update", availableCommands: [] });
  update({ sessionUpdate: "plan", entries: [{ content: "a plan", priority: "low", status: "pending" }] });
  update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "a thought" } });
  switch (deed) {
    case "slow":
      for (let word = 1; !signal.aborted; word++) {
        chunk(`word ${word} `);
        await pause(20);
      }
      return "cancelled";
    case "deaf":
      chunk("I do not listen.");
      await new Promise(() => {});
      break;
    case "tool":
      chunk("Let me look.");
      tool("npm \u001b[31mtest", "pending");
      update({ sessionUpdate: "tool_call_update", toolCallId: "npm \u001b[31mtest", status: "completed" });
      chunk("All is green.");
      break;
    case "permission": {
      const options = [
        { optionId: "allow", name: "Allow", kind: "allow_once" },
        { optionId: "always", name: "Always allow", kind: "allow_always" },
        { optionId: "reject", name: "Deny", kind: "reject_once" },
      ];
      const toolCall = { toolCallId: "rm", title: "rm -rf build", kind: "execute", status: "pending" };
      const { result } = await request("session/request_permission", { sessionId, toolCall, options });
      if (signal.aborted) {
        note({ outcome: result?.outcome as Json });
        return "cancelled";
      }
      chunk(`The answer is ${JSON.stringify(result?.outcome)}.`);
      break;
    }
    case "file": {
      const { error } = await request("fs/read_text_file", { sessionId, path: "/etc/passwd" });
      chunk(`The client answers ${error?.code}.`);
      break;
    }
    case "crash":
      chunk("Half an ans");
      // What was written is on its way when this is called, and not before.
      process.stdout.write("", () => {
        console.error("the reason is secret");
        process.exit(3);
      });
      await new Promise(() => {});
      break;
    case "nothing":
      break;
    case "refuse":
      return "refusal";
    case "error":
      throw Object.assign(new Error("the model is away"), { code: -32_603 });
    case "long":
      for (let piece = 0; piece < 400 && !signal.aborted; piece++) chunk("x".repeat(100));
      break;
    case "secret":
      chunk(`There is ${Object.values(process.env).some((value) => value?.includes("mai_")) ? "a" : "no"} key.`);
      break;
    default:
      for (const word of `Answer ${count} of ${sessionId}: ${(asked.match(/q-\d+/g) ?? []).join(" ")}`.split(
        /(?<= )/,
      )) {
        chunk(word);
        await pause(2);
      }
  }
  return signal.aborted ? "cancelled" : "end_turn";
}

if (trouble === "exits") process.exit(0);
if (trouble === "garbage") for (let line = 0; line < 50; line++) console.log(`Welcome to the agent! \u001b[2J ${line}`);

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method === "session/cancel") turn?.abort();
  else if (method === undefined) {
    waiting.get(id)?.({ result, error });
    waiting.delete(id);
  } else if (id !== undefined) {
    void answer(method, params).then(
      (answered) => say({ id, result: answered }),
      (failure: Error & { code?: number }) =>
        say({ id, error: { code: failure.code ?? -32_602, message: failure.message } }),
    );
  }
}
