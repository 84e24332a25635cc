/**
 * The room's log in the room's own SQLite: the truth about the live room, and the only place that gives out `seq`.
 *
 * It appends, reads and prunes. When to do so, for whom, and what D1 has of it is decided elsewhere.
 */

import { nanoid } from "nanoid";
import { isAgent } from "../identity/sender.ts";
import type { Message, MessageKind, Seq } from "../protocol.ts";
import { LIMITS } from "../protocol.ts";
import { RECENT, RecentIds } from "./recent-ids.ts";
import type { Sql } from "./sql.ts";

/** The newest messages stay in the journal however many D1 has: enough for every resume and every retry. */
export const KEPT = LIMITS.resume + 1_000;

/** Pruning waits until this many could go, so that it is done in bulk and seldom. */
const PRUNE_AT_LEAST = 4_000;

/** A message that has no place in the order yet. `ref` is what it answers (`text`) or deletes (`deletion`). */
export interface Unplaced {
  readonly id: string;
  readonly kind: MessageKind;
  readonly sender: string;
  readonly content: string;
  readonly ref: Seq | null;
}

/** A message as it is stored, here and in D1; `at` in ms since 1970. */
export interface StoredMessage extends Unplaced {
  readonly seq: Seq;
  readonly at: number;
}

type Row = { seq: number; id: string; kind: string; sender: string; content: string; ref: number | null; at: number };

const TABLES = [
  `CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL,
    content TEXT NOT NULL, ref INTEGER, at INTEGER NOT NULL)`,
  "CREATE TABLE parked (seq INTEGER PRIMARY KEY, reason TEXT NOT NULL)",
  // One row. `recent` rides with `archived`, so that keeping it costs no row of its own.
  `CREATE TABLE log (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, archived INTEGER NOT NULL, recent BLOB)`,
];

/** What clients see of a stored message. An empty text can't be sent, so an empty one has been deleted. */
export function toMessage({ seq, id, kind, sender, content, ref, at }: StoredMessage): Message {
  const message: Message = { seq, id, kind, sender, content, createdAt: new Date(at).toISOString() };
  if (ref !== null) message[kind === "deletion" ? "target" : "replyTo"] = ref;
  if (kind === "text" && content === "") message.deleted = true;
  return message;
}

export interface JournalDeps {
  readonly sql: Sql;
  /** Runs `work` in one transaction: all of it is stored, or it throws and nothing is. */
  transaction<T>(work: () => T): T;
}

export class Journal {
  readonly #deps: JournalDeps;
  #epoch = "";
  #head: Seq = 0;
  #lastAt = 0;
  #archived: Seq = 0;
  #oldest: Seq = 1;
  #recent: RecentIds | undefined;
  #agentRun: number | undefined;

  /** Opens the log. Synchronous, so that a constructor can call it; writes nothing, so that a look leaves no trace. */
  constructor(deps: JournalDeps) {
    this.#deps = deps;
    const { sql } = deps;
    const [table] = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name = 'log'");
    if (!table) return;
    const [log] = sql.exec<{ epoch: string; archived: number }>("SELECT epoch, archived FROM log");
    const [last] = sql.exec<{ seq: number; at: number }>("SELECT seq, at FROM messages ORDER BY seq DESC LIMIT 1");
    this.#epoch = log?.epoch ?? "";
    this.#archived = log?.archived ?? 0;
    this.#head = last?.seq ?? this.#archived;
    this.#lastAt = last?.at ?? 0;
    this.#oldest = this.#findOldest();
  }

  /** Whether this log has ever been started. Until then there is nothing else to ask it. */
  get started(): boolean {
    return this.#epoch !== "";
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The newest seq; 0 in an empty room. */
  get head(): Seq {
    return this.#head;
  }

  /** When the newest message was written down, ms since 1970; 0 in an empty room. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Everything from here on is here; older messages are in D1. `head + 1` when none is here. */
  get oldest(): Seq {
    return this.#oldest;
  }

  /** D1 has everything up to here, but for what is parked. */
  get archived(): Seq {
    return this.#archived;
  }

  /** Starts a new log behind `archived`, the newest messages that D1 has of the room. A new log is a new epoch. */
  start(archived: readonly StoredMessage[]): void {
    const epoch = nanoid(10);
    const last = archived.at(-1);
    this.#deps.transaction(() => {
      for (const table of TABLES) this.#deps.sql.exec(table);
      for (const message of archived) this.#insert(message);
      this.#deps.sql.exec("INSERT INTO log (one, epoch, archived) VALUES (1, ?, ?)", epoch, last?.seq ?? 0);
    });
    this.#epoch = epoch;
    this.#head = this.#archived = last?.seq ?? 0;
    this.#lastAt = last?.at ?? 0;
    this.#oldest = archived[0]?.seq ?? 1;
    this.#recent = undefined;
  }

  /**
   * Appends all of `messages` in their order, or throws and appends none. The caller sends right after it, without an
   * `await` between (promise 2); the runtime holds back what is sent until this is on disk (promise 1).
   */
  append(messages: readonly Unplaced[], now: number): StoredMessage[] {
    const recent = this.#recentPairs();
    const at = Math.max(now, this.#lastAt);
    let seq = this.#head;
    const placed = messages.map(({ id, kind, sender, content, ref }) => ({
      seq: ++seq,
      id,
      kind,
      sender,
      content,
      ref,
      at,
    }));
    this.#deps.transaction(() => {
      for (const message of placed) {
        this.#insert(message);
        if (message.kind === "deletion") this.#blank(message.ref as Seq);
      }
    });
    this.#head = seq;
    this.#lastAt = at;
    for (const message of placed) recent.add(message.seq, message.sender, message.id);
    const run = this.agentRun;
    this.#agentRun = placed.reduce(
      (count, { kind, sender }) => (kind !== "text" ? count : isAgent(sender) ? count + 1 : 0),
      run,
    );
    return placed;
  }

  /** The message that `sender` has sent as `id`, if it is among the recent ones. */
  find(sender: string, id: string): StoredMessage | undefined {
    for (const seq of this.#recentPairs().candidates(sender, id)) {
      const message = this.get(seq);
      if (message?.sender === sender && message.id === id) return message;
    }
    return undefined;
  }

  get(seq: Seq): StoredMessage | undefined {
    return this.#select("WHERE seq = ?", seq)[0];
  }

  /** Up to `limit` messages with a seq above `seq`, oldest first. Only what is still here: see `oldest`. */
  after(seq: Seq, limit: number): StoredMessage[] {
    return this.#select("WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit);
  }

  /** Up to `limit` messages with a seq below `seq`, oldest first. Only what is still here: see `oldest`. */
  before(seq: Seq, limit: number): StoredMessage[] {
    return this.#select("WHERE seq < ? ORDER BY seq DESC LIMIT ?", seq, limit).reverse();
  }

  /** The bytes of content above `seq`. */
  bytesAfter(seq: Seq): number {
    const query = "SELECT COALESCE(SUM(LENGTH(CAST(content AS BLOB))), 0) AS bytes FROM messages WHERE seq > ?";
    return this.#deps.sql.exec<{ bytes: number }>(query, seq).toArray()[0]?.bytes ?? 0;
  }

  /** How many texts by agents follow each other up to the head, counted up to the largest loop guard. */
  get agentRun(): number {
    if (this.#agentRun === undefined) {
      const senders = this.latestSenders(1_000);
      const person = senders.findIndex((sender) => !isAgent(sender));
      this.#agentRun = person === -1 ? senders.length : person;
    }
    return this.#agentRun;
  }

  /** The senders of the newest `limit` texts, newest first. */
  latestSenders(limit: number): string[] {
    const query = "SELECT sender FROM messages WHERE kind = 'text' ORDER BY seq DESC LIMIT ?";
    return this.#deps.sql
      .exec<{ sender: string }>(query, limit)
      .toArray()
      .map((row) => row.sender);
  }

  /** The message that deleted `seq`, if it is still here. */
  deletionOf(seq: Seq): StoredMessage | undefined {
    return this.#select("WHERE kind = 'deletion' AND ref = ? LIMIT 1", seq)[0];
  }

  /** Notes that D1 has everything up to `seq`. One row written. */
  markArchived(seq: Seq): void {
    const recent = this.#recentPairs().dump();
    this.#deps.sql.exec("UPDATE log SET archived = ?, recent = ?", seq, recent);
    this.#archived = seq;
  }

  /** Sets a message aside that D1 refuses, so that the others can go on. It stays here for good. */
  park(seq: Seq, reason: string): void {
    this.#deps.sql.exec("INSERT OR REPLACE INTO parked (seq, reason) VALUES (?, ?)", seq, reason);
  }

  parked(): { seq: Seq; reason: string }[] {
    return this.#deps.sql
      .exec<{ seq: number; reason: string }>("SELECT seq, reason FROM parked ORDER BY seq")
      .toArray();
  }

  /** Drops old messages that D1 has, when there are enough of them. Returns how many seqs were let go. */
  prune(): number {
    const upTo = Math.min(this.#archived, this.#head - KEPT);
    const count = upTo - this.#oldest + 1;
    if (count < PRUNE_AT_LEAST) return 0;
    this.#deps.sql.exec("DELETE FROM messages WHERE seq <= ? AND seq NOT IN (SELECT seq FROM parked)", upTo);
    this.#oldest = upTo + 1;
    return count;
  }

  /** The start of the dense run that ends at the head: parked messages may lie, alone, before it. */
  #findOldest(): Seq {
    const query = "SELECT MIN(seq) AS seq FROM messages WHERE seq NOT IN (SELECT seq FROM parked)";
    const [first] = this.#deps.sql.exec<{ seq: number | null }>(query);
    return first?.seq ?? this.#head + 1;
  }

  #insert({ seq, id, kind, sender, content, ref, at }: StoredMessage): void {
    const query = "INSERT INTO messages (seq, id, kind, sender, content, ref, at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    this.#deps.sql.exec(query, seq, id, kind, sender, content, ref, at);
  }

  #blank(seq: Seq): void {
    this.#deps.sql.exec("UPDATE messages SET content = '' WHERE seq = ?", seq);
  }

  #select(where: string, ...bindings: number[]): StoredMessage[] {
    const query = `SELECT seq, id, kind, sender, content, ref, at FROM messages ${where}`;
    return this.#deps.sql.exec<Row>(query, ...bindings).toArray() as StoredMessage[];
  }

  /** Built when first needed: many wakes only read. */
  #recentPairs(): RecentIds {
    if (this.#recent) return this.#recent;
    const recent = new RecentIds();
    const { sql } = this.#deps;
    const [log] = sql.exec<{ recent: ArrayBuffer | null }>("SELECT recent FROM log");
    if (log?.recent) recent.load(log.recent);
    const known = Math.max(recent.last, this.#head - RECENT, this.#oldest - 1);
    const query = "SELECT seq, sender, id FROM messages WHERE seq > ? ORDER BY seq";
    for (const row of sql.exec<{ seq: number; sender: string; id: string }>(query, known)) {
      recent.add(row.seq, row.sender, row.id);
    }
    this.#recent = recent;
    return recent;
  }
}
