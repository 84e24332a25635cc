/** Who has written a message, in words. */

import { html, nothing, type TemplateResult } from "lit";
import { personOf } from "../../../party/mentions.ts";
import { senderKind, shortName } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import type { Row } from "./row.ts";

/**
 * An agent after its person; a site's user by what the site calls them, and always with the site behind it, as nobody else
 * is written.
 */
export function nameOf(sender: string, name: string | undefined, strings: Strings): TemplateResult | string {
  const kind = senderKind(sender);
  if (kind === "agent") {
    const person = personOf(sender);
    return html`<span class="owner" title=${strings.agentOf(person)}>${person}/</span>${shortName(sender)}`;
  }
  if (kind !== "user") return sender;
  const [user, site] = sender.split("@");
  return html`<bdi title=${sender}>${name ?? user}</bdi><span class="owner site"> · ${site}</span>`;
}

/** That it is your own, or what else than a person has written it. */
export function badge({ message, own }: Row, strings: Strings): TemplateResult | typeof nothing {
  const kind = own ? "own" : senderKind(message.sender);
  if (kind === "person" || kind === "user") return nothing;
  return html`<span class="badge ${kind}">${strings[kind === "own" ? "you" : kind]}</span>`;
}
