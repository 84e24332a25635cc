/**
 * What the owner and the moderators of a room do against others, and what they are shown of it. Each deed asks the gate
 * (`permissions.ts`) and is written down.
 */

import { type Participant, personOf } from "../identity/sender.ts";
import type { Database } from "../log/sql.ts";
import { type Named, type Reader, refuseModerator } from "../permissions.ts";
import { type Fault, fault } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import type { Deed, DeedPage, MuteTargets } from "../room-rpc.ts";
import { AddressBook } from "./address-book.ts";
import { DeedLog } from "./deed-log.ts";
import { ModerationCopy } from "./moderation-copy.ts";
import { type ModerationStorage, ModerationTables } from "./moderation-tables.ts";

/** Addresses that one mute takes, the newest first. */
export const MOST_ADDRESSES = 8;

export interface ModerationDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly storage: ModerationStorage;
  readonly db: Database;
  /** A name, with what its person is in the room. */
  named(sender: string): Named;
  /** Those who are connected. */
  connected(): Iterable<Participant>;
  keepAlive(work: Promise<unknown>): void;
  /** Asks for `duties` in `delay` ms at the latest. */
  wakeIn(delay: number): void;
}

export class Moderation {
  readonly #deps: ModerationDeps;
  readonly #addresses: AddressBook;
  readonly #tables: ModerationTables;
  readonly #deeds: DeedLog;
  readonly #copy: ModerationCopy;
  #isClosed = false;

  constructor(deps: ModerationDeps) {
    this.#deps = deps;
    const { storage, now, db, wakeIn } = deps;
    const { id, createdAt } = deps.record();
    this.#addresses = new AddressBook({ ...storage, now });
    this.#tables = new ModerationTables(storage);
    this.#deeds = new DeedLog(this.#tables);
    this.#copy = new ModerationCopy({ room: { id, createdAt }, tables: this.#tables, db, wakeIn });
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
    const { now, keepAlive, record } = this.#deps;
    try {
      this.#deeds.add(deed, now(), revision);
    } catch (error) {
      // It is done: that it can't be written down is no reason to say otherwise.
      console.error("A deed was not written down", { room: record().id, deed: deed.deed, error });
      return;
    }
    keepAlive(this.#copy.run());
  }

  /** A page of who did what, newest first. */
  page(reader: Reader | undefined, before: number | undefined, limit: number): DeedPage | Fault {
    return this.refuse(reader) ?? this.#deeds.page(before, limit, this.#deps.now());
  }

  /** `author` has written something, from where they are. */
  wrote(author: Participant): void {
    try {
      this.#addresses.note(author);
    } catch (error) {
      console.error("It was not noted from where somebody writes", { room: this.#deps.record().id, error });
    }
  }

  /** Everything by `sender` was erased. May happen twice. */
  erased(sender: string): void {
    if (this.#isClosed) return;
    this.#addresses.forget(sender);
    this.#deeds.forget(sender);
    this.#deps.keepAlive(this.#copy.run());
  }

  /** What is due when the alarm rings. */
  async duties(): Promise<void> {
    this.#addresses.sweep();
    this.#deeds.sweep(this.#deps.now());
    await this.#copy.run();
  }

  /** The room is gone, and its tables another room's. */
  close(): void {
    this.#isClosed = true;
    this.#copy.close();
  }
}

/** Whether this is `sender`, or an agent of theirs. */
const isOf = (participant: Participant, sender: string): boolean =>
  participant.sender === sender || personOf(participant.sender) === sender;

const NO_ADDRESS = fault("conflict", "It is not known from where they write: mute the name alone.");
