/**
 * Asks and answers of an open room: an answer on its way into the log, the end of an ask whose time is over, and how an ask
 * stands. Which asks are open follows from the log (`room-asks.ts`), and who may answer from the rules (`ask-rules.ts`).
 */

import { isAgent, type Participant } from "../identity/sender.ts";
import type { RoomLog } from "../log/room-log.ts";
import { answerKind, isSaid, type StoredMessage } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type AskClosed, type Fault, fault, isFault, type Seq } from "../protocol.ts";
import { type AskState, NOT_STARTED } from "../room-rpc.ts";
import { type Entry, type Outcome, repetition } from "../writes/entry.ts";
import { openUntil, readAsk } from "./ask.ts";
import type { AnswerSubmission } from "./ask-parser.ts";
import { type AskRulesDeps, AskTurn, CLOSED, FOR_PEOPLE, OVERDUE } from "./ask-rules.ts";

/** When the room's storage does not take the end of an ask, the next try comes after this, ms. */
const RETRY = 60_000;

/** What no Limiter is called: the end of an ask costs nobody a place. */
const NOBODYS = "asks";

export interface AsksDeps extends Omit<AskRulesDeps, "open"> {
  readonly log: RoomLog;
  /** Lets an entry go its way into the log; with `place` it is paid for, and no rule keeps it back. */
  submit(entry: Entry): void;
  place(entry: Entry & { readonly approved: true }): void;
  /** Why the message `seq` can't be read yet, where it is still to be brought back from D1. */
  refuseMissing(seq: Seq): Fault | undefined;
  /** Asks for `expire` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

export class Asks {
  readonly #deps: AsksDeps;
  readonly #rules: AskRulesDeps;
  readonly #expiring = new Map<Seq, Promise<Outcome>>();
  #isClosed = false;

  constructor(deps: AsksDeps) {
    this.#deps = deps;
    this.#rules = { ...deps, open: () => deps.log.asks.opened };
  }

  /** The room is gone: nothing ends any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** A turn in which entries get their places. */
  turn(): AskTurn {
    return new AskTurn(this.#rules);
  }

  /** Answers an ask. `settle` is called once, at once or later. */
  answer(
    participant: Participant,
    origin: string | undefined,
    { id, answer: { target, option } }: AnswerSubmission,
    settle: (outcome: Outcome) => void,
  ): void {
    const ask = this.#deps.log.asks.opened.get(target);
    // The text is the room's, and empty where there is no such option: the rules refuse that.
    const content = ask?.options.find(({ id }) => id === option)?.label ?? "";
    const message = { id, kind: answerKind(option), sender: participant.sender, content, ref: target };
    const entry: Entry = { participant, origin, message, settle: (outcome) => this.#tell(target, outcome, settle) };
    if (ask) this.#deps.submit(entry);
    else settle(this.#answerLate(entry, target));
  }

  /** How the ask `seq` stands. */
  async stateOf(seq: Seq): Promise<AskState | Fault> {
    const { log, now, refuseMissing } = this.#deps;
    const open = log.asks.opened.get(seq);
    if (open && now() >= open.until) await this.#expire(seq);
    if (this.#isClosed) return NOT_STARTED;
    if (seq > log.head || seq < log.first) return notFound(seq);
    const message = log.get(seq);
    return message ? stateOf(message) : (refuseMissing(seq) ?? notFound(seq));
  }

  /** Ends the asks whose time is over, and sees to it that others end in time. May happen at any time, and oftener than it has to. */
  expire(): void {
    if (this.#isClosed) return;
    const now = this.#deps.now();
    for (const { seq, until } of this.#deps.log.asks.opened.values()) if (now >= until) void this.#expire(seq);
    this.watch();
  }

  /** Sees to it that open asks end in time. */
  watch(): void {
    const { log, now, wakeIn } = this.#deps;
    const times = [...log.asks.opened.values()].map(({ until }) => until).filter((until) => until > now());
    if (times.length > 0) wakeIn(Math.min(...times) - now());
  }

  /** Writes down that an ask has ended, once, and lets all who want that wait for it. */
  #expire(seq: Seq): Promise<Outcome> {
    const underWay = this.#expiring.get(seq);
    if (underWay) return underWay;
    const sender = this.#deps.log.asks.opened.get(seq)?.sender ?? "";
    const message = { id: `expire:${seq}`, kind: "expiry" as const, sender, content: "", ref: seq };
    const participant: Participant = { sender, principal: NOBODYS };
    const placed = new Promise<Outcome>((settle) =>
      this.#deps.place({ participant, origin: undefined, message, approved: true, settle }),
    ).finally(() => this.#expiring.delete(seq));
    this.#expiring.set(seq, placed);
    return placed.then((outcome) => {
      const isOver = this.#isClosed || !this.#deps.log.asks.opened.has(seq);
      if (isFault(outcome) && !isOver) this.#deps.wakeIn(RETRY);
      return outcome;
    });
  }

  /** Tells the author of an answer what has become of it. */
  #tell(target: Seq, outcome: Outcome, settle: (outcome: Outcome) => void): void {
    if (outcome === OVERDUE)
      void this.#expire(target).then(() => settle(this.#isClosed ? NOT_STARTED : this.#closed(target)));
    else settle(outcome === CLOSED ? this.#closed(target) : outcome);
  }

  /** What is told of an answer to an ask that was closed just now, or has just been seen to be. Others wait: never throws. */
  #closed(target: Seq): Fault {
    try {
      const message = this.#deps.log.get(target);
      return message ? this.#refusalOf(message) : CLOSED;
    } catch (error) {
      logEvent("storage.unreadable", { room: this.#deps.record().id, error });
      return UNREADABLE;
    }
  }

  /** What becomes of an answer to what is no open ask: it is a retry, or refused. Never throws. */
  #answerLate(entry: Entry, target: Seq): Outcome {
    const { log, refuseMissing } = this.#deps;
    const { sender, id } = entry.message;
    try {
      const earlier = log.find(sender, id);
      if (earlier) return repetition(entry, earlier);
      if (isAgent(sender)) return FOR_PEOPLE;
      if (target > log.head || target < log.first) return notFound(target);
      const message = log.get(target);
      return message ? this.#refusalOf(message) : (refuseMissing(target) ?? notFound(target));
    } catch (error) {
      logEvent("storage.unreadable", { room: this.#deps.record().id, error });
      return UNREADABLE;
    }
  }

  /** Why `message` can't be answered. */
  #refusalOf(message: StoredMessage): Fault {
    const state = stateOf(message);
    if (isFault(state)) return state;
    if (state.state === "deleted") return deletedBy(this.#deps.log.deletionOf(message.seq));
    return message.closed ? closedBy(message.closed) : CLOSED;
  }
}

/** What is told of an answer to an ask that was closed before. */
function closedBy(closed: AskClosed): Fault {
  const { seq } = closed;
  if ("expired" in closed) return { ...OVERDUE, seq };
  const by = closed.by === "" ? "somebody who was erased" : closed.by;
  return { ...fault("conflict", `This was answered by ${by}: ${closed.option}.`), seq };
}

/** What is told of an answer to an ask that was deleted, where it is known by which message. */
function deletedBy(deletion: StoredMessage | undefined): Fault {
  const refusal = fault("conflict", "This ask was deleted.");
  return deletion ? { ...refusal, seq: deletion.seq } : refusal;
}

/** How the ask stands that `message` is; why it is none. What was deleted may have been one. */
function stateOf({ seq, kind, content, closed, at }: StoredMessage): AskState | Fault {
  if (!isSaid(kind)) return noAsk(seq);
  if (content === "") return { state: "deleted" };
  if (kind !== "ask") return noAsk(seq);
  const { terms } = readAsk(content);
  if (!closed) return { state: "open", until: new Date(openUntil(terms, at)).toISOString() };
  if ("expired" in closed) return { state: "expired", seq: closed.seq };
  const label = terms.options.find(({ id }) => id === closed.option)?.label ?? closed.option;
  return { state: "answered", option: closed.option, label, by: closed.by, seq: closed.seq };
}

const UNREADABLE = fault(
  "unavailable",
  "It can't be read at the moment what this ask is closed by; nothing was kept.",
  5,
);
const noAsk = (seq: Seq): Fault => fault("invalid", `Message ${seq} asks nothing.`);
const notFound = (seq: Seq): Fault => fault("not_found", `There is no message ${seq} here.`);
