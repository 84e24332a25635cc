/**
 * The one format in which data leaves a deployment and comes back: what a line of it is. Export, backup and restore speak
 * it; docs/backup.md describes it.
 *
 * A line is a JSON object with a `type`, but for a message, which has a `seq`. Readers pass over types and fields that they
 * do not know. A file of a higher version is refused.
 */

import type { StoredMessage } from "../../party/log/stored-message.ts";
import type { MessageKind, Seq } from "../../party/protocol.ts";

/** The version of the format that is written, and the highest that is read. */
export const FORMAT_VERSION = 1;

/** What the deployment keeps to itself. */
export interface SecretRecord {
  readonly type: "secret";
  readonly name: string;
  readonly value: string;
}

/** A person and their keys, as SHA-256 in hex. Times are ISO 8601. */
export interface KeyRecord {
  readonly type: "key";
  readonly id: string;
  readonly hash: string;
  readonly handle: string;
  readonly createdAt: string;
  readonly lastUsed: string | null;
  readonly revokedAt: string | null;
  /** A key that a rotation has made and that was not used yet. */
  readonly nextHash: string | null;
}

/** A room's row. Times are ISO 8601. */
export interface RoomRow {
  readonly type: "room";
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly listed: boolean;
  /** The id of the key that made it; `null`: nobody's. */
  readonly owner: string | null;
  readonly createdAt: string;
  /** What the owner has settled, as the table `rooms` has it. */
  readonly settings: object;
  readonly revision: number;
  readonly epoch: string | null;
  /** Where the room's log ends. */
  readonly lastSeq: Seq;
}

/** A line of the directory. Keys come before the rooms that are theirs. */
export type DirectoryRecord = SecretRecord | KeyRecord | RoomRow;

/** A message of a room's file. `at` is ISO 8601. */
export interface MessageRecord {
  readonly seq: Seq;
  readonly id: string;
  readonly kind: MessageKind;
  readonly sender: string;
  /** Empty where the message was deleted. */
  readonly content: string;
  /** The seq that is answered (`text`) or deleted (`deletion`). */
  readonly ref: Seq | null;
  readonly at: string;
}

/** What a file has of a message. */
export function messageRecord({ seq, id, kind, sender, content, ref, at }: StoredMessage): MessageRecord {
  return { seq, id, kind, sender, content, ref, at: new Date(at).toISOString() };
}

/** A file's message, as it is stored. */
export function storedMessage({ seq, id, kind, sender, content, ref, at }: MessageRecord): StoredMessage {
  return { seq, id, kind, sender, content, ref, at: Date.parse(at) };
}
