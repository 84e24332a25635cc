/**
 * Deletions of one message: who may, what was deleted already, and the entry in the log. It empties its target in the room
 * at once, and D1's copy follows.
 */

import { type Participant, personOf } from "../identity/sender.ts";
import { PrincipalQuota } from "../limits/principal-quota.ts";
import type { RoomLog } from "../log/room-log.ts";
import { isSaid, type StoredMessage } from "../log/stored-message.ts";
import { mayDelete, type Named, type Reader } from "../permissions.ts";
import { type Fault, fault, isFault, type Seq } from "../protocol.ts";
import { type Deed, NOT_STARTED } from "../room-rpc.ts";
import type { Entry, Outcome } from "./entry.ts";

export interface DeletionsDeps {
  now(): number;
  readonly log: RoomLog;
  /** Who `participant` is here, and what the name under a message is. */
  reader(participant: Participant): Reader;
  named(sender: string): Named;
  /** Why `participant` may not read here. */
  refuseReader(participant: Participant): Fault | undefined;
  /** Hides what is too old by now. */
  hide(): void;
  /** How many `sender` may delete in a minute. */
  perMinute(sender: string): number;
  /** Why the message `seq` can't be read yet, where it is still to be brought back from D1. */
  refuseMissing(seq: Seq): Fault | undefined;
  submit(entry: Entry): void;
  /** Somebody has done this to another. */
  did(deed: Deed): void;
}

export class Deletions {
  readonly #deps: DeletionsDeps;
  readonly #quota = new PrincipalQuota("deletions");
  #isClosed = false;

  constructor(deps: DeletionsDeps) {
    this.#deps = deps;
  }

  /** The room is gone: nothing is deleted any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Deletes a message. It is a deed where the message was somebody else's. */
  async delete(participant: Participant, seq: Seq): Promise<Outcome> {
    if (this.#isClosed) return NOT_STARTED;
    const { log, hide, refuseReader, refuseMissing, submit, did } = this.#deps;
    hide();
    const refusal = refuseReader(participant);
    if (refusal) return refusal;
    if (seq > log.head || seq < log.first) return notFound(seq);
    const target = log.get(seq);
    if (!target) return refuseMissing(seq) ?? notFound(seq);
    // Before others have to hear of it.
    const settled = this.#settled(participant, target) ?? this.refuse(participant);
    if (settled) return settled;
    const { sender } = participant;
    const message = { id: deletionId(seq), kind: "deletion" as const, sender, content: "", ref: seq };
    const refuse = () => refuseReader(participant) ?? this.#refuse(participant, target);
    const outcome = await new Promise<Outcome>((settle) =>
      submit({ participant, origin: undefined, message, refuse, settle }),
    );
    if (isFault(outcome)) return outcome;
    if (!outcome.repeated && personOf(target.sender) !== sender) {
      did({ by: sender, deed: "delete", target: target.sender, detail: { seq } });
    }
    return outcome;
  }

  /** Why `participant` may not have another deletion now; counts it when they may. */
  refuse({ principal, sender }: Participant): Fault | undefined {
    return this.#quota.take(principal, this.#deps.perMinute(sender), this.#deps.now());
  }

  /** What a deletion of `target` comes to when nothing needs to be appended: it may not be, or has been already. */
  #settled(participant: Participant, target: StoredMessage): Outcome | undefined {
    if (!isSaid(target.kind)) return notFound(target.seq);
    const refusal = this.#refuse(participant, target);
    if (refusal) return refusal;
    const earlier = this.#deps.log.deletionOf(target.seq);
    return target.content === "" || earlier ? { message: earlier ?? target, repeated: true } : undefined;
  }

  #refuse(participant: Participant, target: StoredMessage): Fault | undefined {
    const { reader, named } = this.#deps;
    return mayDelete(reader(participant), named(target.sender)) ? undefined : NOT_YOURS;
  }
}

/** The id under which the deletion of `seq` stands in the log: a repeated one is recognised by it. */
export const deletionId = (seq: Seq): string => `delete:${seq}`;

const NOT_YOURS = fault("forbidden", "Only its author and those who decide in the room may delete a message.");

const notFound = (seq: Seq): Fault => fault("not_found", `There is no message ${seq} to delete.`);
