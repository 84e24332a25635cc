/** The roles of a room's members, in the words of the page. */

import { html, type TemplateResult } from "lit";
import type { MemberRole } from "../../../party/protocol.ts";

export const ROLE_WORDS: Readonly<Record<MemberRole, string>> = {
  reader: "reader: reads",
  member: "member: reads and writes",
  moderator: "moderator: decides over others, too",
};

/** The options of a field for a role; only an owner gives that of a moderator. */
export function roleOptions(isOwner: boolean, chosen: MemberRole = "member"): TemplateResult[] {
  const roles = Object.entries(ROLE_WORDS).filter(([role]) => isOwner || role !== "moderator");
  return roles.map(([role, words]) => html`<option value=${role} ?selected=${role === chosen}>${words}</option>`);
}
