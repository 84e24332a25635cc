/**
 * Asks and answers of an open room: an answer on its way into the log, the end of an ask whose time is over, and how an ask
 * stands. Which asks are open follows from the log (`room-asks.ts`), and who may answer from the rules (`ask-rules.ts`).
 */

import { isAgent, type Participant } from "../identity/sender.ts";
import { PrincipalQuota } from "../limits/principal-quota.ts";
import { Closed } from "../log/closed.ts";
import type { Journal } from "../log/journal.ts";
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
  readonly journal: Journal;
  /** Lets an entry go its way into the log; with `place` it is paid for, and no rule keeps it back. */
  submit(entry: Entry): void;
  place(entry: Entry & { readonly approved: true }): void;
  /** The message `seq`, wherever it is. */
  find(seq: Seq): Promise<StoredMessage | Fault | undefined>;
  /** The message that `sender` has sent as `id`, where D1 alone may have it. Rejects when it does not answer. */
  findInD1(sender: string, id: string): Promise<StoredMessage | undefined> | undefined;
  /** How many old messages `sender` may have looked up in a minute. */
  perMinute(sender: string): number;
  /** Asks for `expire` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

export class Asks {
  readonly #deps: AsksDeps;
  readonly #rules: AskRulesDeps;
  readonly #quota = new PrincipalQuota("answers");
  readonly #expiring = new Map<Seq, Promise<Outcome>>();
  #isClosed = false;

  constructor(deps: AsksDeps) {
    this.#deps = deps;
    this.#rules = { ...deps, open: () => deps.journal.asks.opened };
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
    const ask = this.#deps.journal.asks.opened.get(target);
    // The text is the room's, and empty where there is no such option: the rules refuse that.
    const content = ask?.options.find(({ id }) => id === option)?.label ?? "";
    const message = { id, kind: answerKind(option), sender: participant.sender, content, ref: target };
    const entry: Entry = { participant, origin, message, settle: (outcome) => this.#tell(target, outcome, settle) };
    if (ask) this.#deps.submit(entry);
    else void this.#answerLate(entry, target).then(settle);
  }

  /** How the ask `seq` stands. */
  async stateOf(seq: Seq): Promise<AskState | Fault> {
    const { journal, find, now } = this.#deps;
    const open = journal.asks.opened.get(seq);
    if (open && now() >= open.until) await this.#expire(seq);
    if (this.#isClosed) return NOT_STARTED;
    if (seq > journal.head || seq < journal.first) return notFound(seq);
    const message = await find(seq);
    if (this.#isClosed) return NOT_STARTED;
    if (isFault(message)) return message;
    return message ? stateOf(message) : notFound(seq);
  }

  /** Ends the asks whose time is over, and sees to it that others end in time. May happen at any time, and oftener than it has to. */
  expire(): void {
    if (this.#isClosed) return;
    const now = this.#deps.now();
    for (const { seq, until } of this.#deps.journal.asks.opened.values()) if (now >= until) void this.#expire(seq);
    this.watch();
  }

  /** Sees to it that open asks end in time. */
  watch(): void {
    const { journal, now, wakeIn } = this.#deps;
    const times = [...journal.asks.opened.values()].map(({ until }) => until).filter((until) => until > now());
    if (times.length > 0) wakeIn(Math.min(...times) - now());
  }

  /** Writes down that an ask has ended, once, and lets all who want that wait for it. */
  #expire(seq: Seq): Promise<Outcome> {
    const underWay = this.#expiring.get(seq);
    if (underWay) return underWay;
    const sender = this.#deps.journal.asks.opened.get(seq)?.sender ?? "";
    const message = { id: `expire:${seq}`, kind: "expiry" as const, sender, content: "", ref: seq };
    const participant: Participant = { sender, principal: NOBODYS };
    const placed = new Promise<Outcome>((settle) =>
      this.#deps.place({ participant, origin: undefined, message, approved: true, settle }),
    ).finally(() => this.#expiring.delete(seq));
    this.#expiring.set(seq, placed);
    return placed.then((outcome) => {
      const isOver = this.#isClosed || !this.#deps.journal.asks.opened.has(seq);
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
    const { journal } = this.#deps;
    try {
      const deletion = journal.deletionOf(target);
      if (deletion) return deletedBy(deletion);
      const closed = journal.asks.closingOf(target);
      if (closed) return closedBy(closed);
      const message = journal.get(target);
      return message ? this.#refusalOf(message) : CLOSED;
    } catch (error) {
      logEvent("storage.unreadable", { room: this.#deps.record().id, error });
      return UNREADABLE;
    }
  }

  /** What becomes of an answer to what is no open ask: it is a retry, or refused. Never rejects. */
  async #answerLate(entry: Entry, target: Seq): Promise<Outcome> {
    const { journal, findInD1 } = this.#deps;
    const { sender, id } = entry.message;
    try {
      const earlier = journal.find(sender, id) ?? (await findInD1(sender, id));
      if (this.#isClosed) return NOT_STARTED;
      if (earlier) return repetition(entry, earlier);
      if (isAgent(sender)) return FOR_PEOPLE;
      if (target > journal.head || target < journal.first) return notFound(target);
      const here = journal.get(target);
      return here ? this.#refusalOf(here) : await this.#refuseOlder(entry.participant, target);
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      logEvent("room.ask_unavailable", { room: this.#deps.record().id, error });
      return fault("unavailable", "Older messages can't be reached at the moment; nothing was kept.", 5);
    }
  }

  async #refuseOlder({ principal, sender }: Participant, target: Seq): Promise<Fault> {
    const { find, perMinute, now } = this.#deps;
    // D1 is asked.
    const tooMany = this.#quota.take(principal, perMinute(sender), now());
    if (tooMany) return tooMany;
    const message = await find(target);
    if (this.#isClosed) return NOT_STARTED;
    if (isFault(message)) return message;
    return message ? this.#refusalOf(message) : notFound(target);
  }

  /** Why `message` can't be answered. */
  #refusalOf(message: StoredMessage): Fault {
    const state = stateOf(message);
    if (isFault(state)) return state;
    if (state.state === "deleted") return deletedBy(this.#deps.journal.deletionOf(message.seq));
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
