/**
 * A room as it should be, in the plainest way: a list of entries, who is here, and what is being written. No sockets, no
 * batches, no storage, no time.
 */

import type { Answer, AskClosed, MessageKind } from "../../../party/protocol.ts";

/**
 * One entry of the log; its seq is its place, from 1. A deleted text has empty content, an erased one no sender either. Whom
 * an erasure takes stands in it only until it is carried out everywhere, so here it never does.
 */
export interface Entry {
  id: string;
  readonly kind: MessageKind;
  sender: string;
  content: string;
  /** Of a deletion: the seq that it deletes. */
  readonly target?: number;
  /** Of an erasure: up to which seq it has taken messages. */
  readonly upTo?: number;
  /** Of an ask: whether it is open, or what has closed it. */
  ask?: "open" | AskClosed;
  /** Of an answer. */
  readonly answer?: Answer;
}

/** What everybody may answer in a model's asks. */
export const OPTIONS = ["yes", "no"] as const;

/** The id of every erasure: its own has the name in it, as long as the entry has. */
export const ERASURE = "erasure";

/** What becomes of a message that somebody sends. */
export type Outcome = "stored" | "repeated" | "conflict";

/** What becomes of an attempt to delete. */
export type Deletion = "stored" | "repeated" | "not_found" | "forbidden";

export interface Person {
  readonly sender: string;
  /** Made the room. */
  readonly owner: boolean;
}

export class RoomModel {
  readonly log: Entry[] = [];
  /** Where the messages are that were erased, by `sender id`: a retry is recognised all the same. */
  readonly #erased = new Map<string, number>();
  /** Senders who are connected, and how many only watch. */
  readonly here = new Set<string>();
  spectators = 0;
  /** The text so far of each draft, by `sender id`. */
  readonly drafts = new Map<string, string>();
  isD1Away = false;
  /** The room's object has lost what it had stored, and nobody has asked for the room since. */
  storageIsLost = false;
  /** Grows when the room has to start a new epoch. */
  generation = 1;

  get head(): number {
    return this.log.length;
  }

  /** Neither the room's object nor D1 can say what the room is: it must not claim to be empty. */
  get isOutOfReach(): boolean {
    return this.storageIsLost && this.isD1Away && this.head > 0;
  }

  /** The seq of the message that `sender` has sent as `id`, perhaps before it was erased; `undefined` when they have not. */
  seqOf(sender: string, id: string): number | undefined {
    const index = this.log.findIndex((entry) => entry.sender === sender && entry.id === id);
    return index === -1 ? this.#erased.get(`${sender} ${id}`) : index + 1;
  }

  /** How many messages of `sender` there have been. */
  countOf(sender: string): number {
    const there = this.log.filter((entry) => entry.sender === sender && entry.kind === "text").length;
    return there + [...this.#erased.keys()].filter((name) => name.startsWith(`${sender} `)).length;
  }

  send(person: Person, id: string, content: string): Outcome {
    const seq = this.seqOf(person.sender, id);
    if (seq !== undefined) {
      const first = this.log[seq - 1]!;
      return first.content === content || first.content === "" ? "repeated" : "conflict";
    }
    this.log.push({ id, kind: "text", sender: person.sender, content });
    this.drafts.delete(`${person.sender} ${id}`);
    return "stored";
  }

  /** Asks people; the id is new. */
  ask(person: Person, id: string): void {
    this.log.push({ id, kind: "text", sender: person.sender, content: "Go?", ask: "open" });
  }

  /** The seq of the oldest ask that is open. */
  get openAsk(): number | undefined {
    const index = this.log.findIndex(({ ask }) => ask === "open");
    return index === -1 ? undefined : index + 1;
  }

  /** Whether `person` may answer the ask `seq`. */
  mayAnswer({ sender }: Person, seq: number): boolean {
    return !sender.includes("/") && !sender.startsWith("~") && this.log[seq - 1]?.sender !== sender;
  }

  answer({ sender }: Person, id: string, answer: Answer): void {
    this.log.push({ id, kind: "text", sender, content: answer.option, answer });
    this.#close(answer.target, { option: answer.option, by: sender, seq: this.head });
  }

  /** The time of an ask is over. */
  expire(seq: number): void {
    const { sender } = this.log[seq - 1]!;
    this.log.push({ id: `expire:${seq}`, kind: "expiry", sender, content: "" });
    this.#close(seq, { expired: true, seq: this.head });
  }

  #close(seq: number, closed: AskClosed): void {
    const ask = this.log[seq - 1];
    if (ask?.ask) ask.ask = closed;
  }

  delete(person: Person, seq: number): Deletion {
    const target = this.log[seq - 1];
    if (target?.kind !== "text") return "not_found";
    const isTheirs = target.sender === person.sender || target.sender.startsWith(`${person.sender}/`);
    if (!isTheirs && !person.owner) return "forbidden";
    if (target.content === "") return "repeated";
    empty(target);
    this.log.push({ id: `delete:${seq}`, kind: "deletion", sender: person.sender, content: "", target: seq });
    return "stored";
  }

  /** Whether there is anything that an erasure of `sender` would take. */
  hasWritten(sender: string): boolean {
    return this.log.some((entry) => entry.kind !== "erasure" && isOf(entry, sender));
  }

  /** Erases everything by `sender` and their agents. Nothing happens where there is nothing. */
  erase(person: Person, sender: string): void {
    if (!this.hasWritten(sender)) return;
    const upTo = this.head;
    for (const [index, entry] of this.log.entries()) {
      forget(entry, sender);
      if (!isOf(entry, sender)) continue;
      if (entry.kind === "text") {
        this.#erased.set(`${entry.sender} ${entry.id}`, index + 1);
        entry.id = `erased:${index + 1}`;
        empty(entry);
      }
      entry.sender = "";
    }
    this.log.push({ id: ERASURE, kind: "erasure", sender: person.sender, content: "", upTo });
    for (const key of this.drafts.keys()) if (isOf({ sender: key.split(" ")[0]! }, sender)) this.drafts.delete(key);
  }

  draft(person: Person, id: string, append: string): void {
    const key = `${person.sender} ${id}`;
    this.drafts.set(key, (this.drafts.get(key) ?? "") + append);
  }

  enter(sender: string | undefined): void {
    if (sender === undefined) this.spectators++;
    else this.here.add(sender);
  }

  leave(sender: string | undefined): void {
    if (sender === undefined) {
      this.spectators--;
      return;
    }
    this.here.delete(sender);
    for (const key of this.drafts.keys()) if (key.startsWith(`${sender} `)) this.drafts.delete(key);
  }

  /** Everybody has lost their connection, and the room what it had in memory. */
  everybodyLeft(): void {
    this.here.clear();
    this.spectators = 0;
    this.drafts.clear();
  }
}

/** Takes the words away: of an ask what it asks, but of an answer not what it has decided. */
export function empty(entry: Entry): void {
  entry.content = "";
  delete entry.ask;
}

/** Takes the name of `sender` from an ask that they have answered. */
export function forget(entry: Entry, sender: string): void {
  const { ask } = entry;
  if (typeof ask === "object" && "by" in ask && isOf({ sender: ask.by }, sender)) entry.ask = { ...ask, by: "" };
}

/** Whether it is by `sender`, or by an agent of theirs. */
const isOf = (entry: Pick<Entry, "sender">, sender: string): boolean => `${entry.sender}/`.startsWith(`${sender}/`);
