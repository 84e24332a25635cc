/**
 * What an agent wants to do becomes a question to people in the room. Nothing is allowed that nobody has allowed: without an
 * answer in time it is denied.
 */

import { createHash } from "node:crypto";
import type { AskOption } from "../../party/protocol.ts";
import { visibleLine } from "../cli/visible-text.ts";
import { RoomError } from "../stay/room-error.ts";
import type { Stay } from "../stay/stay.ts";
import type { PermissionOption, PermissionRequest } from "./agent.ts";
import type { MessageName } from "./turn-record.ts";

export interface PermissionDeps {
  readonly stay: Pick<Stay, "ask">;
  /** Who decides. Nobody: everything is denied. */
  readonly from: "people" | readonly string[];
  /** How long people have, ms. */
  readonly patience: number;
  /** How far the server's clock is ahead of this machine's, ms. */
  readonly clockAhead: number;
  note(text: string): void;
}

/** Options that an ask has. */
const [FEWEST, MOST] = [2, 6];
/** Senders whom an ask may name. */
const MOST_ASKED = 20;
/** How long the room may take to say that time has run out, ms. */
const GRACE = 60_000;

/** Asks people for permissions. The same one that is asked again after a crash is the same ask, and finds its answer. */
export function permissionAsker({ stay, from, patience, clockAhead, note }: PermissionDeps) {
  /** How often the same was asked in the turn under way. */
  const asked = new Map<string, number>();
  let underWay: MessageName | undefined;
  return async (request: PermissionRequest, turn: MessageName, signal: AbortSignal): Promise<string | undefined> => {
    const { title } = request;
    const options = request.options.slice(0, MOST);
    if (options.length < FEWEST || from.length === 0) {
      note(`Denied, because nobody can be asked: ${title}`);
      return undefined;
    }
    const question = `May I do this?\n\n\`${title.replaceAll("`", "'").slice(0, 1_000)}\``;
    if (turn !== underWay) asked.clear();
    underWay = turn;
    const key = JSON.stringify([turn.sender, turn.id, question]);
    const count = (asked.get(key) ?? 0) + 1;
    asked.set(key, count);
    const choices = choicesOf(options);
    note(`Asking: ${title}`);
    try {
      const { option, by } = await stay.ask(question, {
        options: choices,
        from: from === "people" ? from : from.slice(0, MOST_ASKED),
        until: new Date(Date.now() + clockAhead + patience).toISOString(),
        id: `may-${createHash("sha256").update(`${key} ${count}`).digest("base64url")}`,
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience + GRACE)]),
      });
      note(`${visibleLine(by)}: ${option}`);
      return options[choices.findIndex(({ id }) => id === option)]?.id;
    } catch (error) {
      if (signal.aborted) return undefined;
      const why = error instanceof RoomError ? visibleLine(error.message) : "nobody has answered in time";
      note(`Denied, because ${why}`);
      return undefined;
    }
  };
}

/** The agent's options as a room takes them: each with an id of its own, in small letters. */
function choicesOf(options: readonly PermissionOption[]): AskOption[] {
  const taken = new Set<string>();
  return options.map(({ label }, index) => {
    const slug = label
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 28);
    const id = slug && !taken.has(slug) ? slug : `option-${index + 1}`;
    taken.add(id);
    return { id, label: [...label].slice(0, 80).join("") || id };
  });
}
