/** `directory.ndjson`: secrets, keys, rooms and what is theirs. It is replaced as a whole, so it is whole or the one of before. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { isRoomId } from "../../../party/protocol.ts";
import { FORMER_TYPES, type FormerRecord, gathered } from "../../format/former-records.ts";
import { type DirectoryRecord, FORMAT_VERSION, line } from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { linesOfFile, recordOf } from "./lines.ts";
import { replaceFile } from "./new-file.ts";

/** The first line. */
export interface DirectoryHeader {
  readonly type: "meet-ai";
  readonly version: number;
  /** ISO 8601. */
  readonly writtenAt: string;
  /** Every room's file is as far as the directory says. */
  readonly complete: boolean;
}

/** Where the directory of the backup in `folder` is. */
export const directoryPath = (folder: string): string => join(folder, "directory.ndjson");

/** Writes the directory of the backup in `folder` with `records`, one at a time. */
export async function writeDirectoryFile(
  folder: string,
  complete: boolean,
  records: AsyncIterable<DirectoryRecord>,
): Promise<void> {
  await replaceFile(directoryPath(folder), async (add) => {
    const hash = createHash("sha256");
    let lines = 0;
    const addCounted = async (record: object) => {
      const bytes = Buffer.from(line(record));
      hash.update(bytes);
      lines++;
      await add(bytes);
    };
    const writtenAt = new Date().toISOString();
    await addCounted({ type: "meet-ai", version: FORMAT_VERSION, writtenAt, complete } satisfies DirectoryHeader);
    for await (const record of records) await addCounted(record);
    await add(Buffer.from(line({ type: "sum", lines, sha256: hash.digest("hex") })));
  });
}

/** The first line of the directory in `folder`. Throws `Failure` when it is not the directory of a backup. */
export async function directoryHeader(folder: string): Promise<DirectoryHeader> {
  for await (const first of linesOfFile(directoryPath(folder))) return headerOf(first, folder);
  throw new Failure(`${folder} is not a backup: its directory.ndjson is empty.`);
}

/** The records of the directory in `folder`. Throws `Failure` at its end when it is damaged. */
export const readDirectoryFile = (folder: string): AsyncGenerator<DirectoryRecord, void> =>
  gathered(recordsOfFile(folder));

async function* recordsOfFile(folder: string): AsyncGenerator<DirectoryRecord | FormerRecord, void> {
  const path = directoryPath(folder);
  const hash = createHash("sha256");
  let lines = 0;
  for await (const bytes of linesOfFile(path)) {
    const record = recordOf(bytes, () => `${path}, line ${lines + 1}, is damaged: use another copy of the backup.`);
    if (record.type === "sum") {
      if (record.lines === lines && record.sha256 === hash.digest("hex")) return;
      throw new Failure(`${path} is damaged (its checksum is another): use another copy of the backup.`);
    }
    hash.update(bytes);
    lines++;
    if (lines === 1) headerOf(bytes, folder);
    else if (isKnown(record)) yield record;
  }
  throw new Failure(`${path} is not whole (it has no checksum at its end): use another copy of the backup.`);
}

function headerOf(bytes: Buffer, folder: string): DirectoryHeader {
  const header = recordOf(bytes, () => `${folder} is not a backup: directory.ndjson does not begin as one.`);
  if (header.type !== "meet-ai")
    throw new Failure(`${folder} is not a backup: directory.ndjson does not begin as one.`);
  refuseLaterVersion(header.version, folder);
  return header as unknown as DirectoryHeader;
}

/** Throws `Failure` when `where` was written in a later version of the format than this server reads. */
export function refuseLaterVersion(version: unknown, where: string): void {
  if (typeof version === "number" && version <= FORMAT_VERSION) return;
  const reads = `this server reads version ${FORMAT_VERSION}`;
  throw new Failure(`${where} has version ${String(version)} of the backup's format, and ${reads}: upgrade it first.`);
}

const KNOWN_TYPES: readonly string[] = [
  "secret",
  "key",
  "site",
  "room",
  "state",
  "erasureOrder",
  "operatorDeed",
  "notice",
] satisfies DirectoryRecord["type"][];

/** Unknown types are passed over. A room's id names a file, so it must be one. */
function isKnown(
  record: Record<string, unknown>,
): record is Record<string, unknown> & (DirectoryRecord | FormerRecord) {
  if (record.type === "room" && !isRoomId(String(record.id))) {
    throw new Failure(`${JSON.stringify(record.id)} in the directory is no room's id: this is not a sound backup.`);
  }
  return [...KNOWN_TYPES, ...FORMER_TYPES].includes(String(record.type));
}
