/** A message as Markdown. What people wrote is quoted, so that nobody takes it for the page's own words. */

import type { Message } from "../party/protocol.ts";

/** One message, with a line break at its end; empty for a kind that is not known. */
export function messageAsText({ seq, sender, content, createdAt, kind, deleted, target, erased }: Message): string {
  const by = sender === "" ? "somebody who was erased" : sender;
  if (kind === "deletion") return `${seq}. ${by} deleted message ${target} (${createdAt})\n`;
  if (kind === "erasure") return `${seq}. ${by} erased everything that ${erased} had said (${createdAt})\n`;
  if (kind !== "text") return "";
  const quoted = (deleted ? "(deleted)" : content).replace(/^/gm, "   > ");
  return `${seq}. **${by}** (${createdAt})\n\n${quoted}\n`;
}
