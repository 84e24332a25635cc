/** The way to the buttons of a message, for those who come without a pointer: by a key, or by reading on. */

import type { MeetAiMessageTools } from "../message-tools/message-tools.ts";
import { loadTools, type MeetAiMessage } from "./message.ts";

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
