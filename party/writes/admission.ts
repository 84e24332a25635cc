/**
 * What becomes of a batch of writes: which of them are repetitions, which may not be, and which get a place in the log.
 *
 * The order of the questions is the design's: a retry is recognised first, because it is free (promise 3); then the
 * room's rules; then one question to each author's Limiter; and at last, in one go without an `await`, the loop guard,
 * the log and the audience (promises 1 and 2).
 */

import { isAgent, type Participant } from "../identity/sender.ts";
import type { Journal, StoredMessage, Unplaced } from "../log/journal.ts";
import type { Fault, Quota } from "../protocol.ts";
import { fault, isFault } from "../protocol.ts";
import { type RoomRecord, refuseWriter } from "../room-record.ts";

/** What a writer is told: its message, whether it was there before, and the quota that is left; or why not. */
export type Outcome =
  | { readonly message: StoredMessage; readonly repeated: boolean; readonly quota?: Quota | undefined }
  | Fault;

/** What a Limiter says to a batch: the first `granted` messages are in; the others wait `retryAfter` seconds. */
export interface Admission {
  readonly granted: number;
  readonly retryAfter: number;
  readonly quota: Quota;
}

/** One message that wants a place in the log. */
export interface Entry {
  readonly participant: Participant;
  /** Of the page that it comes from, where there is one. */
  readonly origin: string | undefined;
  readonly message: Unplaced;
  /** Called once. */
  settle(outcome: Outcome): void;
}

export interface AdmissionDeps {
  now(): number;
  /** What the room is now. */
  room(): RoomRecord;
  readonly journal: Journal;
  /** Asks the Limiter of `principal`. Rejects when it can't be reached. */
  admit(principal: string, count: number): Promise<Admission | Fault>;
  /** Tells everybody of new messages. Called right after they are in the log. */
  publish(messages: readonly StoredMessage[]): void;
}

export class AdmissionDesk {
  readonly #deps: AdmissionDeps;
  /** Messages by agents since the last one by a person; `undefined` until it is counted. */
  #agentRun: number | undefined;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** Whether the loop guard holds agents back. */
  get agentsPaused(): boolean {
    const { loopGuard } = this.#deps.room().settings;
    return loopGuard > 0 && this.#run() >= loopGuard;
  }

  /** The owner has changed what the room allows. */
  rulesChanged(): void {
    this.#agentRun = undefined;
  }

  /** Why `participant` could not write now; quotas are not asked. */
  refuse(participant: Participant, origin: string | undefined): Fault | undefined {
    const refusal = refuseWriter(this.#deps.room(), participant, origin, this.#deps.now());
    return refusal ?? (isAgent(participant.sender) && this.agentsPaused ? this.#loopGuard() : undefined);
  }

  /** Settles every entry, in their order, and publishes those that got a place. */
  async handle(entries: readonly Entry[]): Promise<void> {
    const { now, room, journal, publish } = this.#deps;
    const outcomes = new Map<Entry, Outcome>();
    const firsts = new Map<string, Entry>();
    const repeats = new Map<Entry, Entry>();
    const asking: Entry[] = [];
    for (const entry of entries) {
      const { sender, id } = entry.message;
      const earlier = journal.find(sender, id);
      const first = firsts.get(`${sender} ${id}`);
      if (earlier) outcomes.set(entry, repetition(entry, earlier));
      else if (first) repeats.set(entry, first);
      else {
        firsts.set(`${sender} ${id}`, entry);
        const refusal = isDeletion(entry) ? undefined : refuseWriter(room(), entry.participant, entry.origin, now());
        if (refusal) outcomes.set(entry, refusal);
        else asking.push(entry);
      }
    }

    const answers = await this.#askLimiters(asking);

    // From here to `publish` nothing may wait: promise 2.
    const placing: Entry[] = [];
    const runBefore = this.#run();
    for (const entry of asking) {
      const answer = answers.get(entry);
      const refusal = isFault(answer) ? answer : this.#guard(entry);
      if (refusal) outcomes.set(entry, refusal);
      else placing.push(entry);
    }
    if (placing.length > 0) {
      try {
        const placed = journal.append(
          placing.map((entry) => entry.message),
          now(),
        );
        for (const [index, entry] of placing.entries()) {
          const quota = answers.get(entry) as Quota | undefined;
          outcomes.set(entry, { message: placed[index] as StoredMessage, repeated: false, quota });
        }
        publish(placed);
      } catch (error) {
        this.#agentRun = runBefore;
        console.error("The room's storage refused a batch", { room: room().id, count: placing.length, error });
        const refusal = fault("unavailable", "The room can't store messages at the moment; nothing was kept.", 5);
        for (const entry of placing) outcomes.set(entry, refusal);
      }
    }
    for (const entry of entries) {
      const first = repeats.get(entry);
      const outcome = outcomes.get(first ?? entry) as Outcome;
      entry.settle(first && !isFault(outcome) ? repetition(entry, outcome.message) : outcome);
    }
  }

  /**
   * One question for each author, all at the same time. For each entry the quota that is left, or why it is refused. A
   * deletion costs no quota, but is asked about: its author's key may have been revoked.
   */
  async #askLimiters(entries: readonly Entry[]): Promise<Map<Entry, Quota | Fault>> {
    const answers = new Map<Entry, Quota | Fault>();
    const byPrincipal = Map.groupBy(entries, (entry) => entry.participant.principal);
    await Promise.all(
      [...byPrincipal].map(async ([principal, asking]) => {
        const costly = asking.filter((entry) => !isDeletion(entry));
        const admission = await this.#ask(principal, costly.length);
        for (const entry of asking) answers.set(entry, isFault(admission) ? admission : admission.quota);
        if (isFault(admission)) return;
        for (const entry of costly.slice(admission.granted)) answers.set(entry, overQuota(admission));
      }),
    );
    return answers;
  }

  async #ask(principal: string, count: number): Promise<Admission | Fault> {
    try {
      return await this.#deps.admit(principal, count);
    } catch (error) {
      console.error("A Limiter can't be reached", { error });
      return fault("unavailable", "Quotas can't be checked at the moment; nothing was kept.", 5);
    }
  }

  /** Counts a message that is about to be placed; why an agent's may not be. */
  #guard({ message }: Entry): Fault | undefined {
    if (message.kind !== "text") return undefined;
    if (!isAgent(message.sender)) {
      this.#agentRun = 0;
      return undefined;
    }
    if (this.agentsPaused) return this.#loopGuard();
    this.#agentRun = this.#run() + 1;
    return undefined;
  }

  #loopGuard(): Fault {
    const { loopGuard } = this.#deps.room().settings;
    return fault("loop_guard", `Agents have sent ${loopGuard} messages in a row; wait until a person speaks.`);
  }

  /** Counted from the log after a start, and then kept. */
  #run(): number {
    this.#agentRun ??= this.#deps.journal.agentRun;
    return this.#agentRun;
  }
}

const isDeletion = (entry: Entry): boolean => entry.message.kind === "deletion";

function overQuota({ quota, retryAfter }: Admission): Fault {
  return fault("rate_limited", `At most ${quota.limit} messages in ${quota.window} seconds.`, retryAfter);
}

/** A message with an id that is taken: the same one again, or another one. */
function repetition(entry: Entry, earlier: StoredMessage): Outcome {
  const { kind, content, ref } = entry.message;
  const deleted = earlier.kind === "text" && earlier.content === "";
  const same = earlier.kind === kind && (deleted || earlier.content === content) && earlier.ref === ref;
  if (same) return { message: earlier, repeated: true };
  return fault("conflict", `You have sent another message with the id ${entry.message.id} (seq ${earlier.seq}).`);
}
