/**
 * The first step of a message: who may not read here learns nothing else, an answer finds its ask, and the first message to
 * a site's room makes that room. What follows on the way into the log is in `submissions.ts`.
 */

import { askContent } from "../asks/ask.ts";
import type { Submission } from "../asks/ask-parser.ts";
import type { Asks } from "../asks/asks.ts";
import type { Participant } from "../identity/sender.ts";
import type { RoomLog } from "../log/room-log.ts";
import { type Fault, fault, type Seq } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { SiteRoomMaker } from "../sites/site-room-maker.ts";
import type { Outcome } from "./entry.ts";
import type { Submissions } from "./submissions.ts";

export interface AppendingDeps {
  /** What the room is now. */
  record(): RoomRecord;
  readonly log: Pick<RoomLog, "head">;
  readonly submissions: Pick<Submissions, "submit">;
  readonly asks: Pick<Asks, "answer">;
  readonly maker: Pick<SiteRoomMaker, "makeFor">;
  /** Hides what is too old by now. */
  hide(): void;
  /** Why `participant` may not read here. */
  refuseReader(participant: Participant): Fault | undefined;
}

export class Appending {
  readonly #deps: AppendingDeps;

  constructor(deps: AppendingDeps) {
    this.#deps = deps;
  }

  /** Appends a message. `settle` is called once, at once or later. */
  append(
    participant: Participant,
    origin: string | undefined,
    submission: Submission,
    settle: (outcome: Outcome) => void,
  ): void {
    const { record, submissions, asks, maker, hide, refuseReader } = this.#deps;
    hide();
    const replyTo = "answer" in submission ? undefined : submission.replyTo;
    // First of all: a stranger to the room must not learn from another refusal what is in it.
    const refusal = refuseReader(participant) ?? this.refuseReply(replyTo);
    if (refusal) {
      settle(refusal);
      return;
    }
    if ("answer" in submission) {
      asks.answer(participant, origin, submission, settle);
      return;
    }
    const { id, content } = submission;
    const said =
      "ask" in submission
        ? { kind: "ask" as const, content: askContent(content, submission.ask) }
        : { kind: "text" as const, content };
    const message = { id, ...said, sender: participant.sender, ref: replyTo ?? null };
    const entry = { participant, origin, message, settle };
    if (record().unmade) void maker.makeFor(entry);
    else submissions.submit(entry);
  }

  /** Why nothing can answer the message `replyTo`. */
  refuseReply(replyTo: Seq | undefined): Fault | undefined {
    if (replyTo === undefined || replyTo <= this.#deps.log.head) return undefined;
    return fault("invalid", "replyTo names a message that does not exist.");
  }
}
