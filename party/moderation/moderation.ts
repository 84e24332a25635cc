/**
 * What the owner and the moderators of a room do against others, and what they are shown of it. Each deed asks the gate
 * (`permissions.ts`) and is written down.
 */

import { readAsk, toHeldAsk } from "../asks/ask.ts";
import { type Participant, personOf } from "../identity/sender.ts";
import { contentOf } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { mayModerate, type Named, type Reader, refuseModerator } from "../permissions.ts";
import { type Fault, fault, type HeldFrame } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Deed, DeedPage, Held, MuteTargets } from "../room-rpc.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { AddressBook } from "./address-book.ts";
import { DeedLog } from "./deed-log.ts";
import { HELD_FOR, type HeldMessage, HeldMessages } from "./held-messages.ts";
import { ModerationTables } from "./moderation-tables.ts";

/** Addresses that one mute takes, the newest first. */
export const MOST_ADDRESSES = 8;
/** Moderators are told at most this often how many messages wait, ms. */
const TOLD_EVERY = 200;

export interface ModerationDeps {
  now(): number;
  /** Calls `run` once, `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** What the room is now. */
  record(): RoomRecord;
  readonly storage: RoomStorage;
  /** A name, with what its person is in the room. */
  named(sender: string): Named;
  /** Who a participant is in the room. */
  reader(participant: Participant): Reader;
  /** Those who are connected. */
  connected(): Iterable<Participant>;
  /** Tells those for whom `which` holds. */
  tell(frame: HeldFrame, which: (participant: Participant) => boolean): void;
  /** For how long messages are kept, ms. */
  keptFor(): number;
  /** Something has changed that D1 keeps a copy of. */
  copyLater(): void;
  /** Asks for `sweep` in `delay` ms at the latest. */
  wakeIn(delay: number): void;
}

export class Moderation {
  readonly #deps: ModerationDeps;
  readonly #addresses: AddressBook;
  readonly #deeds: DeedLog;
  /** What waits for a moderator. */
  readonly held: HeldMessages;
  #isClosed = false;
  #isToTell = false;

  constructor(deps: ModerationDeps) {
    this.#deps = deps;
    const { storage, now } = deps;
    const tables = new ModerationTables(storage);
    this.#addresses = new AddressBook({ storage, now });
    this.#deeds = new DeedLog(tables);
    this.held = new HeldMessages(tables);
  }

  /** Why `reader` may not moderate here, or not against `target`. */
  refuse(reader: Reader | undefined, target?: string): Fault | undefined {
    return refuseModerator(this.#deps.record(), reader, target === undefined ? undefined : this.#deps.named(target));
  }

  /** Whether `reader` may moderate, or mute `sender`, and for `address` also which addresses that takes. Changes nothing. */
  targets(reader: Reader | undefined, sender: string | undefined, how: "name" | "address"): MuteTargets | Fault {
    const refusal = this.refuse(reader, sender);
    if (refusal || !reader) return refusal as Fault;
    if (how === "name" || sender === undefined) return { by: reader.sender, tags: [] };
    const connected = [...this.#deps.connected()].filter((participant) => isOf(participant, sender));
    const live = connected.map(({ behind }) => behind).filter((tag) => tag !== undefined);
    const tags = [...new Set([...live, ...this.#addresses.tagsOf(sender)])].slice(0, MOST_ADDRESSES);
    return tags.length > 0 ? { by: reader.sender, tags } : NO_ADDRESS;
  }

  /** Somebody has done something here. What is told under a `revision` of the room's row is written down once. */
  note(deed: Deed, revision?: number): void {
    if (this.#isClosed) return;
    const { now, record } = this.#deps;
    try {
      this.#deeds.add(deed, now(), revision);
    } catch (error) {
      // It is done: that it can't be written down is no reason to say otherwise.
      logEvent("moderation.deed_not_noted", { room: record().id, deed: deed.deed, error });
      return;
    }
    this.#changed();
  }

  /** A page of who did what, newest first. */
  page(reader: Reader | undefined, before: number | undefined, limit: number): DeedPage | Fault {
    return this.refuse(reader) ?? this.#deeds.page(before, limit, this.#deps.now());
  }

  /** What waits: all of it for those who moderate, and for others what is theirs or their agents'. */
  waiting(reader: Reader | undefined): Held[] | Fault {
    const now = this.#deps.now();
    const refusal = this.refuse(reader);
    if (!refusal) return this.held.waiting(now).map(shown);
    // Whoever may not read the room is told no more than that.
    if (!reader || refusal.fault === "unauthorized") return refusal;
    return this.held.waiting(now, reader.sender).map(shown);
  }

  /** A message that waits, or was decided lately. */
  find(id: string): HeldMessage | undefined {
    const held = this.held.get(id);
    return held && held.at > this.#deps.now() - HELD_FOR ? held : undefined;
  }

  /** A message has been held. */
  heldOne(): void {
    this.#deps.wakeIn(Math.min(HELD_FOR, this.#deps.keptFor()));
    this.#changed();
    this.#tellModerators();
  }

  /** `reader` has decided what becomes of a message that waited. */
  decided(held: HeldMessage, reader: Reader, outcome: { readonly seq: number } | "refused"): void {
    if (outcome === "refused") this.held.refuse(held);
    else this.held.approve(held, outcome);
    const by = { by: reader.sender, target: held.sender };
    this.note(outcome === "refused" ? { ...by, deed: "refuse" } : { ...by, deed: "approve", detail: outcome });
    this.#tellModerators();
  }

  /** What somebody who has just come is told of what waits; `undefined` when there is nothing that they may know. */
  greeting(participant: Participant): HeldFrame | undefined {
    if (!mayModerate(this.#deps.reader(participant))) return undefined;
    const waiting = this.held.count(this.#deps.now());
    return waiting > 0 ? { type: "held", waiting } : undefined;
  }

  /** `author` has written something, from where they are. */
  wrote(author: Participant): void {
    try {
      this.#addresses.note(author);
    } catch (error) {
      logEvent("moderation.address_not_noted", { room: this.#deps.record().id, error });
    }
  }

  /** Everything by `sender` was erased. May happen twice. */
  erased(sender: string): void {
    if (this.#isClosed) return;
    this.#addresses.forget(sender);
    this.#deeds.forget(sender);
    this.held.forget(sender);
    this.#changed();
    this.#tellModerators();
  }

  /** Lets go of what is kept for a time. */
  sweep(): void {
    const { now, wakeIn, keptFor } = this.#deps;
    // Also where nothing happens any more: what is kept for a time is not kept for longer.
    const due = [this.#addresses.sweep(), this.#deeds.sweep(now()), this.held.sweep(now(), keptFor())];
    const next = Math.min(...due.map((delay) => delay ?? Number.POSITIVE_INFINITY));
    if (next < Number.POSITIVE_INFINITY) wakeIn(next);
  }

  /** The room is gone, and its tables another room's. */
  close(): void {
    this.#isClosed = true;
  }

  #changed(): void {
    this.#deps.copyLater();
  }

  /** Tells those who decide here, and nobody else, how many messages wait: soon, and once for all that has changed. */
  #tellModerators(): void {
    if (this.#isToTell) return;
    this.#isToTell = true;
    this.#deps.schedule(TOLD_EVERY, () => {
      this.#isToTell = false;
      if (this.#isClosed) return;
      const { tell, reader, now, record } = this.#deps;
      try {
        const frame = { type: "held", waiting: this.held.count(now()) } as const;
        tell(frame, (participant) => mayModerate(reader(participant)));
      } catch (error) {
        // They are told with the next change.
        logEvent("storage.unreadable", { room: record().id, error });
      }
    });
  }
}

/** Whether this is `sender`, or an agent of theirs. */
const isOf = (participant: Participant, sender: string): boolean =>
  participant.sender === sender || personOf(participant.sender) === sender;

const NO_ADDRESS = fault("conflict", "It is not known from where they write: mute the name alone.");

const shown = ({ id, message, sender, kind, content, ref, at, why }: HeldMessage): Held => ({
  id,
  messageId: message,
  sender,
  content: contentOf({ kind, content }),
  ...(kind === "ask" && { ask: toHeldAsk(readAsk(content).terms) }),
  ...(ref !== null && { replyTo: ref }),
  at: new Date(at).toISOString(),
  why,
});
