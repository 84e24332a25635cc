/**
 * From a submission to a place in the log, in this order: a retry is recognised first, because it is free; then the
 * room's rules; then the author's lane, which asks the author's Limiter; and at last a batch, which places what was
 * admitted and tells everybody.
 *
 * A batch is synchronous from its first line to its last frame: between the transaction and the frame nothing awaits,
 * so every reader sees one order, and the runtime holds the frame back until the transaction is on disk.
 */

import type { AskTurn } from "../asks/ask-rules.ts";
import type { Participant } from "../identity/sender.ts";
import type { Author, Leases } from "../limits/leases.ts";
import type { Admission, Question } from "../limits/limiter.ts";
import type { RoomLog } from "../log/room-log.ts";
import { chosenBy, isSaid, type StoredKind, type StoredMessage, textOf } from "../log/stored-message.ts";
import type { Screen } from "../moderation/screen.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Reader, refuseClosed, refuseWriter } from "../permissions.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { Batch } from "./batch.ts";
import { type Admitted, type Entry, messageName, type Outcome, repetition } from "./entry.ts";
import { Lanes } from "./lanes.ts";
import { LoopGuard } from "./loop-guard.ts";

export interface SubmissionsDeps {
  now(): number;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
  /** What the room is now. */
  record(): RoomRecord;
  /** Who a participant is in the room now. */
  reader(participant: Participant): Reader;
  readonly log: RoomLog;
  /** How many sockets hear of a batch. */
  audience(): number;
  /** The places that the room may fill without a question. */
  readonly leases: Leases;
  /** Asks the author's Limiter. Rejects when it can't be reached. */
  ask(author: Author, question: Question): Promise<Admission | Fault>;
  /** A batch begins: what it changes is told against how things are now. */
  begin(): void;
  /** The room's rules about what is written. */
  readonly screen: Pick<Screen, "earlier" | "refuse" | "hold" | "passed">;
  /** The rules about asks and their answers. */
  readonly asks: { turn(): Pick<AskTurn, "refuse" | "pass"> };
  /** `author` has a new message in the log, or one that is held. */
  wrote(author: Participant): void;
  /** Tells everybody of new messages, and of what rides along. Called right after they are in the log. */
  publish(messages: readonly StoredMessage[]): void;
}

export class Submissions {
  readonly #deps: SubmissionsDeps;
  readonly #lanes: Lanes;
  readonly #batch: Batch<Admitted>;
  /** Messages that have no place yet, by name, each with the repetitions that came meanwhile. */
  readonly #underWay = new Map<string, Entry[]>();
  /** The names of those for which `allPlaced` waits, and what is settled when none is left. */
  readonly #awaited = new Set<string>();
  #allPlaced = Promise.withResolvers<void>();
  #closed = false;
  #suspended = false;

  constructor(deps: SubmissionsDeps) {
    this.#deps = deps;
    const { now, schedule, audience, leases, ask } = deps;
    const room = () => deps.record().id;
    this.#batch = new Batch({
      room,
      now,
      schedule,
      audience,
      flush: (admitted) => this.#flush(admitted),
    });
    this.#lanes = new Lanes({
      room,
      now,
      leases,
      ask,
      schedule,
      admit: (admitted) => this.#batch.add((admitted[0] as Admitted).entry.participant.principal, admitted),
    });
  }

  /** Whether the loop guard holds agents back. */
  get agentsPaused(): boolean {
    return this.#loopGuard().isPausing;
  }

  /** Why `participant` could not write now, as far as the room can tell without their Limiter. */
  refuse(participant: Participant, origin: string | undefined): Fault | undefined {
    const author = this.#deps.reader(participant);
    const refusal = refuseWriter(this.#deps.record(), author, origin, this.#deps.now());
    return refusal ?? this.#deps.screen.refuse(author) ?? this.#loopGuard().refuse(participant.sender);
  }

  /** Why an entry can have no place, whoever writes it. */
  refuseEntry(entry: Entry): Fault | undefined {
    return this.#deps.asks.turn().refuse(entry);
  }

  /** Takes an entry in. It is settled at once, or when its author's Limiter and the batch have had their say. */
  submit(entry: Entry): void {
    const settled = this.#settled(entry);
    if (settled) {
      entry.settle(settled);
      return;
    }
    const name = messageName(entry.message);
    const repetitions = this.#underWay.get(name);
    if (repetitions) this.#attach(entry, repetitions);
    else this.#enqueue(this.#track(entry, name));
  }

  /** What becomes of an entry that needs nobody else's say; `undefined` when it does. */
  #settled(entry: Entry): Outcome | undefined {
    const closed = this.#refuseAll();
    if (closed) return closed;
    const { sender, id } = entry.message;
    const { log } = this.#deps;
    const earlier = log.find(sender, id);
    if (earlier) return repetition(entry, earlier);
    // It may be a retry of one of those that are still to be brought back.
    if (!log.knowsRetries || log.isAwaited(sender, id)) return BROUGHT_BACK;
    return this.#settledByModerator(entry) ?? this.#refuseText(entry) ?? this.refuseEntry(entry);
  }

  /** What becomes of the repetition of a message that waits for a moderator, or for which one has decided. */
  #settledByModerator({ message }: Entry): Outcome | undefined {
    if (!isScreened(message.kind)) return undefined;
    const earlier = this.#deps.screen.earlier(message);
    if (!earlier || isFault(earlier)) return earlier;
    const { seq } = earlier;
    // Its place is what was asked for, wherever the message itself is by now.
    const placed = this.#deps.log.get(seq) ?? { ...message, seq, at: this.#deps.now() };
    return { message: placed, repeated: true };
  }

  /** Gives a message its place that was held and is approved. `entry.settle` is called once. */
  place(entry: Entry & { readonly approved: true }): void {
    const closed = this.#refuseAll();
    if (closed) {
      entry.settle(closed);
      return;
    }
    const { sender, id } = entry.message;
    const placed = this.#deps.log.find(sender, id);
    if (placed) {
      entry.settle({ message: placed, repeated: true });
      return;
    }
    const name = messageName(entry.message);
    const repetitions = this.#underWay.get(name);
    // Two moderators, or one who asks twice: it has one place.
    if (repetitions) this.#attach(entry, repetitions);
    else this.#batch.add(entry.participant.principal, [{ entry: this.#track(entry, name), quota: undefined }]);
  }

  #enqueue(entry: Entry): void {
    const refusal = this.#lanes.add(entry);
    if (refusal) entry.settle(refusal);
  }

  /** Asks for a batch although no message waits: something else wants to be told. */
  wake(): void {
    this.#batch.wake();
  }

  /** Settles when every message that is under way now has its place, or its refusal; more may come meanwhile. */
  allPlaced(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve();
    if (this.#awaited.size === 0) this.#allPlaced = Promise.withResolvers();
    for (const name of this.#underWay.keys()) this.#awaited.add(name);
    return this.#allPlaced.promise;
  }

  /** Takes nothing, and places nothing of what waits, until the returned function is called. */
  suspend(): () => void {
    this.#suspended = true;
    return () => {
      this.#suspended = false;
    };
  }

  /** The room is gone: whatever still waits is told so, and nothing is taken any more. */
  close(): void {
    this.#closed = true;
  }

  #refuseAll(): Fault | undefined {
    if (this.#closed) return ROOM_CLOSED;
    return this.#suspended ? ROOM_ENDING : undefined;
  }

  /** A repetition of a message that is under way shares what becomes of it. */
  #attach(entry: Entry, repetitions: Entry[]): void {
    if (repetitions.length < MOST_REPETITIONS) repetitions.push(entry);
    else entry.settle(fault("rate_limited", "This message is under way already.", 1));
  }

  /** `entry` as it goes its way, with the repetitions that come meanwhile. */
  #track(entry: Entry, name: string): Entry {
    const repetitions: Entry[] = [];
    this.#underWay.set(name, repetitions);
    return {
      ...entry,
      settle: (outcome) => {
        this.#underWay.delete(name);
        entry.settle(outcome);
        for (const repeated of repetitions) {
          repeated.settle(isFault(outcome) ? outcome : repetition(repeated, outcome.message));
        }
        if (this.#awaited.delete(name) && this.#awaited.size === 0) this.#allPlaced.resolve();
      },
    };
  }

  /** A deletion is under no rule of the room's about texts: who may delete, it says itself. */
  #refuseText({ message, participant, origin, approved }: Entry): Fault | undefined {
    if (!isSaid(message.kind)) return undefined;
    const record = this.#deps.record();
    if (approved) return refuseClosed(record.settings);
    const author = this.#deps.reader(participant);
    const refusal = refuseWriter(record, author, origin, this.#deps.now());
    if (refusal || !isScreened(message.kind)) return refusal;
    return this.#deps.screen.refuse(author, textOf(message));
  }

  /** Holds a text that a moderator has to see first: what its author is told. */
  #hold({ message, participant, approved }: Entry): Fault | undefined {
    if (!isScreened(message.kind) || approved) return undefined;
    const { screen, reader, record } = this.#deps;
    try {
      return screen.hold(reader(participant), message);
    } catch (error) {
      logEvent("storage.message_not_held", { room: record().id, error });
      return UNREADABLE;
    }
  }

  /** Places what was admitted, tells everybody in one frame, and then its authors. Nothing in here awaits. */
  #flush(admitted: readonly Admitted[]): void {
    const { begin, publish, wrote } = this.#deps;
    const closed = this.#refuseAll();
    if (closed) {
      for (const { entry } of admitted) entry.settle(closed);
      return;
    }
    let refusals: (Fault | undefined)[];
    try {
      begin();
      refusals = this.#refusals(admitted);
    } catch (error) {
      logEvent("storage.unreadable", { room: this.#deps.record().id, error });
      for (const { entry } of admitted) entry.settle(UNREADABLE);
      return;
    }
    const placing = admitted.filter((_, index) => refusals[index] === undefined);
    const placed = this.#place(placing);
    // Outside of the log's try: what is on disk is kept, whatever goes wrong in telling of it.
    try {
      publish(isFault(placed) ? [] : placed);
    } catch (error) {
      logEvent("room.update_not_told", { room: this.#deps.record().id, error });
    }
    if (!isFault(placed))
      for (const { entry } of placing) if (isSaid(entry.message.kind) && !entry.approved) wrote(entry.participant);
    let next = 0;
    for (const [index, { entry, quota }] of admitted.entries()) {
      const refusal = refusals[index] ?? (isFault(placed) ? placed : undefined);
      entry.settle(
        refusal ?? { message: (placed as StoredMessage[])[next++] as StoredMessage, repeated: false, quota },
      );
    }
  }

  /** Why each of `admitted` may not have a place after all. The room's rules may have changed while it waited. */
  #refusals(admitted: readonly Admitted[]): (Fault | undefined)[] {
    const guard = this.#loopGuard();
    const { screen, wrote, asks } = this.#deps;
    const turn = asks.turn();
    return admitted.map(({ entry }) => {
      const { message, participant, approved } = entry;
      const refusal = entry.refuse?.() ?? this.#refuseText(entry) ?? turn.refuse(entry);
      if (refusal) return refusal;
      const held = this.#hold(entry);
      if (held?.held !== undefined) wrote(participant);
      // From here on the next text of the same author has to wait, also in this batch.
      if (isScreened(message.kind) && !approved && (!held || held.held !== undefined)) screen.passed(participant);
      const waits = held ?? guard.pass(message);
      if (!waits) turn.pass(entry);
      return waits;
    });
  }

  #place(placing: readonly Admitted[]): StoredMessage[] | Fault {
    if (placing.length === 0) return [];
    const { log, now, record } = this.#deps;
    const messages = placing.map(({ entry }) => entry.message);
    try {
      return log.append(messages, now());
    } catch (error) {
      logEvent("storage.batch_refused", { room: record().id, count: placing.length, error });
      return fault("unavailable", "The room can't store messages at the moment; nothing was kept.", 5);
    }
  }

  #loopGuard(): LoopGuard {
    return new LoopGuard(this.#deps.record().settings.loopGuard, this.#deps.log.agentRun);
  }
}

/** Whether the room's rules about texts are asked: an answer's text is the room's own. */
const isScreened = (kind: StoredKind): boolean => isSaid(kind) && chosenBy(kind) === undefined;

/** Repetitions of one message that may wait for it; more come from no honest client. */
export const MOST_REPETITIONS = 64;

const UNREADABLE = fault("unavailable", "The room can't store messages at the moment; nothing was kept.", 5);
const BROUGHT_BACK = fault("unavailable", "The room's older messages are being brought back; nothing was kept.", 2);
const ROOM_ENDING = fault("unavailable", "This room may just have ended after its silence; nothing was kept.", 30);
const ROOM_CLOSED = fault("unavailable", "The room is not open any more.", 5);
