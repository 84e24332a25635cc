/**
 * The (sender, id) pairs of the newest messages, and their checkpoint in the room's own SQLite, so that a wake reads a few
 * hundred rows instead of thousands to know them again.
 */

import type { Seq } from "../protocol.ts";
import type { MessagesTable } from "./messages-table.ts";
import { RECENT, RecentIds } from "./recent-ids.ts";
import type { Sql } from "./sql.ts";
import type { StoredMessage } from "./stored-message.ts";

/**
 * After so many messages the pairs are written down again, so that a wake reads at most about as many rows, however long
 * D1 has been away. 32 KB in two rows.
 */
const CHECKPOINT_EVERY = 256;

/** What of a message is read for its (sender, id) pair. */
type Pair = Pick<StoredMessage, "seq" | "sender" | "id">;

export interface KnownPairsDeps {
  /** Throws `Closed` when the log is closed. */
  sql(): Sql;
  readonly messages: MessagesTable;
  /** The log's newest seq, and from where on its messages are here. */
  head(): Seq;
  oldest(): Seq;
}

export class KnownPairs {
  readonly #deps: KnownPairsDeps;
  #recent: RecentIds | undefined;
  /** The newest seq whose pair is in the checkpoint. */
  #checkpoint: Seq = 0;

  constructor(deps: KnownPairsDeps) {
    this.#deps = deps;
  }

  /** Takes up the checkpoint of a log that is there. */
  open(): void {
    const [checkpoint] = this.#deps.sql().exec<{ seq: number }>("SELECT seq FROM checkpoint").toArray();
    this.#checkpoint = checkpoint?.seq ?? 0;
  }

  /** Begins with pairs that the log has been created with: they are a checkpoint where they end at its head. */
  begin(recent: RecentIds): void {
    const isWhole = recent.last === this.#deps.head();
    this.#recent = isWhole ? recent : undefined;
    this.#checkpoint = isWhole ? recent.last : 0;
  }

  /** They end at the head, always. Built when first needed: many wakes only read. */
  get recent(): RecentIds {
    this.#recent ??= this.#load();
    return this.#recent;
  }

  /** Notes the pairs of older messages, oldest first, that have been brought back. In a transaction, or none. */
  learn(messages: readonly Pair[]): void {
    const { recent } = this;
    if (recent.last === 0) this.#recent = undefined;
    else if (recent.learn(messages)) this.writeCheckpoint();
  }

  /** Whether enough messages have come since the checkpoint. */
  get isCheckpointDue(): boolean {
    return this.#deps.head() - this.#checkpoint >= CHECKPOINT_EVERY;
  }

  /** Writes the pairs down as they are now. In a transaction; `noteCheckpoint` follows it. */
  writeCheckpoint(): void {
    this.#deps.sql().exec("UPDATE checkpoint SET seq = ?, pairs = ?", this.#deps.head(), this.recent.dump());
  }

  noteCheckpoint(): void {
    this.#checkpoint = this.#deps.head();
  }

  #load(): RecentIds {
    const { sql, messages, head, oldest } = this.#deps;
    const query = "SELECT pairs FROM checkpoint";
    const [checkpoint] = sql().exec<{ pairs: ArrayBuffer | null }>(query).toArray();
    const dumped = checkpoint?.pairs ? RecentIds.from(checkpoint.pairs) : undefined;
    // What the dump does not reach up to must be here; or else the messages themselves are all that is known.
    const isUsable = dumped && dumped.last >= oldest() - 1 && dumped.last <= head();
    const recent = isUsable ? dumped : new RecentIds();
    const known = isUsable ? dumped.last : Math.max(head() - RECENT, oldest() - 1);
    addPairs(recent, messages.pairsFrom(known + 1));
    recent.passOver(head());
    return recent;
  }
}

/** Adds the pairs of messages, oldest first; where some are missing, no store has these. */
export function addPairs(recent: RecentIds, pairs: readonly Pair[]): void {
  for (const { seq, sender, id } of pairs) {
    recent.passOver(seq - 1);
    recent.add(seq, sender, id);
  }
}
