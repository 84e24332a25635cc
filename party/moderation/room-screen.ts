/** The screen of an open room, with what it has to know of who wrote here before. */

import type { RoomLog } from "../log/room-log.ts";
import { chosenBy, isSaid, type StoredMessage } from "../log/stored-message.ts";
import type { Moderation } from "./moderation.ts";
import { MOST_READ_BACK, Pace } from "./pace.ts";
import type { Rules } from "./rules.ts";
import { Screen } from "./screen.ts";

export interface RoomScreenDeps {
  now(): number;
  rules(): Rules;
  readonly log: RoomLog;
  readonly moderation: Pick<Moderation, "held" | "heldOne">;
}

export function roomScreen({ now, rules, log, moderation }: RoomScreenDeps): Screen {
  return new Screen({
    now,
    rules,
    pace: new Pace({
      now,
      writtenSince: (since) => writtenSince(log, since),
    }),
    held: moderation.held,
    hasWritten: (sender) => log.writers.hasWritten(sender),
    heldOne: () => moderation.heldOne(),
  });
}

/** Messages are read back so many at a time: in a room that is not busy one step is enough. */
const STEP = 100;

/** What people have written since `since`, newest first, at most `MOST_READ_BACK`. An answer's text is the room's own. */
export function* writtenSince(log: Pick<RoomLog, "head" | "before">, since: number): Generator<StoredMessage> {
  let end = log.head + 1;
  for (let read = 0; read < MOST_READ_BACK; read += STEP) {
    const page = log.before(end, STEP).toReversed();
    for (const message of page) {
      if (message.at < since) return;
      if (isSaid(message.kind) && chosenBy(message.kind) === undefined) yield message;
    }
    if (page.length < STEP) return;
    end -= STEP;
  }
}
