/** Which commands are coding agents that speak ACP, and how they are started for it. */

import { basename } from "node:path";
import { visibleLine } from "../cli/visible-text.ts";

/** The agents that are known by the name of their command alone, and what speaks ACP for them. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  claude: ["npx", "--yes", "@agentclientprotocol/claude-agent-acp"],
  codex: ["npx", "--yes", "@agentclientprotocol/codex-acp"],
  gemini: ["gemini", "--acp"],
  opencode: ["opencode", "acp"],
  "cursor-agent": ["cursor-agent", "acp"],
};

/** What says in a command that it speaks ACP: `--acp`, `acp`, or a package or program of that name. */
const SPEAKS_ACP = /^(?:--(?:experimental-)?acp|acp)$|(?:^|[/@])[\w.-]*-acp(?:@[\w.-]+)?$/;

export interface Way {
  readonly command: readonly string[];
  readonly speaks: "acp" | "plain";
}

/** How `command` is spoken to, where its user has not said it. */
export function wayTo(command: readonly string[], wish?: "acp" | "plain"): Way {
  if (wish) return { command, speaks: wish };
  const [program = "", ...args] = command;
  const adapter = args.length === 0 && Object.hasOwn(KNOWN, basename(program)) ? KNOWN[basename(program)] : undefined;
  if (adapter) return { command: adapter, speaks: "acp" };
  return { command, speaks: command.some((word) => SPEAKS_ACP.test(word)) ? "acp" : "plain" };
}

/** What a command is called in the room: its program, or the package that a runner runs. Its arguments and paths are not told. */
export function nameOf([program = "", ...args]: readonly string[]): string {
  const name = basename(program).replace(/\.(?:exe|cmd)$/i, "");
  const ran = /^(?:npx|bunx|pnpx|uvx)$/.test(name) ? args.find((word) => !word.startsWith("-")) : undefined;
  return visibleLine(ran ?? name).slice(0, 80);
}
