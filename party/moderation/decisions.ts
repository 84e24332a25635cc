/**
 * What becomes of a message that waits: a moderator approves it, and it gets its place in the log as its author's, or
 * refuses it. Each happens once, however often and by however many it is asked for.
 *
 * An approval is a moderator's word: it counts also where the room's rules have changed since, or the author's last message
 * is too new. It does not reach past a mute, or let somebody speak who may not read the room any more.
 */

import type { Participant } from "../identity/sender.ts";
import type { RoomLog } from "../log/room-log.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Reader, refuseBySettings, refuseClosed, refuseReader } from "../permissions.ts";
import { type BadFrame, type Fault, fault, isFault, type Seq } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Entry, Outcome } from "../writes/entry.ts";
import type { HeldMessage } from "./held-messages.ts";
import type { Moderation } from "./moderation.ts";
import { REFUSED } from "./screen.ts";

export interface DecisionsDeps {
  now(): number;
  record(): RoomRecord;
  reader(participant: Participant): Reader;
  readonly moderation: Moderation;
  readonly log: Pick<RoomLog, "get">;
  place(entry: Entry & { readonly approved: true }): void;
  /** Tells the sockets of a sender of a refusal. */
  tellAuthor(sender: string, refusal: BadFrame): void;
}

/** What no Limiter is called: the author has paid. */
const NOBODYS = "held";

export class Decisions {
  readonly #deps: DecisionsDeps;
  /** Approved messages that have no place yet, by their ids. */
  readonly #placing = new Map<string, Promise<Outcome>>();

  constructor(deps: DecisionsDeps) {
    this.#deps = deps;
  }

  /** Gives the held message `id` its place. */
  async approve(reader: Reader | undefined, id: string): Promise<Outcome> {
    const { moderation, log } = this.#deps;
    const refusal = moderation.refuse(reader);
    if (refusal || !reader) return refusal as Fault;
    const held = moderation.find(id);
    if (!held) return NO_SUCH;
    if (held.state === "refused") return DECIDED;
    if (held.state === "approved") {
      const placed = log.get(held.seq as Seq);
      return placed ? { message: placed, repeated: true } : NO_SUCH;
    }
    return this.#refuseAuthor(held) ?? this.#place(held, reader);
  }

  /** Refuses the held message `id`; its author hears of it. */
  async refuse(reader: Reader | undefined, id: string): Promise<Fault | undefined> {
    const { moderation, tellAuthor } = this.#deps;
    const refusal = moderation.refuse(reader);
    if (refusal || !reader) return refusal as Fault;
    // Another moderator was first, unless the message gets no place after all.
    await this.#placing.get(id);
    const held = moderation.find(id);
    if (!held) return NO_SUCH;
    if (held.state === "approved") return DECIDED;
    if (held.state === "refused") return undefined;
    moderation.decided(held, reader, "refused");
    tellAuthor(held.sender, { ...REFUSED, about: "send", id: held.message });
    return undefined;
  }

  /** Places a message that waits, once however many ask for it meanwhile. */
  async #place(held: HeldMessage, reader: Reader): Promise<Outcome> {
    const earlier = this.#placing.get(held.id);
    if (earlier) return repeated(await earlier);
    const placing = this.#placed(held, reader);
    this.#placing.set(held.id, placing);
    try {
      return await placing;
    } finally {
      this.#placing.delete(held.id);
    }
  }

  #placed(held: HeldMessage, reader: Reader): Promise<Outcome> {
    const { sender, message: id, kind, content, ref } = held;
    return new Promise((resolve) => {
      this.#deps.place({
        participant: authorOf(held),
        origin: undefined,
        message: { id, kind, sender, content, ref },
        approved: true,
        settle: (outcome) => {
          // In the turn in which it got its place: no crash comes between the two.
          try {
            const isFirst = !isFault(outcome) && this.#deps.moderation.find(held.id)?.state === "waiting";
            if (isFirst) this.#deps.moderation.decided(held, reader, { seq: outcome.message.seq });
          } catch (error) {
            // It has its place. Asked for again, it is found there.
            logEvent("moderation.approval_not_noted", { room: this.#deps.record().id, error });
          }
          resolve(outcome);
        },
      });
    });
  }

  /** Why its author may not have it said now. */
  #refuseAuthor(held: HeldMessage): Fault | undefined {
    const { record, reader, now } = this.#deps;
    const room = record();
    const closed = refuseClosed(room.settings);
    if (closed) return closed;
    const author = reader(authorOf(held));
    // What a site's user may read is said by a token, which nobody has here.
    const mayNotRead = held.sender.includes("@") ? undefined : refuseReader(room, author);
    if (mayNotRead) return fault("conflict", "Its author may not read this room any more: refuse the message.");
    const refusal = refuseBySettings(room, author, undefined, now());
    return refusal && fault("conflict", "Its author may not write here now: lift that first, or refuse the message.");
  }
}

const repeated = (outcome: Outcome): Outcome => (isFault(outcome) ? outcome : { ...outcome, repeated: true });

const authorOf = ({ sender, tag }: HeldMessage): Participant => ({
  sender,
  principal: NOBODYS,
  ...(tag !== null && { behind: tag }),
});

const NO_SUCH = fault("not_found", "No such message waits here.");
const DECIDED = fault("conflict", "Another moderator has decided otherwise.");
