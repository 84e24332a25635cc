/** Who has written a message, in words. */

import { html, nothing, type TemplateResult } from "lit";
import { personOf } from "../../stay/mentions.ts";
import { senderKind, shortName } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import type { Row } from "./row.ts";

/**
 * An agent after its person; a site's user by what the site calls them, and always with the site behind it, as nobody else
 * is written.
 */
export function senderName(
  { message, name }: Pick<Row, "message" | "name">,
  strings: Strings,
): TemplateResult | string {
  return nameOf(message.sender, name, strings);
}

/** The same of a sender alone. */
export function nameOf(sender: string, name: string | undefined, strings: Strings): TemplateResult | string {
  const kind = senderKind(sender);
  if (kind === "agent") {
    const person = personOf(sender);
    return html`<span title=${strings.agentOf(person)}><span class="owner">${person}/</span>${shortName(sender)}</span>`;
  }
  if (kind !== "user") return sender;
  const [user, site] = sender.split("@");
  return html`<bdi title=${sender}>${name ?? user}</bdi><span class="site"> · ${site}</span>`;
}

/** That it is your own, or what else than a person has written it. */
export function badge({ message, own }: Row, strings: Strings): TemplateResult | typeof nothing {
  const kind = senderKind(message.sender);
  if (own) return html`<span class="badge own">${strings.you}</span>`;
  return kind === "agent" || kind === "guest" ? html`<span class="badge ${kind}">${strings[kind]}</span>` : nothing;
}
