/** The screen of an open room, with what it has to know of who wrote here before: from the room's log, and from D1's index. */

import { traceOf } from "../archive/d1-senders.ts";
import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { chosenBy } from "../log/stored-message.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Moderation } from "./moderation.ts";
import { Newcomers } from "./newcomers.ts";
import { Pace, READ_AT_WAKE } from "./pace.ts";
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
      recent: () =>
        journal
          .before(journal.head + 1, READ_AT_WAKE)
          .filter(({ kind }) => kind !== "expiry" && chosenBy(kind) === undefined),
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
