/**
 * The one format in which data leaves a deployment and comes back: what a line of it is. Export, backup and restore speak
 * it; docs/backup.md describes it.
 *
 * A line is a JSON object with a `type`, but for a message, which has a `seq`. Readers pass over types and fields that they
 * do not know. A file of a higher version is refused.
 */

import { type AskTerms, askContent, readAsk } from "../../party/asks/ask.ts";
import { parseAsk } from "../../party/asks/ask-parser.ts";
import type { KeyRow } from "../../party/identity/key-table.ts";
import { answerKind, chosenBy, fromMessage, type StoredMessage } from "../../party/log/stored-message.ts";
import { type Access, isFault, type Message, type MessageKind, type Seq } from "../../party/protocol.ts";
import type { SiteRow } from "../../party/sites/site-table.ts";

/**
 * The version of the format that is written, and the highest that is read. The first one knew only rooms that anybody may
 * read: a server of that time must not take a room's members from it and leave the room open. The second one had records of
 * members, invites and moderation one by one (`former-records.ts`).
 */
export const FORMAT_VERSION = 3;

/** What the deployment keeps to itself. */
export interface SecretRecord {
  readonly type: "secret";
  readonly name: string;
  readonly value: string;
}

/** A person and their keys. */
export interface KeyRecord extends KeyRow {
  readonly type: "key";
}

/** A site, as the table `sites` has it. Times are ISO 8601. */
export interface SiteRecord extends SiteRow {
  readonly type: "site";
}

/** A room's row. Times are ISO 8601. */
export interface RoomRow {
  readonly type: "room";
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly listed: boolean;
  /** Absent in a file of version 1, whose rooms are all open. */
  readonly access?: Access;
  /** The id of the key that made it; `null`: nobody's. */
  readonly owner: string | null;
  readonly createdAt: string;
  /** What the owner has settled, as the table `rooms` has it. */
  readonly settings: object;
  readonly revision: number;
  readonly epoch: string | null;
  /** Where the room's log ends. */
  readonly lastSeq: Seq;
  /** Messages with a lower seq are gone. A directory that was written before rooms let messages go has none. */
  readonly first?: Seq;
  /** Messages from before this time are gone; `null`: none for their age. */
  readonly goneBefore?: string | null;
  /** When something was last said, to the minute; that message itself may be gone. `null`: never. */
  readonly lastMessageAt?: string | null;
}

/** A part of what a room knows beside its messages, as the table `room_state` has it: who its members are, for one. */
export interface StateRecord {
  readonly type: "state";
  readonly room: string;
  readonly part: string;
  /** JSON, whose form the part says. */
  readonly body: unknown;
}

/** The operator has erased a sender everywhere, as the table `erasure_orders` has it: it holds for older messages that come later. */
export interface ErasureOrderRecord {
  readonly type: "erasureOrder";
  /** SHA-256 of the name, in hex. */
  readonly senderHash: string;
  /** ISO 8601: what was said up to then. */
  readonly at: string;
  /** `null`: it is carried out everywhere. */
  readonly sender: string | null;
}

/** Something that the operator has done, as the table `operator_deeds` has it. */
export interface OperatorDeedRecord {
  readonly type: "operatorDeed";
  /** Later ones are greater. */
  readonly id: string;
  readonly at: string;
  readonly method: string;
  /** Without whom it names. */
  readonly path: string;
  /** Whom it was done to; `null`: nobody, or they were erased. */
  readonly target: string | null;
  readonly detail: string | null;
  /** What the operator was answered with. */
  readonly status: number;
}

/** What the operator says on every page. */
export interface NoticeRecord {
  readonly type: "notice";
  readonly text: string;
  readonly since: string;
}

/** A line of the directory. Keys come before the sites and rooms that are theirs, and rooms before what belongs to them. */
export type DirectoryRecord =
  | SecretRecord
  | KeyRecord
  | SiteRecord
  | RoomRow
  | StateRecord
  | ErasureOrderRecord
  | OperatorDeedRecord
  | NoticeRecord;

/** A message of a room's file. `at` is ISO 8601. */
export interface MessageRecord {
  readonly seq: Seq;
  readonly id: string;
  readonly kind: MessageKind;
  readonly sender: string;
  /** Empty where the message was deleted; of an `erasure` the sender who was erased. */
  readonly content: string;
  /**
   * The seq that is answered (`text`), deleted (`deletion`), or ended because nobody answered in time (`expiry`), or up to
   * which is erased (`erasure`).
   */
  readonly ref: Seq | null;
  readonly at: string;
  /** Of a text that asks: what can be answered, by whom and until when. */
  readonly ask?: AskTerms;
  /** Of a text that answers the ask `ref`: the id of the option that it chooses. It stays when the text was deleted. */
  readonly answer?: string;
}

/** The first line of a part of a room's file. All parts of a file are of one room and one history. */
export interface RoomHeader {
  readonly type: "room";
  readonly version: number;
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly epoch: string;
  /** Messages with a lower seq are gone, and not in the file; left out where none is. */
  readonly first?: Seq;
}

/** The last line of a part: over all bytes of the part before it, in hex. */
export interface RoomSum {
  readonly type: "sum";
  /** The part's last message; where it began, or what came last of what is gone, when it has none. */
  readonly upTo: Seq;
  /** Lines of the part before this one. */
  readonly lines: number;
  readonly sha256: string;
}

/** A record as its line. */
export const line = (record: object): string => `${JSON.stringify(record)}\n`;

/** What a file has of a message. */
export const messageRecord = (message: Message): MessageRecord => recordOf(fromMessage(message));

/** The same of a message as it is stored. */
export function recordOf({ seq, id, kind, sender, content, ref, at }: StoredMessage): MessageRecord {
  const told = { seq, id, sender, ref, at: new Date(at).toISOString() };
  const option = chosenBy(kind);
  if (option !== undefined) return { ...told, kind: "text", content, answer: option };
  if (kind !== "ask") return { ...told, kind: kind as MessageKind, content };
  if (content === "") return { ...told, kind: "text", content };
  const { question, terms } = readAsk(content);
  return { ...told, kind: "text", content: question, ask: terms };
}

/** A file's message, as it is stored. An ask that can't be one, in a file that was changed by hand, is a text. */
export function storedMessage({ seq, id, kind, sender, content, ref, at, ask, answer }: MessageRecord): StoredMessage {
  const stored = { seq, id, kind, sender, content, ref, at: Date.parse(at) };
  if (kind !== "text") return stored;
  if (answer !== undefined && ref !== null) return { ...stored, kind: answerKind(answer) };
  const terms = ask && content !== "" ? parseAsk(ask) : undefined;
  return !terms || isFault(terms) ? stored : { ...stored, kind: "ask", content: askContent(content, terms) };
}

/** What a file has of a message, after `change` has changed what is stored of it; the same record where nothing has. */
export function changedRecord(record: MessageRecord, change: (stored: StoredMessage) => StoredMessage): MessageRecord {
  const stored = storedMessage(record);
  const changed = change(stored);
  return changed === stored ? record : recordOf(changed);
}
