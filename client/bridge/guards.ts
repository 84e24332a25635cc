/**
 * Whom a bridge answers, and when it stops by itself. Pure: it is told what is said in the room, and says what to do.
 *
 * Agents that answer each other never stop, and an agent that answers everybody works for everybody. So only some are
 * answered, only when they mention the agent, and only so many times without a person in between.
 */

import { isAgent, mentions } from "../../party/mentions.ts";
import type { Message, Seq } from "../../party/protocol.ts";

export interface GuardRules {
  /** One's own name, `swift-otter/claude`. */
  readonly me: string;
  /** Who is answered, by sender; `anyone`: whoever may write in the room. */
  readonly allowed: readonly string[] | "anyone";
  /** Also what does not mention the agent. */
  readonly everyMessage: boolean;
  /** So many answers may follow each other without a message by a person. */
  readonly inARow: number;
}

/** Why something is not answered; `undefined` where it is. */
export type Refusal = "own" | "no text" | "no mention" | "not allowed";

/** What guards read of a message. */
type Said = Pick<Message, "seq" | "sender" | "kind" | "deleted" | "content" | "ask">;

export class Guards {
  readonly #rules: GuardRules;
  /** The seqs of one's own messages since a person has written, and of the last message by a person. */
  readonly #own = new Set<Seq>();
  #person: Seq = 0;

  /** `earlier`: what was said last before the bridge began. */
  constructor(rules: GuardRules, earlier: readonly Said[] = []) {
    this.#rules = rules;
    for (const message of earlier) this.hear(message);
  }

  /** Counts what is said in the room, in whatever order it is heard of. */
  hear({ seq, sender, kind, ask }: Said): void {
    if (kind !== "text") return;
    if (sender === this.#rules.me) {
      if (!ask) this.answered(seq);
    } else if (sender !== "" && !isAgent(sender) && seq > this.#person) {
      this.#person = seq;
      for (const own of this.#own) if (own < seq) this.#own.delete(own);
    }
  }

  /** Counts one's own answer `seq`: it may be heard of only later. */
  answered(seq: Seq): void {
    if (seq > this.#person) this.#own.add(seq);
  }

  /** The room has begun a new history: its seqs are others. */
  forget(): void {
    this.#own.clear();
    this.#person = 0;
  }

  /** Why a message is not one to answer; `undefined` where it is. */
  refuses({ sender, kind, deleted, content }: Said): Refusal | undefined {
    const { me, allowed, everyMessage } = this.#rules;
    if (sender === me) return "own";
    if (kind !== "text" || deleted) return "no text";
    if (!everyMessage && !mentions(content, me)) return "no mention";
    return allowed === "anyone" || allowed.includes(sender) ? undefined : "not allowed";
  }

  /** Whether it has answered too often without a person. */
  get isExhausted(): boolean {
    return this.#own.size >= this.#rules.inARow;
  }
}
