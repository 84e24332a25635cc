/**
 * What is done to drafts: who may write one, what others may see of it, and when it ends. The texts are in
 * `audience/drafts.ts`.
 */

import type { Audience } from "../audience/audience.ts";
import type { Drafts } from "../audience/drafts.ts";
import type { Socket } from "../audience/socket-state.ts";
import type { Participant } from "../identity/sender.ts";
import { PrincipalQuota } from "../limits/principal-quota.ts";
import type { Screen } from "../moderation/screen.ts";
import type { Reader } from "../permissions.ts";
import type { DraftFrame, Fault, Seq } from "../protocol.ts";

/** So much of the end of a draft is looked at with each new piece: more than a word or the name in a link has. */
const LOOKED_AT = 300;

export interface DraftingDeps {
  now(): number;
  readonly drafts: Drafts;
  readonly audience: Pick<Audience, "noteDrafts" | "takeLostDrafts">;
  readonly screen: Pick<Screen, "refuseDraft">;
  /** Who `participant` is here. */
  reader(participant: Participant): Reader;
  /** Why `participant` may not read here, and why they could not write now. */
  refuseReader(participant: Participant): Fault | undefined;
  refuseWriter(participant: Participant, origin: string | undefined): Fault | undefined;
  /** Why nothing can answer this message. */
  refuseReply(replyTo: Seq | undefined): Fault | undefined;
  /** How many drafts `sender` may begin in a minute. */
  perMinute(sender: string): number;
  /** Drafts have changed, which is to be told at its time. */
  changed(): void;
}

export class Drafting {
  readonly #deps: DraftingDeps;
  readonly #quota = new PrincipalQuota("drafts");

  constructor(deps: DraftingDeps) {
    this.#deps = deps;
  }

  /** Appends to a draft of `participant`, which comes over `socket`, or ends it; why it may not. */
  draft(socket: Socket, participant: Participant, { id, append, whole, replyTo, end }: DraftFrame): Fault | undefined {
    const { drafts, audience, changed } = this.#deps;
    const { sender, principal } = participant;
    const author = { ...participant, connection: socket };
    if (whole || end) drafts.end(sender, id);
    if (end) {
      changed();
      return undefined;
    }
    const begins = !drafts.isUnderWay(author, id);
    const now = this.#deps.now();
    const refusal =
      this.#deps.refuseReader(participant) ??
      this.#deps.refuseReply(replyTo) ??
      this.#deps.refuseWriter(participant, socket.state?.origin) ??
      this.#refusePiece(participant, id, append) ??
      // An empty draft is shown to everybody, too.
      (begins ? this.#quota.take(principal, this.#deps.perMinute(sender), now) : undefined) ??
      drafts.append(author, id, append, now, replyTo);
    if (begins && !refusal) audience.noteDrafts(socket, drafts.idsOver(socket));
    changed();
    return refusal;
  }

  /** Ends the drafts of some, and tells so. */
  endWhere(which: (author: Participant) => boolean): void {
    this.#deps.drafts.endWhere(which);
    this.#deps.changed();
  }

  /** Tells that drafts have ended which the room forgot when it fell asleep. */
  endLost(): void {
    const { audience, drafts, changed } = this.#deps;
    for (const { sender, id } of audience.takeLostDrafts()) drafts.lost(sender, id);
    changed();
  }

  /** Why others may not see this piece of a draft, which ends it. */
  #refusePiece(author: Participant, id: string, append: string): Fault | undefined {
    const { drafts, screen, reader } = this.#deps;
    const { sender } = author;
    const end = drafts.endOf(sender, id, LOOKED_AT);
    const refusal = screen.refuseDraft(reader(author), end + append);
    if (refusal) drafts.end(sender, id);
    return refusal;
  }
}
