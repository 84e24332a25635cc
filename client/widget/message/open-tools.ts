/** The way to the buttons of a message, for those who come without a pointer: by a key, or by reading on. */

import { html, nothing, type TemplateResult } from "lit";
import type { MeetAiMessageTools } from "../message-tools/message-tools.ts";
import { loadTools, type MeetAiMessage } from "./message.ts";

/** The buttons of a message under the pointer or with the focus; for a reader who has neither, one that leads to them. */
export function tools(message: MeetAiMessage): TemplateResult | typeof nothing {
  const { row, strings, actions, active } = message;
  if (row.state !== "kept" || row.message.deleted) return nothing;
  if (!active) {
    return html`<button class="to-tools" type="button" tabindex="-1" @click=${() => enterTools(message)}>${strings.tools}</button>`;
  }
  void loadTools();
  return html`<meet-ai-message-tools .row=${row} .strings=${strings} .actions=${actions}></meet-ai-message-tools>`;
}

/** Shows the buttons of a message and gives them; `null` where it has none. */
async function openTools(message: MeetAiMessage): Promise<MeetAiMessageTools | null> {
  message.focus({ preventScroll: true });
  await loadTools();
  await message.updateComplete;
  const tools = message.querySelector("meet-ai-message-tools");
  await tools?.updateComplete;
  return tools;
}

/** Puts the focus on the first button. */
export async function enterTools(message: MeetAiMessage): Promise<void> {
  (await openTools(message))?.querySelector("button")?.focus({ preventScroll: true, focusVisible: true });
}

/** Asks whether the message is to be deleted. */
export async function askDelete(message: MeetAiMessage): Promise<void> {
  const { deletable, message: shown } = message.row;
  if (deletable && !shown.deleted) (await openTools(message))?.askDelete();
}

/** Copies the message's link. */
export async function copyLink(message: MeetAiMessage): Promise<void> {
  const { state, message: shown } = message.row;
  if (state === "kept" && !shown.deleted) await (await openTools(message))?.copyLink();
}
