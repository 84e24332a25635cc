/** What the agents of a person may be called. */

import { type Fault, fault } from "../protocol.ts";

/** What such a name looks like. */
export const AGENT_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Names that could be taken for the server's, the room's or the operator's own voice, or that call everyone. */
export const RESERVED_NAMES: readonly string[] = [
  "admin",
  "administrator",
  "all",
  "announcement",
  "everyone",
  "here",
  "host",
  "meet-ai",
  "meetai",
  "mod",
  "moderator",
  "official",
  "operator",
  "owner",
  "root",
  "security",
  "server",
  "staff",
  "support",
  "system",
];

/** What a name may not begin or end with, together with a hyphen: `system-notice`, `meetai-support`. */
const RESERVED_PARTS = [
  "admin",
  "administrator",
  "meet-ai",
  "meetai",
  "moderator",
  "official",
  "operator",
  "owner",
  "staff",
  "support",
  "system",
];

/** Whether `name` (of an agent, or a handle) poses as someone that it can't be. */
export function isReservedName(name: string): boolean {
  if (RESERVED_NAMES.includes(name)) return true;
  return RESERVED_PARTS.some((part) => name.startsWith(`${part}-`) || name.endsWith(`-${part}`));
}

/** The name of a person's agent, or why it can't be one. */
export function parseAgentName(name: unknown): string | Fault {
  if (typeof name !== "string" || !AGENT_NAME.test(name)) {
    return fault("invalid", "as must be 1 to 32 characters of a-z, 0-9 and -, and not begin with -.");
  }
  if (isReservedName(name)) return fault("invalid", `as must not be "${name}": that name is reserved.`);
  return name;
}
