/** A message as Markdown. What people wrote is quoted, so that nobody takes it for the page's own words. */

import type { Ask, Message } from "../party/protocol.ts";

/** One message, with a line break at its end; empty for a kind that is not known. */
export function messageAsText(message: Message): string {
  const { seq, content, createdAt, kind, deleted, target, replyTo, erased, ask, answer } = message;
  const by = named(message.sender);
  if (kind === "deletion") return `${seq}. ${by} deleted message ${target} (${createdAt})\n`;
  if (kind === "erasure")
    return `${seq}. ${by} erased everything that ${named(erased ?? "")} had said (${createdAt})\n`;
  if (kind === "expiry") return `${seq}. Nobody answered message ${replyTo} in time (${createdAt})\n`;
  if (kind !== "text") return "";
  const does = ask ? " asks" : answer ? ` answers message ${answer.target} with \`${answer.option}\`` : "";
  const said = quoted(deleted ? "(deleted)" : content);
  const asked = ask
    ? `   >\n${ask.options.map(optionAsText).map(quoted).join("\n")}\n\n   ${standing(seq, ask)}\n`
    : "";
  return `${seq}. **${by}**${does} (${createdAt})\n\n${said}\n${asked}`;
}

const named = (sender: string): string => (sender === "" ? "somebody who was erased" : sender);

const quoted = (text: string): string => text.replace(/^/gm, "   > ");

const optionAsText = ({ id, label }: Ask["options"][number]): string =>
  label === id ? `- \`${id}\`` : `- \`${id}\`: ${label}`;

/** Who may answer and how, or what was answered. */
function standing(seq: number, { from, guests, until, closed }: Ask): string {
  if (closed && "expired" in closed) return `Nobody answered in time (message ${closed.seq}).`;
  if (closed) return `Answered by ${named(closed.by)} with \`${closed.option}\` (message ${closed.seq}).`;
  const whom = from === "people" ? `people with a key${guests ? ", and guests" : ""}` : from.join(", ");
  return `Open until ${until} to ${whom}. To answer, POST \`{"answer":{"target":${seq},"option":"…"}}\` with one of these ids.`;
}
