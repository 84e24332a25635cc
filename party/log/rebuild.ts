/**
 * A log that begins with what D1 has of a room, and is filled with the rest from the newest message to the oldest: as if the
 * room had never lost its storage.
 */

import { nanoid } from "nanoid";
import type { OpenAsk } from "../asks/ask.ts";
import type { Seq } from "../protocol.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { type Erasure, erasuresIn, sendersOf } from "./erasure.ts";
import type { Erasures } from "./erasures.ts";
import { addPairs } from "./known-pairs.ts";
import { CHECKPOINT_TABLE, LOG_TABLES, LOG_VERSION, MESSAGES_TABLE } from "./log-tables.ts";
import type { Changer, MessagesTable } from "./messages-table.ts";
import type { OpenAsks } from "./open-asks.ts";
import { RecentIds } from "./recent-ids.ts";
import type { StoredMessage } from "./stored-message.ts";
import type { Writers } from "./writers.ts";

/** What D1 has of a room, from which a log begins anew. */
export interface Beginning {
  /** Its newest messages, oldest first. */
  readonly messages: readonly StoredMessage[];
  /** Messages with a lower seq are gone. */
  readonly first?: Seq;
  /** The newest seq that was ever given. It is no message's where that one is gone. */
  readonly head?: Seq;
  /** When the newest message was written, ms since 1970, where it is gone. */
  readonly lastAt?: number;
  /** From here on `messages` has all that there are; absent: from the first of them on. */
  readonly oldest?: Seq;
  /** A dump of the (sender, id) pairs: what was erased is recognised by these alone. */
  readonly pairs?: ArrayBuffer | undefined;
  /** The asks that are open. */
  readonly asks?: readonly OpenAsk[];
  /** Erasures that have not ended, beside those among `messages`. */
  readonly erasures?: readonly Erasure[];
  /** Of the newest copy that D1 has, ms since 1970. */
  readonly revision?: number;
  /** Absent: a new one. */
  readonly epoch?: string;
}

/** The parts of a log that begins or is filled. */
export interface LogParts {
  readonly storage: RoomStorage;
  readonly messages: MessagesTable;
  readonly erasures: Erasures;
  readonly asks: OpenAsks;
  readonly writers: Writers;
}

/** Makes the tables of a log that begins with this. The pairs that it knows. In a transaction. */
export function beginLog(parts: LogParts, beginning: Beginning): RecentIds {
  const { storage, messages, asks } = parts;
  const { first = 1, epoch = nanoid(10), revision = 0 } = beginning;
  const copied = beginning.messages.filter(({ seq }) => seq >= first);
  const last = beginning.messages.at(-1);
  const head = Math.max(last?.seq ?? 0, beginning.head ?? 0, first - 1);
  const lastAt = Math.max(last?.at ?? 0, beginning.lastAt ?? 0);
  const oldest = Math.max(first, beginning.oldest ?? copied[0]?.seq ?? head + 1);
  const recent = (beginning.pairs && RecentIds.from(beginning.pairs, head)) ?? new RecentIds();
  addPairs(
    recent,
    beginning.messages.filter(({ seq }) => seq > recent.last),
  );
  recent.passOver(head);
  storage.make("log", LOG_VERSION, [MESSAGES_TABLE, CHECKPOINT_TABLE, ...LOG_TABLES]);
  const log = `INSERT INTO log (one, epoch, head, first, oldest, last_at, copied, revision)
    VALUES (1, ?, ?, ?, ?, ?, ?, ?)`;
  storage.sql.exec(log, epoch, head, first, oldest, lastAt, head, revision);
  const dump = recent.last === head ? recent.dump() : null;
  storage.sql.exec("INSERT INTO checkpoint (one, seq, pairs) VALUES (1, ?, ?)", dump ? head : 0, dump);
  parts.erasures.add(beginning.erasures ?? []);
  take(parts, copied);
  change(parts, copied, copied);
  if (oldest > first) messages.index();
  asks.add((beginning.asks ?? []).filter(({ seq }) => seq >= first));
  return recent;
}

/** Takes up the messages from `from` on and below `end`, of which everything is here already that came later. In a transaction. */
export function fillLog(
  parts: LogParts,
  copied: readonly StoredMessage[],
  { from, end }: { readonly from: Seq; readonly end: Seq },
): void {
  take(parts, copied);
  change(parts, copied, parts.messages.changersOf(from, end - 1));
}

/** Stores messages of D1's as they are after all erasures. What an erasure has yet to take from D1 is marked. */
function take({ storage, messages, erasures, writers }: LogParts, copied: readonly StoredMessage[]): void {
  erasures.add(erasuresIn(copied));
  const told = erasures.read([...copied]);
  messages.fill(told);
  writers.add(sendersOf(told), "told");
  storage.dirty.markPacks(copied.filter((message, index) => message !== told[index]).map(({ seq }) => seq));
}

/** Lets entries take their effect. Where D1 has the words still of what they have deleted, that is marked. */
function change({ storage, messages }: LogParts, copied: readonly StoredMessage[], entries: readonly Changer[]): void {
  messages.change(entries);
  const deleted = new Set(entries.filter(({ kind }) => kind === "deletion").map(({ ref }) => ref));
  const changed = copied.filter(({ seq, content }) => content !== "" && deleted.has(seq));
  storage.dirty.markPacks(changed.map(({ seq }) => seq));
}
