/**
 * From "erase everything that this sender has said" to its end: an entry in the log, from which on nobody is shown any of
 * it, and then the work of overwriting it, here and in D1, some at a time. That work survives every crash, because the log
 * says what is to be done.
 */

import type { Archive } from "../archive/archive.ts";
import { type Order, type Trace, traceOf } from "../archive/d1-senders.ts";
import { operator, type Participant, personOf, sha256Hex } from "../identity/sender.ts";
import { Closed } from "../log/closed.ts";
import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault, isFault, type Seq, takesSender } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { type ErasureProgress, NOT_STARTED } from "../room-rpc.ts";
import type { Entry, Outcome } from "./entry.ts";

export interface ErasuresDeps {
  /** What the room is now. */
  record(): RoomRecord;
  readonly journal: Journal;
  readonly archive: Archive;
  readonly db: Database;
  submit(entry: Entry): void;
  /** Why this participant may not erase what `sender` has said. */
  refuse(participant: Participant, sender: string): Fault | undefined;
  /** Why they may not have another erasure now; the operator always may. */
  refuseAnother(participant: Participant): Fault | undefined;
  /** `by` has erased everything by `sender`: what they are writing ends, too. Its entry has this seq. */
  erased(sender: string, by: string, seq: Seq): void;
  /** Lets go of what the room knows of `sender` beside its log. `erased` does, too. */
  forget(sender: string): void;
  /** Calls `run` once, `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** Asks for `carryOut` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

/** Who asks for an erasure waits for so many runs of the archive: the first copies the entry, the others carry it out. */
const RUNS_WAITED_FOR = 3;
/** While it is found out who wrote here, some of it is done this often, ms. */
const INDEXING_PAUSE = 100;
/** After a failure of the room's own storage the next try comes after this, ms. */
const RETRY = 60_000;

export class Erasures {
  readonly #deps: ErasuresDeps;
  #isClosed = false;
  /** The operator waits to be told whether somebody wrote here, of which D1 does not know. */
  #isIndexing = false;

  constructor(deps: ErasuresDeps) {
    this.#deps = deps;
  }

  /** Stops: nothing more is erased, and nothing asked for. */
  close(): void {
    this.#isClosed = true;
  }

  /** Erases what `sender` has said up to now, with what their agents have. Answers after a moment, done or not. */
  async erase(participant: Participant, sender: string): Promise<ErasureProgress | Fault> {
    const progress = await this.#erase(participant, sender);
    // They may have said nothing that has a place in the log.
    if (!isFault(progress)) this.#deps.forget(sender);
    return progress;
  }

  async #erase(participant: Participant, sender: string): Promise<ErasureProgress | Fault> {
    const { journal } = this.#deps;
    if (this.#isClosed) return NOT_STARTED;
    const forbidden = this.#deps.refuse(participant, sender);
    if (forbidden) return forbidden;
    if (!journal.eraser.hasWritten(sender)) {
      if (this.#isPending(sender)) return this.#progressOf(sender);
      let trace = await this.#traceOf(sender);
      if (!isFault(trace) && !trace.wrote && trace.unindexed) {
        await this.#index();
        if (!this.#isClosed && !this.#isIndexing) trace = await this.#traceOf(sender);
      }
      if (this.#isClosed) return NOT_STARTED;
      if (isFault(trace)) return trace;
      if (!trace.wrote && !trace.unindexed) return { pending: false };
      // The operator asks every room: one gets no entry about a sender who may never have been in it.
      if (!trace.wrote && participant.isOperator) return { pending: true };
    }
    const refusal = this.#deps.refuseAnother(participant) ?? (await this.#append(participant, sender, journal.head));
    return refusal ?? this.#progressOf(sender);
  }

  /** Overwrites what is erased and here. Each step is a turn of its own. */
  async carryOut(): Promise<void> {
    const { journal, schedule, wakeIn, record } = this.#deps;
    if (this.#isIndexing) await this.#index();
    try {
      while (!this.#isClosed && journal.eraser.step()) await new Promise<void>((resolve) => schedule(0, resolve));
    } catch (error) {
      if (error instanceof Closed) return;
      logEvent("erasure.delayed_here", { room: record().id, error });
      wakeIn(RETRY);
    }
  }

  /** The operator has erased senders everywhere, before D1 knew that they had written here. */
  async obey(orders: readonly Order[]): Promise<void> {
    const { journal, wakeIn } = this.#deps;
    for (const { sender_hash: hash, at } of orders) {
      if (this.#isClosed) return;
      const upTo = journal.lastAtOrBefore(Date.parse(at));
      for (const sender of journal.eraser.sendersUpTo(upTo)) {
        const names = [sender, personOf(sender)];
        const hashes = await Promise.all(names.map(sha256Hex));
        const name = names.find((_, index) => hashes[index] === hash);
        if (this.#isClosed) return;
        // The order may be about a person of whom two agents are here.
        if (name !== undefined && journal.eraser.sendersUpTo(upTo).has(sender))
          await this.#append(operator, name, upTo);
      }
    }
    if (!this.#isClosed) wakeIn(0);
  }

  async #append(participant: Participant, erased: string, upTo: Seq): Promise<Fault | undefined> {
    const { sender } = participant;
    const message = { id: `erase:${upTo}:${erased}`, kind: "erasure" as const, sender, content: erased, ref: upTo };
    const outcome = await new Promise<Outcome>((settle) =>
      this.#deps.submit({
        ...{ participant, origin: undefined, message, settle },
        refuse: () => this.#deps.refuse(participant, erased),
      }),
    );
    if (isFault(outcome)) return outcome;
    if (this.#isClosed) return NOT_STARTED;
    this.#deps.erased(erased, sender, outcome.message.seq);
    return undefined;
  }

  /** Lets the work go on, and tells after a moment how far it is. */
  async #progressOf(sender: string): Promise<ErasureProgress> {
    const { archive, wakeIn } = this.#deps;
    wakeIn(0);
    await this.carryOut();
    try {
      for (let run = 0; run < RUNS_WAITED_FOR && !this.#isClosed && this.#isPending(sender); run++) await archive.run();
      return { pending: !this.#isClosed && this.#isPending(sender) };
    } catch (error) {
      // The room was deleted meanwhile, with all that it had.
      if (error instanceof Closed) return { pending: false };
      throw error;
    }
  }

  #isPending(sender: string): boolean {
    return this.#deps.journal.erasures.some((erasure) => takesSender(erasure.sender, sender));
  }

  async #traceOf(sender: string): Promise<Trace | Fault> {
    const { db, record } = this.#deps;
    const { id, createdAt } = record();
    try {
      return (await traceOf(db, { id, createdAt }, sender)) ?? { wrote: false, unindexed: false };
    } catch (error) {
      logEvent("erasure.sender_unknown", { room: id, error });
      return fault("unavailable", "Older messages can't be reached at the moment; nothing was erased.", 5);
    }
  }

  async #index(): Promise<void> {
    const { archive, record, wakeIn } = this.#deps;
    try {
      this.#isIndexing = !(await archive.index());
      if (this.#isIndexing && !this.#isClosed) wakeIn(INDEXING_PAUSE);
    } catch (error) {
      if (!this.#isClosed) logEvent("erasure.senders_delayed", { room: record().id, error });
    }
  }
}
