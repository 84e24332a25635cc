/**
 * Messages that wait for a moderator, and which of them were decided lately: so that a retry is told the same, and an
 * approval that is repeated is one message.
 */

import { nanoid } from "nanoid";
import { type Participant, personOf } from "../identity/sender.ts";
import { isTaken, takenNames } from "../log/erasure.ts";
import type { StoredKind, StoredMessage, Unplaced } from "../log/stored-message.ts";
import { type Fault, fault, type Seq } from "../protocol.ts";
import type { HeldReason } from "../room-rpc.ts";
import type { ModerationTables } from "./moderation-tables.ts";

/** Messages that may wait in a room, of one person or guest, and from one address. */
export const MOST_HELD = { room: 200, person: 5, address: 10 } as const;
/** Decided ones that are remembered. */
const DECIDED = 500;
/** A message waits for this long at most, and a decided one is remembered for as long, ms: 7 days. */
export const HELD_FOR = 7 * 86_400_000;

/** A message that waits, or was decided. */
export interface HeldMessage {
  readonly id: string;
  readonly sender: string;
  /** The id that its author gave it. */
  readonly message: string;
  readonly kind: StoredKind;
  readonly content: string;
  readonly ref: Seq | null;
  /** ms since 1970. */
  readonly at: number;
  /** Of the address that it came from. */
  readonly tag: string | null;
  readonly why: HeldReason;
  readonly state: "waiting" | "approved" | "refused";
  readonly seq: Seq | null;
}

type Row = { -readonly [Name in keyof HeldMessage]: HeldMessage[Name] };

const COLUMNS = "id, sender, message, content, ref, at, tag, why, state, seq, kind";
/** Its parameters are `takenNames`; others come after them. */
const OF_PERSON = isTaken(1);

export class HeldMessages {
  readonly #tables: ModerationTables;

  constructor(tables: ModerationTables) {
    this.#tables = tables;
  }

  /** What `sender` has sent as `message`, if it waits or was decided lately. */
  find(sender: string, message: string): HeldMessage | undefined {
    return this.#select("sender = ? AND message = ?", sender, message)[0];
  }

  /** The held message `id`. */
  get(id: string): HeldMessage | undefined {
    return this.#select("id = ?", id)[0];
  }

  /** All that waits at `now`, oldest first; with `person`, theirs and their agents'. They are bounded. */
  waiting(now: number, person?: string): HeldMessage[] {
    const since = now - HELD_FOR;
    if (person === undefined) return this.#select("state = 'waiting' AND at > ? ORDER BY at, id", since);
    return this.#select(`${OF_PERSON} AND state = 'waiting' AND at > ?4 ORDER BY at, id`, ...takenNames(person), since);
  }

  /** How many wait at `now`. */
  count(now: number): number {
    return this.#count("at > ?", now - HELD_FOR);
  }

  /** Holds a message; why not, when too many wait. */
  add(
    author: Participant,
    { id: message, kind, content, ref }: Unplaced,
    why: HeldReason,
    now: number,
  ): HeldMessage | Fault {
    const { sender, behind = null } = author;
    const since = now - HELD_FOR;
    if (this.#tables.isThere) {
      // First what reads that person's rows alone: a flood of theirs reads no others.
      if (this.#count(`${OF_PERSON} AND at > ?4`, ...takenNames(personOf(sender)), since) >= MOST_HELD.person)
        return TOO_MANY;
      if (behind !== null && this.#count("tag = ? AND at > ?", behind, since) >= MOST_HELD.address) return TOO_MANY;
      if (this.#count("at > ?", since) >= MOST_HELD.room) return FULL;
    }
    const held: HeldMessage = {
      ...{ id: nanoid(12), sender, message, kind, content, ref, at: now, tag: behind, why },
      ...{ state: "waiting", seq: null },
    };
    this.#tables.change("held", () => {
      const insert = `INSERT OR REPLACE INTO held (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
      this.#tables.sql.exec(insert, held.id, sender, message, content, ref, now, behind, why, "waiting", null, kind);
      this.#prune(now);
    });
    return held;
  }

  /** A message that waited has its place now: `seq`. Its text is in the log. */
  approve({ id }: HeldMessage, { seq }: Pick<StoredMessage, "seq">): void {
    this.#decide("approved", id, seq);
  }

  /** A message that waited is refused, and its text gone. */
  refuse({ id }: HeldMessage): void {
    this.#decide("refused", id, null);
  }

  /** Removes all by `sender` and their agents: they have been erased. */
  forget(sender: string): void {
    if (this.#tables.isThere) this.#tables.change("held", () => this.#remove(OF_PERSON, ...takenNames(sender)));
  }

  /** Removes what has waited for too long at `now`. In how many ms there is more to remove; `undefined`: nothing is held. */
  sweep(now: number, keptFor: number): number | undefined {
    if (!this.#tables.isThere) return undefined;
    const for_ = Math.min(HELD_FOR, keptFor);
    const oldest = this.#oldestAt;
    if (oldest !== undefined && oldest <= now - for_)
      this.#tables.change("held", () => this.#remove("at <= ?1", now - for_));
    const next = this.#oldestAt;
    return next === undefined ? undefined : Math.max(0, next + for_ - now);
  }

  get #oldestAt(): number | undefined {
    const query = "SELECT MIN(at) AS at FROM held";
    return this.#tables.sql.exec<{ at: number | null }>(query).toArray()[0]?.at ?? undefined;
  }

  #decide(state: HeldMessage["state"], id: string, seq: Seq | null): void {
    this.#tables.change("held", () => {
      this.#tables.sql.exec("UPDATE held SET state = ?, seq = ?, content = '' WHERE id = ?", state, seq, id);
    });
  }

  /** Keeps no more than is of use. */
  #prune(now: number): void {
    this.#remove("at <= ?1", now - HELD_FOR);
    const some = "SELECT id FROM held WHERE state <> 'waiting' ORDER BY at DESC LIMIT -1 OFFSET ?1";
    this.#remove(`id IN (${some})`, DECIDED);
  }

  #remove(where: string, ...values: (string | number)[]): void {
    this.#tables.sql.exec(`DELETE FROM held WHERE ${where}`, ...values);
  }

  #count(where: string, ...values: (string | number)[]): number {
    if (!this.#tables.isThere) return 0;
    const query = `SELECT COUNT(*) AS count FROM held WHERE state = 'waiting' AND ${where}`;
    return this.#tables.sql.exec<{ count: number }>(query, ...values).toArray()[0]?.count ?? 0;
  }

  #select(where: string, ...values: (string | number)[]): HeldMessage[] {
    if (!this.#tables.isThere) return [];
    return this.#tables.sql.exec<Row>(`SELECT ${COLUMNS} FROM held WHERE ${where}`, ...values).toArray();
  }
}

const FULL = fault("rate_limited", "Too many messages wait for this room's moderators; come back later.", 300);
const TOO_MANY = fault("rate_limited", "Too many of your messages wait for a moderator; come back later.", 300);
