/** Completing `@na…` to a name: what is being typed at the caret, and which names fit. */

import type { RoomState } from "../../view/room-state.ts";

export interface Mention {
  /** Where the `@` stands. */
  readonly start: number;
  /** What follows it, up to the caret. */
  readonly prefix: string;
}

const SUGGESTIONS = 6;

/** The mention that the caret is in, if it is in one. */
export function mentionAt(text: string, caret: number): Mention | undefined {
  const found = /(?:^|[\s(["'])@([~a-z0-9/-]*)$/i.exec(text.slice(0, caret));
  if (!found) return undefined;
  const prefix = (found[1] ?? "").toLowerCase();
  return { start: caret - prefix.length - 1, prefix };
}

/** Who can be mentioned: those who are here, and those who have spoken. */
export function mentionable({ people, messages, you }: RoomState): Set<string> {
  const names = new Set(people);
  for (const { sender } of messages) names.add(sender);
  if (you) names.delete(you.sender);
  return names;
}

/** Names that fit, best first: those that begin with it, then those of which a later word does. */
export function suggestionsFor(prefix: string, senders: Iterable<string>): string[] {
  const starts: string[] = [];
  const contains: string[] = [];
  for (const sender of senders) {
    const name = sender.toLowerCase();
    if (name.startsWith(prefix) || name.replace(/^~/, "").startsWith(prefix)) starts.push(sender);
    else if (name.split(/[-/]/).some((word) => word.startsWith(prefix))) contains.push(sender);
  }
  return [...starts, ...contains].slice(0, SUGGESTIONS);
}

/** The text with the mention completed, and where the caret goes. */
export function complete(
  text: string,
  caret: number,
  mention: Mention,
  sender: string,
): { text: string; caret: number } {
  const before = `${text.slice(0, mention.start)}@${sender} `;
  return { text: before + text.slice(caret).replace(/^ /, ""), caret: before.length };
}
