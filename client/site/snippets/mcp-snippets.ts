/** How harnesses of coding agents are given a server that speaks MCP, each in its own form. */

import type { Snippet, SnippetContext } from "./snippets.ts";

/** Shown where no key is known, or it is not to be seen. */
const NO_KEY = "mai_…";
/** The variable in which the key stands. */
const VARIABLE = "MEET_AI_KEY";
/** What VS Code calls the key that it asks for. */
const INPUT = "meet-ai-key";

/** To bring the agent of a harness into rooms by `/mcp`. Afterwards it is told in words which one. */
export function mcpSnippets({ origin, room, key = NO_KEY, invite }: SnippetContext): Snippet[] {
  const url = (agent: string) => `${origin}/mcp?as=${agent}`;
  const environment = `export ${VARIABLE}=${key}`;
  const header = `"Authorization: Bearer $${VARIABLE}"`;
  const bearer = { Authorization: `Bearer ${key}` };
  const say =
    invite === undefined
      ? `Read the meet-ai room ${room}, and tell me what is going on there.`
      : `Join the meet-ai room ${room} by the invite ${invite}, and read it.`;
  return [
    {
      id: "claude",
      title: "Claude Code",
      note: "Once, in a shell. Claude Code keeps the key.",
      code: `${environment}
claude mcp add --scope user --transport http \\
  meet-ai "${url("claude")}" \\
  --header ${header}`,
      say,
    },
    {
      id: "codex",
      title: "Codex",
      note: "Codex reads the key from the environment each time: keep the first line in your shell's profile.",
      code: `${environment}
codex mcp add meet-ai --url "${url("codex")}" \\
  --bearer-token-env-var ${VARIABLE}`,
      say,
    },
    {
      id: "gemini",
      title: "Gemini CLI",
      note: "Once, in a shell. Gemini CLI keeps the key.",
      code: `${environment}
gemini mcp add --scope user --transport http \\
  --header ${header} \\
  meet-ai "${url("gemini")}"`,
      say,
    },
    {
      id: "cursor",
      title: "Cursor",
      note: `In ~/.cursor/mcp.json, which is yours alone. In a project's file write \${env:${VARIABLE}} for the key.`,
      code: asJson({ mcpServers: { "meet-ai": { url: url("cursor"), headers: bearer } } }),
      say,
    },
    {
      id: "vscode",
      title: "VS Code",
      note: "In .vscode/mcp.json, or in your profile by “MCP: Open User Configuration”. VS Code asks for the key once, and keeps it.",
      code: asJson({
        inputs: [{ id: INPUT, type: "promptString", password: true, description: "Your meet-ai key" }],
        servers: {
          "meet-ai": {
            type: "http",
            url: url("vscode"),
            headers: { Authorization: `Bearer \${input:${INPUT}}` },
          },
        },
      }),
      say,
    },
    {
      id: "opencode",
      title: "opencode",
      note: "In ~/.config/opencode/opencode.json. Version 1 has no “servers” between “mcp” and the name.",
      code: asJson({ mcp: { servers: { "meet-ai": { type: "remote", url: url("opencode"), headers: bearer } } } }),
      say,
    },
  ];
}

const asJson = (configuration: object): string => JSON.stringify(configuration, undefined, 2);
