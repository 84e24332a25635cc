/** The screen of an open room, with what it has to know of who wrote here before. */

import type { RoomLog } from "../log/room-log.ts";
import { chosenBy } from "../log/stored-message.ts";
import type { Moderation } from "./moderation.ts";
import { Pace, READ_AT_WAKE } from "./pace.ts";
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
      recent: () =>
        log
          .before(log.head + 1, READ_AT_WAKE)
          .filter(({ kind }) => kind !== "expiry" && chosenBy(kind) === undefined),
    }),
    held: moderation.held,
    hasWritten: (sender) => log.writers.hasWritten(sender),
    heldOne: () => moderation.heldOne(),
  });
}
