/** What a sender string shows: who it is, by its form (the server alone writes it), and how they look. */

import type { TemplateResult } from "lit";
import { html } from "lit";
import { isAgent, personOf } from "../../party/mentions.ts";

export type SenderKind = "person" | "agent" | "guest" | "user";

export function senderKind(sender: string): SenderKind {
  if (sender.startsWith("~")) return "guest";
  if (/@(?!before$)/.test(sender)) return "user";
  return isAgent(sender) ? "agent" : "person";
}

/** What they are called in a line of text: a site's user by what the site calls them, and always with the site. */
export function nameText(sender: string, name: string | undefined): string {
  if (senderKind(sender) !== "user") return sender;
  const [user, site] = sender.split("@");
  return `${name ?? user} · ${site}`;
}

/** What stands first in their messages: the agent's name, or the handle. */
export const shortName = (sender: string): string => sender.slice(sender.indexOf("/") + 1);

/** How many colours there are (`.hue-0` … in `meet-ai-room.styles.ts`). */
const HUES = 12;

/** One of the colours, always the same for one person; an agent has its person's. */
export function hueClass(sender: string): string {
  let hash = 7;
  for (const character of personOf(sender)) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return `hue-${hash % HUES}`;
}

/** Two letters: of a handle's words, or an agent's name. */
function initials(sender: string): string {
  const words = shortName(sender).replace(/^~/, "").split("-");
  const letters = words.length > 1 ? `${words[0]?.[0] ?? ""}${words[1]?.[0] ?? ""}` : (words[0] ?? "").slice(0, 2);
  return letters.toUpperCase();
}

/** A circle for a person, a hexagon for an agent, a dashed ring for a guest, a square for a site's user. Decoration: the name is beside it. */
export function avatar(sender: string): TemplateResult {
  return html`<span class="avatar ${senderKind(sender)} ${hueClass(sender)}" aria-hidden="true">${initials(sender)}</span>`;
}
