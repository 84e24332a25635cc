/**
 * From "erase everything that this sender has said" to its end: an entry in the log, from which on nobody is shown any of
 * it, and then the work of overwriting it, some at a time. That work survives every crash, because the room's storage says
 * what is to be done. An erasure is at its end when D1's copy has it, too; then its entry loses the name.
 */

import type { Copier } from "../archive/copier.ts";
import { forgetSenders } from "../archive/d1-copy.ts";
import type { Follower } from "../follower.ts";
import { operator, type Participant } from "../identity/sender.ts";
import { Closed } from "../log/closed.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, isFault, type Seq, takesSender } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { type ErasureProgress, NOT_STARTED } from "../room-rpc.ts";
import type { Entry, Outcome } from "./entry.ts";

export interface ErasuresDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly log: RoomLog;
  readonly copier: Pick<Copier, "run" | "grown" | "hasUpTo">;
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
  /** There is something to carry out. */
  changed(): void;
}

/** Who asks for an erasure is answered within this time, ms, done or not: D1 may hang. */
const ANSWERED_WITHIN = 5_000;
/** What could not be done is tried again after this, ms. */
const AGAIN_AFTER = 10_000;

export class Erasures implements Follower {
  readonly name = "erasures";
  readonly #deps: ErasuresDeps;
  #notBefore = 0;
  #isClosed = false;

  constructor(deps: ErasuresDeps) {
    this.#deps = deps;
  }

  /** Stops: nothing more is erased. */
  close(): void {
    this.#isClosed = true;
  }

  /** Erases what `sender` has said up to now, with what their agents have. Answers after a moment, done or not. */
  async erase(participant: Participant, sender: string): Promise<ErasureProgress | Fault> {
    const { log, refuse, refuseAnother, forget } = this.#deps;
    if (this.#isClosed) return NOT_STARTED;
    const forbidden = refuse(participant, sender);
    if (forbidden) return forbidden;
    // Written down before anything can fail: an order of the operator's is carried out however this call ends.
    const isOrder = participant.isOperator === true;
    if (isOrder && this.#mayHaveWritten(sender)) log.transaction(() => log.addOrders([{ sender, upTo: log.head }]));
    if (log.writers.hasWritten(sender)) {
      const refusal = refuseAnother(participant) ?? (await this.#append(participant, sender, log.head));
      if (refusal) return refusal;
      if (isOrder && log.isWhole) log.removeOrder(sender);
    }
    // They may have said nothing that has a place in the log.
    forget(sender);
    return this.#progressOf(sender);
  }

  /** When there is something to carry out, ms since 1970. */
  get due(): number | undefined {
    const { log, now } = this.#deps;
    const isOrderDue = log.orders.length > 0 && log.isWhole;
    return log.erasures.length === 0 && !isOrderDue ? undefined : Math.max(now(), this.#notBefore);
  }

  /** Carries out the operator's orders and what is erased, as far as that goes. */
  async run(): Promise<void> {
    try {
      await this.#obey();
      await this.#overwrite();
      await this.#finish();
      // What is left waits for D1.
      this.#notBefore = this.#deps.now() + AGAIN_AFTER;
    } catch (error) {
      if (error instanceof Closed) return;
      this.#notBefore = this.#deps.now() + AGAIN_AFTER;
      logEvent("erasure.delayed_here", { room: this.#deps.record().id, error });
    }
  }

  async #obey(): Promise<void> {
    const { log, forget } = this.#deps;
    if (!log.isWhole) return;
    for (const { sender, upTo } of log.orders) {
      if (this.#isClosed) return;
      if (log.writers.hasWritten(sender) && (await this.#append(operator, sender, upTo))) return;
      forget(sender);
      log.removeOrder(sender);
    }
  }

  /** Overwrites what is erased. Each step is a turn of its own. */
  async #overwrite(): Promise<void> {
    const { log, schedule, copier } = this.#deps;
    while (!this.#isClosed && log.eraseStep()) await new Promise<void>((resolve) => schedule(0, resolve));
    if (!this.#isClosed) copier.grown();
  }

  /** Ends erasures that are carried out here and in D1's copy. */
  async #finish(): Promise<void> {
    const { log, copier, db, record } = this.#deps;
    const done = log.erasures.filter(({ here, upTo }) => here >= upTo);
    if (done.length === 0 || !log.isWhole) return;
    await copier.run();
    if (this.#isClosed) return;
    const { id, createdAt } = record();
    // All at once: what the end of one changes in the log is no reason to put another off.
    for (const { seq, sender } of done.filter((erasure) => copier.hasUpTo(erasure.seq))) {
      await db.batch([forgetSenders(db, { id, createdAt }, sender)]);
      if (this.#isClosed) return;
      log.transaction(() => {
        // Those who have written again since are told to D1 again.
        log.writers.forgetTold(sender);
        log.endErasure(seq);
      });
    }
    copier.grown();
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
    this.#notBefore = 0;
    this.#deps.changed();
    const late = Promise.withResolvers<void>();
    this.#deps.schedule(ANSWERED_WITHIN, late.resolve);
    // The alarm goes on with what takes longer.
    await Promise.race([this.run(), late.promise]);
    this.#deps.changed();
    // The room was deleted meanwhile, with all that it had.
    return { pending: !this.#isClosed && this.#isPending(sender) };
  }

  #mayHaveWritten(sender: string): boolean {
    const { log } = this.#deps;
    return !log.isWhole || log.writers.hasWritten(sender);
  }

  #isPending(sender: string): boolean {
    const { log } = this.#deps;
    const isMeant = (erased: { readonly sender: string }) => takesSender(erased.sender, sender);
    return log.erasures.some(isMeant) || log.orders.some(isMeant);
  }
}
