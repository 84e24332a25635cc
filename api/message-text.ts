/** A message as Markdown. What people wrote is quoted, so that nobody takes it for the page's own words. */

import type { Message } from "../party/protocol.ts";

/** One message, with a line break at its end; empty for a kind that is not known. */
export function messageAsText({ seq, sender, content, createdAt, kind, deleted, target }: Message): string {
  if (kind === "deletion") return `${seq}. ${sender} deleted message ${target} (${createdAt})\n`;
  if (kind !== "text") return "";
  const quoted = (deleted ? "(deleted)" : content).replace(/^/gm, "   > ");
  return `${seq}. **${sender}** (${createdAt})\n\n${quoted}\n`;
}
