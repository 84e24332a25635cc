/**
 * Who may ask and answer what: the rules, and a turn of the room in which several asks and answers come together. Which
 * answer is the first one is decided here, in the order in which they get their places.
 */

import { isAgent, isGuest, personOf } from "../identity/sender.ts";
import { chosenBy } from "../log/stored-message.ts";
import type { Named } from "../permissions.ts";
import { ASK_OPEN, type Fault, fault, type Seq } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { siteOfSender } from "../sites/site-name.ts";
import type { Entry } from "../writes/entry.ts";
import { type OpenAsk, readAsk } from "./ask.ts";

/** Asks that may be open at a time: of one person with all their agents, and in a room. */
export const MOST_OPEN = { person: 20, room: 200 } as const;

/** An answer came too late, or an ask is gone: `Asks` says what has closed it, once that has its place. */
export const CLOSED = fault("conflict", "This ask is closed.");
/** Its time is over, and that is not in the log yet. */
export const OVERDUE = fault("conflict", "The time to answer this is over.");

export const FOR_PEOPLE = fault("forbidden", "Agents can't answer an ask: it is for people.");

export interface AskRulesDeps {
  now(): number;
  record(): RoomRecord;
  /** A name, with what its person is in the room. */
  named(sender: string): Named;
  /** The asks that are open. */
  open(): ReadonlyMap<Seq, OpenAsk>;
}

/** One turn: what passes in it counts for what comes after it. */
export class AskTurn {
  readonly #deps: AskRulesDeps;
  readonly #ended = new Set<Seq>();
  readonly #askers: string[] = [];

  constructor(deps: AskRulesDeps) {
    this.#deps = deps;
  }

  /** Why an entry may not have a place, as far as asks are concerned. */
  refuse({ message, approved }: Pick<Entry, "message" | "approved">): Fault | undefined {
    const { kind, sender, content, ref } = message;
    if (kind === "ask") return this.#refuseAsk(sender, content, approved === true ? "approved" : "new");
    if (kind === "expiry") return ref !== null && this.#openAsk(ref) ? undefined : CLOSED;
    const option = chosenBy(kind);
    return option === undefined || ref === null ? undefined : this.#refuseAnswer(sender, ref, option);
  }

  /** An entry gets its place. */
  pass({ message }: Pick<Entry, "message">): void {
    const { kind, sender, ref } = message;
    if (kind === "ask") this.#askers.push(sender);
    else if (ref !== null && (kind === "expiry" || kind === "deletion" || chosenBy(kind) !== undefined)) {
      this.#ended.add(ref);
    }
  }

  #openAsk(seq: Seq): OpenAsk | undefined {
    return this.#ended.has(seq) ? undefined : this.#deps.open().get(seq);
  }

  #refuseAnswer(sender: string, target: Seq, option: string): Fault | undefined {
    if (isAgent(sender)) return FOR_PEOPLE;
    const ask = this.#openAsk(target);
    if (!ask) return CLOSED;
    if (sender === ask.sender) return fault("forbidden", "You have asked this yourself: somebody else answers.");
    if (ask.from !== "people" && !ask.from.includes(sender)) return fault("forbidden", "This is asked of others.");
    if (ask.from === "people" && isGuest(sender) && !ask.guests) {
      return fault("forbidden", "This is asked of people with a key: a guest can't answer it.");
    }
    if (this.#deps.now() >= ask.until) return OVERDUE;
    if (ask.options.some(({ id }) => id === option)) return undefined;
    return fault("invalid", `option must be one of ${ask.options.map(({ id }) => id).join(", ")}.`);
  }

  #refuseAsk(sender: string, content: string, state: "new" | "approved"): Fault | undefined {
    const { from, until } = readAsk(content).terms;
    return (
      this.#refuseTime(until === undefined ? undefined : Date.parse(until), state) ??
      (from === "people" ? undefined : this.#refuseNamed(sender, from)) ??
      this.#refuseNumber(sender)
    );
  }

  #refuseTime(until: number | undefined, state: "new" | "approved"): Fault | undefined {
    if (until === undefined) return undefined;
    const now = this.#deps.now();
    if (until <= now && state === "approved") return fault("conflict", "Its time is over: refuse the message.");
    if (until <= now) return fault("invalid", "until must be a time to come.");
    if (until > now + ASK_OPEN.most) return fault("invalid", "until must be within the next 30 days.");
    return undefined;
  }

  #refuseNamed(sender: string, from: readonly string[]): Fault | undefined {
    if (from.includes(sender)) return fault("invalid", "from must not name who asks.");
    if (this.#deps.record().access === "open") return undefined;
    // What a site's user is in the room is said by a token, which they need not have shown yet.
    const stranger = from.find((name) => siteOfSender(name) === undefined && this.#deps.named(name).role === undefined);
    return stranger === undefined ? undefined : fault("invalid", `from names ${stranger}, who can't read this room.`);
  }

  #refuseNumber(sender: string): Fault | undefined {
    const open = [...this.#deps.open().values()].filter(({ seq }) => !this.#ended.has(seq)).map((ask) => ask.sender);
    const all = [...open, ...this.#askers];
    if (all.filter((asker) => personOf(asker) === personOf(sender)).length >= MOST_OPEN.person) {
      const words = `At most ${MOST_OPEN.person} asks of yours can be open here: wait for answers, or delete some.`;
      return fault("rate_limited", words, 60);
    }
    if (all.length < MOST_OPEN.room) return undefined;
    return fault("rate_limited", `At most ${MOST_OPEN.room} asks can be open in a room.`, 60);
  }
}
