/** The screen of an open room, with what it has to know of who wrote here before: from the room's log, and from D1's index. */

import { traceOf } from "../archive/d1-senders.ts";
import type { Journal, StoredMessage } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { chosenBy, isSaid } from "../log/stored-message.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Moderation } from "./moderation.ts";
import { Newcomers } from "./newcomers.ts";
import { MOST_READ_BACK, Pace } from "./pace.ts";
import type { Rules } from "./rules.ts";
import { Screen } from "./screen.ts";

export interface RoomScreenDeps {
  now(): number;
  /** What the room is now, and its rules. */
  record(): RoomRecord;
  rules(): Rules;
  readonly journal: Journal;
  readonly db: Database;
  readonly moderation: Pick<Moderation, "held" | "heldOne">;
}

export function roomScreen({ now, record, rules, journal, db, moderation }: RoomScreenDeps): Screen {
  return new Screen({
    now,
    rules,
    pace: new Pace({
      now,
      writtenSince: (since) => writtenSince(journal, since),
    }),
    held: moderation.held,
    newcomers: new Newcomers({
      room: () => record().id,
      now,
      journal,
      wroteInD1: async (person) => {
        const { id, createdAt } = record();
        return (await traceOf(db, { id, createdAt }, person))?.wrote ?? false;
      },
    }),
    heldOne: () => moderation.heldOne(),
  });
}

/** Messages are read back so many at a time: in a room that is not busy one step is enough. */
const STEP = 100;

/** What people have written since `since`, newest first, at most `MOST_READ_BACK`. An answer's text is the room's own. */
export function* writtenSince(journal: Pick<Journal, "head" | "before">, since: number): Generator<StoredMessage> {
  let end = journal.head + 1;
  for (let read = 0; read < MOST_READ_BACK; read += STEP) {
    const page = journal.before(end, STEP).toReversed();
    for (const message of page) {
      if (message.at < since) return;
      if (isSaid(message.kind) && chosenBy(message.kind) === undefined) yield message;
    }
    if (page.length < STEP) return;
    end -= STEP;
  }
}
