/**
 * A room as it should be, in the plainest way: a list of entries, who is here, and what is being written. No sockets, no
 * batches, no storage, no time.
 */

/** One entry of the log; its seq is its place, from 1. A deleted text has empty content. */
export interface Entry {
  readonly id: string;
  readonly kind: "text" | "deletion" | "erasure";
  sender: string;
  content: string;
  /** Of a deletion: the seq that it deletes. */
  readonly target?: number;
}

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

  /** The seq of the message that `sender` has sent as `id`; `undefined` when they have not. */
  seqOf(sender: string, id: string): number | undefined {
    const index = this.log.findIndex((entry) => entry.sender === sender && entry.id === id);
    return index === -1 ? undefined : index + 1;
  }

  /** How many messages of `sender` there are. */
  countOf(sender: string): number {
    return this.log.filter((entry) => entry.sender === sender && entry.kind === "text").length;
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

  delete(person: Person, seq: number): Deletion {
    const target = this.log[seq - 1];
    if (target?.kind !== "text") return "not_found";
    const isTheirs = target.sender === person.sender || target.sender.startsWith(`${person.sender}/`);
    if (!isTheirs && !person.owner) return "forbidden";
    if (target.content === "") return "repeated";
    target.content = "";
    this.log.push({ id: `delete:${seq}`, kind: "deletion", sender: person.sender, content: "", target: seq });
    return "stored";
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
