/**
 * Erasures in the room's own storage: which are under way, and a step of carrying them out. What they take is not shown from
 * the moment at which the erasure is in the log, so the overwriting may take its time. D1's part is in `eraser.ts`.
 */

import { type Seq, takesSender } from "../protocol.ts";
import { type Erasure, takes, tombstone, withErasures } from "./erasure.ts";
import { ErasureTable, type ErasureUnderWay } from "./erasure-table.ts";
import type { ParkedMessages } from "./parked-messages.ts";
import type { Segments } from "./segments.ts";
import type { Sql } from "./sql.ts";
import type { StoredMessage } from "./stored-message.ts";

/** So many messages are looked at, at once, for those that an erasure takes: the room does nothing else meanwhile. */
export const ERASED_AT_ONCE = 512;

export interface RoomEraserDeps {
  /** Throws `Closed` when the log is closed. */
  sql(): Sql;
  readonly segments: Segments;
  readonly parked: ParkedMessages;
}

export class RoomEraser {
  readonly #deps: RoomEraserDeps;
  #table: ErasureTable | undefined;

  constructor(deps: RoomEraserDeps) {
    this.#deps = deps;
  }

  /** Opens what the log has of erasures: when there is a log. */
  open(): void {
    this.#table = new ErasureTable(this.#deps.sql());
  }

  /** The erasures that have not been carried out everywhere, oldest first. What is read of D1 has to be read through them. */
  get underWay(): readonly ErasureUnderWay[] {
    this.#deps.sql();
    return this.#table?.underWay ?? [];
  }

  /** The seq of the newest erasure that is known here; 0 when there is none. */
  get newest(): Seq {
    this.#deps.sql();
    return this.#table?.newest ?? 0;
  }

  /** Messages as readers see them: those that an erasure takes are not overwritten at once. */
  read(stored: readonly (StoredMessage | undefined)[]): StoredMessage[] {
    const messages = stored.filter((message) => message !== undefined);
    const { underWay } = this;
    return underWay.length === 0 ? messages : messages.map((message) => withErasures(message, underWay));
  }

  /** Begins erasures that come with messages that are appended. In their transaction; `refresh` follows it. */
  begin(erasures: readonly Erasure[]): void {
    this.#table?.add(erasures, this.#deps.segments.oldest);
  }

  /** Looks again at what is stored: after a transaction. */
  refresh(): void {
    this.#table?.refresh();
  }

  /** Whether there is anything here that an erasure of `sender` would take now. */
  hasWritten(sender: string): boolean {
    const { segments, parked } = this.#deps;
    const erased = this.underWay.filter((erasure) => takesSender(erasure.sender, sender));
    const after = Math.max(0, ...erased.map(({ upTo }) => upTo));
    return segments.hasSender(sender, after) || parked.by(sender).some(({ seq }) => seq > after);
  }

  /** Who has written the messages up to `seq` that are here, but for what is erased. */
  sendersUpTo(seq: Seq): Set<string> {
    const senders = this.#deps.segments.lastOfEachSender(seq).filter(({ sender, last }) => {
      return sender !== "" && !this.underWay.some((erasure) => takes(erasure, { seq: last, sender }));
    });
    return new Set(senders.map(({ sender }) => sender));
  }

  /** Overwrites what the oldest unfinished erasure takes, as far as one step goes. Whether there is more to do. */
  step(): boolean {
    const erasure = this.underWay.find(({ here, upTo }) => here < upTo);
    if (!erasure) return false;
    const { segments, parked } = this.#deps;
    const looked = segments.after(Math.max(erasure.here, segments.oldest - 1), ERASED_AT_ONCE);
    const last = looked.at(-1)?.seq ?? erasure.upTo;
    const taken = (messages: readonly StoredMessage[]) =>
      messages.filter((message) => takes(erasure, message)).map(tombstone);
    segments.transaction(() => {
      segments.overwrite(taken(looked));
      parked.overwrite(taken(parked.by(erasure.sender)));
      this.#table?.advance({ ...erasure, here: Math.min(erasure.upTo, last) });
    });
    this.refresh();
    return this.underWay.some(({ here, upTo }) => here < upTo);
  }

  /** Notes that D1 has carried out the erasure `seq` up to a message. */
  markErased(seq: Seq, archived: Seq): void {
    const erasure = this.underWay.find((erasure) => erasure.seq === seq);
    if (!erasure) return;
    this.#table?.advance({ ...erasure, archived: Math.min(erasure.upTo, archived) });
    this.refresh();
  }

  /**
   * Notes that D1 has taken up erasures, and nothing of them is carried out there: perhaps again, as it was set back. `head`
   * is the room's newest seq.
   */
  again(erasures: readonly Erasure[], head: Seq): void {
    if (erasures.length === 0) return;
    const known = new Map(this.underWay.map((erasure) => [erasure.seq, erasure]));
    this.#deps.segments.transaction(() => {
      for (const erasure of erasures) {
        const underWay = known.get(erasure.seq);
        if (underWay) this.#table?.advance({ ...underWay, archived: 0 });
        // Here it was carried out before.
        else this.#table?.add([erasure], head + 1);
      }
    });
    this.refresh();
  }

  /** Ends those before `first` that D1 (which has the log up to `archived`) was never brought: what they take is gone, too. */
  endBefore(first: Seq, archived: Seq): void {
    const gone = this.underWay.filter(({ seq }) => seq < first && seq > archived);
    for (const erasure of gone) this.#table?.advance({ ...erasure, here: erasure.upTo, archived: erasure.upTo });
  }
}
