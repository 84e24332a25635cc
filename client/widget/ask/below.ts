/** What stands below the text of a message: the card of an ask, or what becomes of one that the room does not have yet. */

import { html, nothing, type TemplateResult } from "lit";
import { lazily } from "../lazy.ts";
import { delivery } from "../message/delivery.ts";
import type { MeetAiMessage } from "../message/message.ts";

/** The card: loaded with the first ask. Without it one reads the question. */
export const loadAsk = lazily(() => import("./ask.ts"));

export function below({ row, strings, actions, me }: MeetAiMessage): TemplateResult | typeof nothing {
  const { message, state } = row;
  if (message.ask) {
    void loadAsk();
    return html`<meet-ai-ask .row=${row} .strings=${strings} .actions=${actions} .me=${me}></meet-ai-ask>`;
  }
  return state === "kept" || state === "draft" ? nothing : delivery(row, strings, actions);
}
