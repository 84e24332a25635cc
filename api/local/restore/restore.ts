/**
 * Brings a backup into an empty place: a folder of state, or an account's D1. Everything is checked before anything is
 * written, and a restore that is cut off goes on when it is run again: the place has a mark until it has come to its end.
 *
 * Only D1 is written. A room begins behind what D1 has when it first wakes, under a new epoch.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Database } from "../../../party/log/sql.ts";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import type { Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, RoomRow } from "../../format/records.ts";
import { type DirectoryHeader, directoryHeader, directoryPath, readDirectoryFile } from "../backup/directory-file.ts";
import { linesOfFile } from "../backup/lines.ts";
import { refuseLinks } from "../backup/links.ts";
import { roomPath } from "../backup/room-file.ts";
import { type CheckedFile, checkRoomFile, messagesOf } from "../backup/room-reader.ts";
import { Failure } from "../failure.ts";
import { endRoom, writeDirectory, writeRoom } from "./writer.ts";

/** What is restored. */
export interface RestoreReport {
  keys: number;
  rooms: number;
  messages: number;
  /** Files with something behind their last sum, which is passed over. */
  torn: string[];
}

export interface RestoreOptions {
  /** Where the backup is. */
  readonly folder: string;
  readonly place: Place;
  /** Restores what there is of a backup that was cut off. */
  readonly allowsIncomplete: boolean;
  readonly progress: (step: "checked" | "restored", messages: number) => void;
}

/** Where a backup goes. */
export interface Place {
  /** What its user calls it. */
  readonly name: string;
  /** What its user can do to begin anew, as a piece of a sentence. */
  readonly anew: string;
  /** What its user can do where it is not empty. */
  readonly another: string;
  /** Of what backup a restore was begun, by a name of the caller's; `undefined` when none was. */
  mark(): Promise<string | undefined>;
  /** What there is that a restore would overwrite, in a few words; `undefined` when there is nothing. */
  content(): Promise<string | undefined>;
  begin(mark: string): Promise<void>;
  withDatabase(work: (db: Database) => Promise<void>): Promise<void>;
  /** What becomes of a record of the directory there; `undefined`: it is not written now. */
  recordOf(record: DirectoryRecord): DirectoryRecord | undefined;
  /** The restore has come to its end. */
  end(): Promise<void>;
}

/** Throws `Failure`, and has changed nothing, unless the backup is sound and the place is empty. */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { folder, place } = options;
  const header = await openBackup(folder);
  const name = await nameOf(folder);
  const isBegun = await requireEmpty(place, name);
  if (!header.complete && !options.allowsIncomplete) {
    const what = "restore what it has with --incomplete";
    throw new Failure(`The backup in ${folder} was cut off: run npm run backup again, or ${what}.`);
  }
  const report = await check(options);
  if (!isBegun) await place.begin(name);
  await place.withDatabase((db) => write(db, options));
  // A run of the backup, as by cron, replaces the directory before any room's file.
  if ((await nameOf(folder)) !== name) {
    throw new Failure(`The backup in ${folder} was changed while it was restored: ${place.anew} and restore it again.`);
  }
  await place.end();
  return report;
}

/** The first line of the backup in `folder`. Throws `Failure` when there is none, or none that this server reads. */
export async function openBackup(folder: string): Promise<DirectoryHeader> {
  if (existsSync(directoryPath(folder))) {
    refuseLinks(folder);
    return directoryHeader(folder);
  }
  throw new Failure(`${folder} is not a backup: it has no directory.ndjson.`);
}

/** Names the state of a backup, so that a restore goes on only with the one with which it was begun. */
async function nameOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of linesOfFile(directoryPath(folder))) hash.update(bytes);
  return hash.digest("hex");
}

/** Whether this restore was begun before. */
async function requireEmpty(place: Place, name: string): Promise<boolean> {
  const mark = await place.mark();
  if (mark === name) return true;
  if (mark !== undefined) {
    throw new Failure(
      `A restore of another backup into ${place.name} was cut off: restore that one, or ${place.anew}.`,
    );
  }
  const content = await place.content();
  if (content === undefined) return false;
  throw new Failure(`${place.name} is not empty, it has ${content}: ${place.another}.`);
}

/** Reads the whole backup. */
async function check({ folder, allowsIncomplete, progress }: RestoreOptions): Promise<RestoreReport> {
  const report: RestoreReport = { keys: 0, rooms: 0, messages: 0, torn: [] };
  for await (const record of readDirectoryFile(folder)) {
    if (record.type === "key") report.keys++;
    if (record.type !== "room") continue;
    report.rooms++;
    report.messages += await checkRoom(folder, record, report, allowsIncomplete);
    progress("checked", report.messages);
  }
  return report;
}

/** How many messages the backup has of a room. */
async function checkRoom(folder: string, row: RoomRow, report: RestoreReport, allowsLess: boolean): Promise<number> {
  const path = roomPath(folder, row.id);
  const file = existsSync(path) ? await checkRoomFile(path) : undefined;
  if (file && !isOfRoom(file, row)) {
    if (allowsLess) return 0;
    throw new Failure(`${path} is of another room than the directory's: run npm run backup again.`);
  }
  const upTo = file?.upTo ?? 0;
  if (upTo < row.lastSeq && !allowsLess) {
    throw new Failure(
      `${path} ends at message ${upTo} of ${row.lastSeq}: use another copy of the backup, or --incomplete.`,
    );
  }
  if (file && file.torn > 0) report.torn.push(path);
  return file?.messages ?? 0;
}

/** Two rooms may have been made at the same moment, as by a program. */
const isOfRoom = ({ header }: CheckedFile, { id, createdAt }: RoomRow): boolean =>
  header.id === id && header.createdAt === createdAt;

async function write(db: Database, { folder, place, progress }: RestoreOptions): Promise<void> {
  await writeDirectory(db, recordsFor(place, folder));
  let messages = 0;
  for await (const row of readDirectoryFile(folder)) {
    if (row.type !== "room") continue;
    await writeMessages(db, folder, row, place, (count) => {
      messages += count;
      progress("restored", messages);
    });
  }
}

async function* recordsFor(place: Place, folder: string): AsyncGenerator<DirectoryRecord> {
  for await (const record of readDirectoryFile(folder)) {
    const there = place.recordOf(record);
    if (there) yield there;
  }
}

async function writeMessages(
  db: Database,
  folder: string,
  row: RoomRow,
  place: Place,
  written: (count: number) => void,
): Promise<void> {
  const path = roomPath(folder, row.id);
  if (!existsSync(path)) return;
  const file = await checkRoomFile(path);
  if (!file || !isOfRoom(file, row)) return;
  const { id, createdAt } = place.recordOf(row) as RoomRow;
  const there = await db.prepare("SELECT last_seq FROM rooms WHERE id = ?").bind(id).first<{ last_seq: number }>();
  const from = there?.last_seq ?? 0;
  // Of a restore that was cut off.
  if (from > 0) written(from);
  const room = { id, createdAt, epoch: file.header.epoch };
  await writeRoom(db, room, keptOf(messagesOf(path, file), row.first ?? 1), from, written);
  // Its newest messages may be gone. Their seqs are not given again.
  await endRoom(db, room, file.upTo);
}

/** A room may have let go of messages after its file was written, when the backup was cut off. */
async function* keptOf(messages: AsyncIterable<StoredMessage>, first: Seq): AsyncGenerator<StoredMessage, void> {
  for await (const message of messages) if (message.seq >= first) yield message;
}
