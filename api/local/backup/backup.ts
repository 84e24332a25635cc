/**
 * Brings the backup in a folder up to what the server has: new messages behind those that are there, deletions into them,
 * and the directory anew. It can be cut off at any moment and run again.
 *
 * The directory is written before the rooms, as not complete, and after them, as complete: so who restores a backup knows
 * whether it was cut off. Only then files of rooms that are gone are removed.
 */

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isRoomId, type Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, RoomRow } from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { directoryHeader, readDirectoryFile, writeDirectoryFile } from "./directory-file.ts";
import { refuseLinks } from "./links.ts";
import { syncFolder } from "./new-file.ts";
import { CutOff, type ExportedLog, type OperatorClient } from "./operator-client.ts";
import { type FileEnd, fileEnd, isSameHistory, NamelessErasure, RoomFileWriter, roomPath } from "./room-file.ts";

/** Messages of one part, so that little is done again when the backup of a long room is cut off. */
const PART = 50_000;
/** So often in a row an export may break off without a message. */
const CUT_OFF_AT_MOST = 5;

/** What a backup has come to. */
export interface BackupReport {
  rooms: number;
  /** Rooms that had something new. */
  changed: number;
  /** Messages that were added. */
  messages: number;
  /** Rooms whose file was written anew, because of a deletion or because of messages that are gone. */
  rewritten: number;
  /** Rooms that are gone from the server, and now from the backup. */
  removed: number;
}

export interface BackupOptions {
  readonly folder: string;
  readonly server: OperatorClient;
  /** Told whenever something has come. */
  readonly progress: (report: Readonly<BackupReport>) => void;
}

/** The folder, made where it is not there. Throws `Failure` when it is there and is no backup. */
export async function openBackupFolder(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = readdirSync(folder).filter((name) => name !== "backup.pid");
  const isBegun = found.includes("directory.ndjson");
  // A first run that was cut off early has left a directory that was not in its place yet.
  if (
    !isBegun &&
    (found.some((name) => name !== "directory.ndjson.new" && name !== "rooms") || hasOtherFiles(folder))
  ) {
    throw new Failure(`${folder} has other files and is not a backup: name a new or an empty folder.`);
  }
  refuseLinks(folder);
  if (isBegun) await directoryHeader(folder);
  mkdirSync(join(folder, "rooms"), { recursive: true, mode: 0o700 });
  for (const changed of [join(folder, "rooms"), folder, dirname(folder)]) await syncFolder(changed);
}

/** What a backup calls a room's file, and what a run that was cut off leaves beside it. */
const ROOM_FILE = /^([a-z0-9-]+)\.ndjson(?:\.anew)?(?:\.new)?$/;

function hasOtherFiles(folder: string): boolean {
  const rooms = join(folder, "rooms");
  return existsSync(rooms) && readdirSync(rooms).some((name) => !ROOM_FILE.test(name));
}

/** Brings the backup in `folder`, which `openBackupFolder` has opened, up to date. */
export async function backUp({ folder, server, progress }: BackupOptions): Promise<BackupReport> {
  const report: BackupReport = { rooms: 0, changed: 0, messages: 0, rewritten: 0, removed: 0 };
  const room = (row: RoomRow) => backUpRoom(folder, server, row, report, () => progress(report));
  await refuseAnotherServer(folder, server);
  await writeDirectoryFile(folder, false, directoryOf(server));
  for await (const record of readDirectoryFile(folder)) {
    if (record.type !== "room") continue;
    report.rooms++;
    await room(record);
    progress(report);
  }
  const kept = new Set<string>();
  const left = new Set<string>();
  await writeDirectoryFile(folder, true, upToDate(folder, directoryOf(server, left), room, kept));
  for (const entry of readdirSync(join(folder, "rooms"), { withFileTypes: true })) {
    const id = ROOM_FILE.exec(entry.name)?.[1];
    // A folder, and a file of another name, is somebody else's.
    if (id === undefined || entry.isDirectory()) continue;
    const isRoom = entry.name === `${id}.ndjson`;
    if (isRoom && (kept.has(id) || left.has(id))) continue;
    // What is left beside a file by a run that was cut off goes, too.
    await rm(join(folder, "rooms", entry.name));
    if (isRoom) report.removed++;
  }
  await syncFolder(join(folder, "rooms"));
  report.rooms = kept.size;
  return report;
}

/** The pepper tells deployments apart: another one's rooms would take the place of these. */
async function refuseAnotherServer(folder: string, server: OperatorClient): Promise<void> {
  const pepperOf = async (records: AsyncIterable<DirectoryRecord>) => {
    for await (const record of records)
      if (record.type === "secret" && record.name === "guest_pepper") return record.value;
    return undefined;
  };
  const theirs = await pepperOf(server.directory());
  const isNew = !readdirSync(folder).includes("directory.ndjson");
  if (isNew || theirs === (await pepperOf(readDirectoryFile(folder)))) return;
  throw new Failure(`${folder} is the backup of another server: name another folder.`);
}

/**
 * The server's directory, with no more than can be restored. A key that is made after the keys were asked for is not in it,
 * though a site or a room of that key may be: these are left to the next run, a room with all that is its. `left` is told
 * of such rooms. A room's id names a file, so it must be one.
 */
async function* directoryOf(server: OperatorClient, left?: Set<string>): AsyncGenerator<DirectoryRecord, void> {
  const keys = new Set<string>();
  const rooms = new Set<string>();
  for await (const record of server.directory()) {
    if (record.type === "key") keys.add(record.id);
    if (record.type === "site" && !keys.has(record.owner)) continue;
    if (record.type === "room") {
      if (!isRoomId(record.id)) throw new Failure(`${JSON.stringify(record.id)} of the server is no room's id.`);
      if (record.owner !== null && !keys.has(record.owner)) {
        left?.add(record.id);
        continue;
      }
      rooms.add(record.id);
    }
    if ("room" in record && !rooms.has(record.room)) continue;
    yield record;
  }
}

/** The directory as it is now, with each room as far as its file is. Rooms that were made meanwhile are backed up here. */
async function* upToDate(
  folder: string,
  records: AsyncIterable<DirectoryRecord>,
  room: (row: RoomRow) => Promise<void>,
  kept: Set<string>,
): AsyncGenerator<DirectoryRecord, void> {
  for await (const record of records) {
    if (record.type !== "room") {
      yield record;
      continue;
    }
    const end = async () => {
      const found = await fileEnd(roomPath(folder, record.id));
      return found?.header.createdAt === record.createdAt ? found : undefined;
    };
    if (!(await end())) await room(record);
    const found = await end();
    kept.add(record.id);
    const first = Math.max(record.first ?? 1, found?.header.first ?? 1);
    yield { ...record, first, lastSeq: found?.upTo ?? 0, epoch: found?.header.epoch ?? record.epoch };
  }
}

async function backUpRoom(
  folder: string,
  server: OperatorClient,
  row: RoomRow,
  report: BackupReport,
  progress: () => void,
): Promise<void> {
  const path = roomPath(folder, row.id);
  const end = await fileEnd(path);
  const hasGone = (end?.header.first ?? 1) < (row.first ?? 1);
  if (end && isSameHistory(end.header, row) && end.torn === 0 && end.upTo === row.lastSeq && !hasGone) return;
  if (row.lastSeq === 0) {
    // What was said in an earlier room of this id went with it.
    if (end && end.header.createdAt !== row.createdAt) await rm(path);
    return;
  }
  const before = report.messages;
  const rewritten = await followLog(path, server, row, (count) => {
    report.messages += count;
    progress();
  });
  if (report.messages > before) report.changed++;
  if (rewritten) report.rewritten++;
}

/** Adds to the file what the log has beyond it, over broken connections. Whether earlier parts were written anew. */
async function followLog(
  path: string,
  server: OperatorClient,
  row: RoomRow,
  added: (count: number) => void,
): Promise<boolean> {
  for (let failures = 0; ; ) {
    const before = await reached(path);
    try {
      return await followOnce(path, server, row, added);
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
    // An export that gets further each time gets to the end.
    failures = (await reached(path)) > before ? 0 : failures + 1;
    if (failures === CUT_OFF_AT_MOST) {
      throw new Failure(
        `The export of the room ${row.id} breaks off: see the server's log, and run this again to go on.`,
      );
    }
  }
}

/** Where a file that begins anew is written, until it has come whole. */
const anew = (path: string): string => `${path}.anew`;

const reached = async (path: string): Promise<number> =>
  Math.max(...(await Promise.all([path, anew(path)].map(async (file) => (await fileEnd(file))?.upTo ?? 0))));

/** One export, to its end. Throws `CutOff` when it broke off; what has come is kept. Whether earlier parts were written anew. */
async function followOnce(
  path: string,
  server: OperatorClient,
  row: RoomRow,
  added: (count: number) => void,
): Promise<boolean> {
  const [here, beside] = await Promise.all([fileEnd(path), fileEnd(anew(path))]);
  const known = [beside, here].find((end) => end && isSameHistory(end.header, row));
  const log = await server.export(row.id, known?.upTo ?? 0);
  if (known && isOfAnotherHistory(log, known)) {
    // The room has begun another history since the directory was read.
    if (typeof log === "object") await log.batches.return();
  } else {
    try {
      return await addLog(path, log, row, { here, beside, known }, added);
    } catch (error) {
      if (!(error instanceof NamelessErasure)) throw error;
    }
  }
  await addLog(path, await server.export(row.id, 0), row, { here, beside, known: undefined }, added);
  return true;
}

/** Adds a log behind the file that is known, or begins it anew. Whether earlier parts were written anew. */
async function addLog(
  path: string,
  log: ExportedLog | "gone" | "shorter",
  row: RoomRow,
  { here, beside, known }: Readonly<Record<"here" | "beside" | "known", FileEnd | undefined>>,
  added: (count: number) => void,
): Promise<boolean> {
  if (typeof log === "string") return false;
  const goesBeside = known ? known === beside : here !== undefined;
  const file = goesBeside ? anew(path) : path;
  const writer = await RoomFileWriter.open(file, log.header, known);
  try {
    await addAll(writer, log.batches, added);
    // What the room has let go of meanwhile goes from here, too.
    await writer.removeBelow(Math.max(row.first ?? 1, log.header.first ?? 1));
  } finally {
    await writer.close();
  }
  if (goesBeside) await rename(file, path);
  // So that the file has its name after a power cut, too, whether it is new or renamed.
  if (goesBeside || !known) await syncFolder(dirname(path));
  return writer.isRewritten;
}

const isOfAnotherHistory = (log: ExportedLog | "gone" | "shorter", { header }: FileEnd): boolean =>
  typeof log === "object" ? !isSameHistory(log.header, header) : log === "shorter";

async function addAll(
  writer: RoomFileWriter,
  batches: ExportedLog["batches"],
  added: (count: number) => void,
): Promise<void> {
  let ended: Seq = writer.upTo;
  try {
    for await (const batch of batches) {
      await writer.add(batch);
      added(batch.length);
      if (writer.upTo - ended < PART) continue;
      await writer.endPart();
      ended = writer.upTo;
    }
  } catch (error) {
    if (error instanceof CutOff) await writer.endPart();
    throw error;
  }
  await writer.endPart();
}
