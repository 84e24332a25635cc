/** A room's file as it is read: checked whole before anything of it is used. */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { type Erasure, erasuresIn, withErasures } from "../../../party/log/erasure.ts";
import { isSaid, type StoredMessage } from "../../../party/log/stored-message.ts";
import type { Seq } from "../../../party/protocol.ts";
import { type MessageRecord, type RoomHeader, storedMessage } from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { refuseLaterVersion } from "./directory-file.ts";
import { linesOfFile, recordOf } from "./lines.ts";
import { isSameHistory, isSum } from "./room-file.ts";

/** A file that is sound up to its last sum. */
export interface CheckedFile {
  readonly header: RoomHeader;
  /** Its last message, or the last that is gone; 0 when there never was one. */
  readonly upTo: Seq;
  readonly messages: number;
  /** Its erasures: what they take is read as erased, whatever the file has of it. */
  readonly erasures: readonly Erasure[];
  /** What its deletions empty, whatever the file has of it. */
  readonly deleted: ReadonlySet<Seq>;
  /** Bytes up to its last sum. */
  readonly size: number;
  /** Bytes behind it, of a writer that was cut off. */
  readonly torn: number;
}

/** Reads all of `path`; `undefined` when no part of it is whole. Throws `Failure` when it is damaged. */
export async function checkRoomFile(path: string): Promise<CheckedFile | undefined> {
  let whole: Omit<CheckedFile, "torn"> | undefined;
  let header: RoomHeader | undefined;
  let [size, lines, inPart, messages] = [0, 0, 0, 0];
  let last: Seq = 0;
  const erasures: Erasure[] = [];
  const deleted = new Set<Seq>();
  /** Of the part that has no sum yet. */
  let deletedInPart: Seq[] = [];
  let hash = createHash("sha256");
  const damaged = () =>
    `${path}, line ${lines}, is damaged: use another copy of the backup, or delete the file to do without the room.`;
  const require = (isSound: boolean) => {
    if (!isSound) throw new Failure(damaged());
  };
  /** What is wrong behind the last sum is no damage: the writer was cut off there. */
  let wrong: Failure | undefined;
  const take = (bytes: Buffer, record: Record<string, unknown>) => {
    hash.update(bytes);
    inPart++;
    if (record.type === "room") {
      refuseLaterVersion(record.version, path);
      header ??= record as unknown as RoomHeader;
      require(isSameHistory(header, record as unknown as RoomHeader));
      const first = record.first ?? 1;
      require(Number.isSafeInteger(first) && (first as Seq) >= 1);
      last = Math.max(last, (first as Seq) - 1);
    } else if (record.type === undefined) {
      require(header !== undefined && isMessage(record) && record.seq > last);
      const { seq, kind, ref } = record as unknown as MessageRecord;
      last = seq;
      messages++;
      erasures.push(...erasuresIn([record as unknown as MessageRecord]));
      if (kind === "deletion" && ref !== null) deletedInPart.push(ref);
    }
  };
  for await (const bytes of linesOfFile(path)) {
    lines++;
    size += bytes.length;
    if (isSum(bytes)) {
      if (wrong) throw wrong;
      const sum = recordOf(bytes, damaged);
      require(header !== undefined && sum.lines === inPart && sum.sha256 === hash.digest("hex") && sum.upTo === last);
      for (const seq of deletedInPart) deleted.add(seq);
      deletedInPart = [];
      whole = { header: header as RoomHeader, upTo: last, messages, erasures: [...erasures], deleted, size };
      hash = createHash("sha256");
      inPart = 0;
      continue;
    }
    try {
      take(bytes, recordOf(bytes, damaged));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      wrong ??= error;
    }
  }
  if (!whole) {
    if (wrong) throw wrong;
    return undefined;
  }
  return { ...whole, torn: statSync(path).size - whole.size };
}

/** The messages of a file that was checked, oldest first, as its deletions and erasures have left them. */
export async function* messagesOf(
  path: string,
  { size, erasures, deleted }: Pick<CheckedFile, "size" | "erasures" | "deleted">,
): AsyncGenerator<StoredMessage, void> {
  for await (const bytes of linesOfFile(path, size)) {
    const record = JSON.parse(bytes.toString()) as MessageRecord & { type?: string };
    if (record.type !== undefined) continue;
    const message = storedMessage(record);
    const isEmpty = deleted.has(message.seq) && isSaid(message.kind);
    yield withErasures(isEmpty ? { ...message, content: "" } : message, erasures);
  }
}

function isMessage(record: Record<string, unknown>): record is Record<string, unknown> & MessageRecord {
  const { seq, id, kind, sender, content, ref, at } = record;
  const isSeq = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
  const areTexts = [id, kind, sender, content, at].every((value) => typeof value === "string");
  return isSeq(seq) && areTexts && (ref === null || isSeq(ref)) && !Number.isNaN(Date.parse(at as string));
}
