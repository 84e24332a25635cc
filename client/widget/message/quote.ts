/** What a message answers, above it: who said it, and how it begins. It leads there. */

import { html, nothing, type TemplateResult } from "lit";
import type { Message } from "../../../party/protocol.ts";
import { excerptOf } from "../prose/index.ts";
import { nameText } from "../sender.ts";
import type { MeetAiMessage } from "./message.ts";

export function quote({ row, strings, actions }: MeetAiMessage): TemplateResult | typeof nothing {
  const { answers, answeredName, message } = row;
  if (answers === undefined) return nothing;
  const target = message.replyTo ?? 0;
  if (answers === "earlier") actions.quote(target);
  // What was not read yet, and what was erased, names nobody.
  const { sender: answered } = answers as Partial<Message>;
  const sender = answered ? nameText(answered, answeredName) : strings.earlier;
  const text = answers === "earlier" ? "" : answers.deleted ? strings.deleted : firstLine(answers);
  return html`<button class="quote" part="quote" type="button" tabindex="-1" title=${strings.jumpTo(sender)}
    @click=${() => actions.goTo(target)}>
    <bdi class="quoted">${sender}</bdi> <span class="excerpt" dir="auto">${text}</span>
  </button>`;
}

const EXCERPT = 120;

/** The beginning of a message, for a quotation of it. */
export function firstLine(message: Message): string {
  const line = excerptOf(message).split("\n", 1)[0] ?? "";
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}
