/**
 * A room's file: parts, each with a header and with a sum over its bytes (docs/backup.md). It is only added to, but when
 * a deletion or an erasure is about messages of an earlier part, or when messages are gone because of their age: then it is
 * written anew beside, as one part, and renamed.
 *
 * A part counts when its sum is there. So a writer that is cut off leaves nothing to repair: the next one cuts off what
 * follows the last sum, and a reader passes over it.
 */

import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type Erasure, erasuresIn, withErasures } from "../../../party/log/erasure.ts";
import type { Seq } from "../../../party/protocol.ts";
import {
  changedRecord,
  FORMAT_VERSION,
  line,
  type MessageRecord,
  type RoomHeader,
  type RoomSum,
} from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { refuseLaterVersion } from "./directory-file.ts";
import { linesOfFile, recordOf } from "./lines.ts";
import { replaceFile, writeAll } from "./new-file.ts";

/** Which history of which room a file has. */
export type RoomIdentity = Pick<RoomHeader, "id" | "createdAt" | "epoch" | "first">;

/** How far a file is whole. */
export interface FileEnd {
  readonly header: RoomHeader;
  /** Its last message. */
  readonly upTo: Seq;
  /** Bytes up to its last sum, which is one of them. */
  readonly size: number;
  /** Bytes behind it, which are not whole. */
  readonly torn: number;
}

/** Where the room `id` is in the backup in `folder`. */
export const roomPath = (folder: string, id: string): string => join(folder, "rooms", `${id}.ndjson`);

/** A sum is a short line. */
const END_READ = 1_024;

/**
 * How far the file `path` is whole; `undefined` when there is no such file, or no part of it is whole. Reads its first and
 * last line, and all of it only when it was cut off.
 */
export async function fileEnd(path: string): Promise<FileEnd | undefined> {
  const header = await firstLine(path);
  if (!header) return undefined;
  const file = await open(path, "r");
  let length: number;
  let end: Buffer;
  try {
    length = (await file.stat()).size;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(END_READ), 0, END_READ, Math.max(0, length - END_READ));
    end = buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
  const last = end.toString().split("\n").at(-2) ?? "";
  if (end.at(-1) === 10 && last.startsWith('{"type":"sum"')) {
    const sum = recordOf(Buffer.from(last), () => `${path} does not end as a room's file: use another copy of it.`);
    return { header, upTo: sum.upTo as Seq, size: length, torn: 0 };
  }
  let whole: { upTo: Seq; size: number } | undefined;
  let size = 0;
  for await (const bytes of linesOfFile(path)) {
    size += bytes.length;
    if (isSum(bytes)) whole = { upTo: (JSON.parse(bytes.toString()) as RoomSum).upTo, size };
  }
  return whole && { header, ...whole, torn: length - whole.size };
}

async function firstLine(path: string): Promise<RoomHeader | undefined> {
  try {
    for await (const bytes of linesOfFile(path)) return headerOf(bytes, path);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a line ends a part. */
export const isSum = (bytes: Buffer): boolean => bytes.subarray(0, 13).toString() === '{"type":"sum"';

function headerOf(bytes: Buffer, path: string): RoomHeader {
  const header = recordOf(bytes, () => `${path} is not a room's file of a backup: move it elsewhere.`);
  if (header.type !== "room") throw new Failure(`${path} is not a room's file of a backup: move it elsewhere.`);
  refuseLaterVersion(header.version, path);
  return header as unknown as RoomHeader;
}

/** Whether both are the same history of the same room. */
export const isSameHistory = (a: RoomIdentity, b: Omit<RoomIdentity, "epoch"> & { epoch: string | null }): boolean =>
  a.id === b.id && a.createdAt === b.createdAt && a.epoch === b.epoch;

/** An erasure has ended since the file was written: nothing says any more which of its messages are gone. */
export class NamelessErasure extends Error {}

/** Adds parts to a room's file. */
export class RoomFileWriter {
  readonly #path: string;
  readonly #identity: RoomIdentity;
  /** What was deleted and erased in the part that is open, and lies before the file's end at its opening. */
  #deleted = new Set<Seq>();
  #erasures: Erasure[] = [];
  readonly #before: Seq;
  /** The file has nothing below this. */
  #first: Seq;
  #file: FileHandle;
  #position: number;
  #hash: Hash | undefined;
  #lines = 0;
  #upTo: Seq;
  #isRewritten = false;

  private constructor(path: string, identity: RoomIdentity, file: FileHandle, end: FileEnd | undefined) {
    this.#path = path;
    this.#identity = identity;
    this.#file = file;
    this.#first = (end ? end.header.first : identity.first) ?? 1;
    this.#before = this.#upTo = end?.upTo ?? 0;
    this.#position = end?.size ?? 0;
  }

  /** Opens `path` behind `end`, and cuts off what follows. Without an `end` the file begins anew. */
  static async open(path: string, identity: RoomIdentity, end: FileEnd | undefined): Promise<RoomFileWriter> {
    const file = await open(path, end ? "r+" : "w", 0o600);
    if (end && end.torn > 0) await file.truncate(end.size);
    return new RoomFileWriter(path, identity, file, end);
  }

  /** The last message of what is whole or was added. */
  get upTo(): Seq {
    return this.#upTo;
  }

  /** Whether earlier parts were written anew. */
  get isRewritten(): boolean {
    return this.#isRewritten;
  }

  /** Adds the lines of messages, in the order of their seqs. Throws `NamelessErasure` when the file has to begin anew. */
  async add(messages: readonly { bytes: Buffer; record: MessageRecord }[]): Promise<void> {
    if (messages.length === 0) return;
    const erasures = this.#before > 0 ? erasuresIn(messages.map(({ record }) => record)) : [];
    if (erasures.some(({ sender }) => sender === "")) throw new NamelessErasure();
    const chunk: Buffer[] = [];
    if (!this.#hash) chunk.push(Buffer.from(line(this.#header)));
    this.#hash ??= createHash("sha256");
    for (const { bytes, record } of messages) {
      chunk.push(bytes);
      this.#upTo = record.seq;
      const { kind, ref } = record;
      if (kind === "deletion" && ref !== null && ref <= this.#before) this.#deleted.add(ref);
    }
    this.#erasures.push(...erasures);
    const bytes = Buffer.concat(chunk);
    this.#hash.update(bytes);
    this.#lines += chunk.length;
    await writeAll(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }

  /**
   * Ends the part, on the disk. Deletions and erasures take their effect on earlier parts in the same step, so that no
   * crash leaves their words in the file.
   */
  async endPart(): Promise<void> {
    if (!this.#hash) return;
    if (this.#deleted.size > 0 || this.#erasures.length > 0) await this.#rewrite();
    else {
      const sum = Buffer.from(line(this.#sum(this.#lines, this.#hash)));
      await writeAll(this.#file, sum, this.#position);
      this.#position += sum.length;
      await this.#file.sync();
    }
    this.#hash = undefined;
    this.#lines = 0;
  }

  /** Takes the messages below `first` out of the file, on the disk, in one step. Between two parts. */
  async removeBelow(first: Seq): Promise<void> {
    // Of a room of which all is gone, the file says only how far it was.
    const isEmpty = this.#position === 0 && first > 1;
    if (first <= this.#first && !isEmpty) return;
    this.#first = first;
    this.#upTo = Math.max(this.#upTo, first - 1);
    await this.#rewrite();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  get #header(): RoomHeader {
    const { id, createdAt, epoch } = this.#identity;
    const begin = this.#first > 1 ? { first: this.#first } : {};
    return { type: "room", version: FORMAT_VERSION, id, createdAt, epoch, ...begin };
  }

  #sum(lines: number, hash: Hash): RoomSum {
    return { type: "sum", upTo: this.#upTo, lines, sha256: hash.digest("hex") };
  }

  async #rewrite(): Promise<void> {
    let size = 0;
    await replaceFile(this.#path, async (add) => {
      const hash = createHash("sha256");
      let lines = 0;
      const addCounted = async (bytes: Buffer) => {
        hash.update(bytes);
        lines++;
        size += bytes.length;
        await add(bytes);
      };
      await addCounted(Buffer.from(line(this.#header)));
      for await (const bytes of linesOfFile(this.#path, this.#position)) {
        const record = recordOf(bytes, () => `${this.#path} is damaged: delete it, and the next backup makes it anew.`);
        if (record.type === undefined && (record.seq as Seq) >= this.#first)
          await addCounted(this.#withoutWords(bytes, record));
      }
      const sum = Buffer.from(line(this.#sum(lines, hash)));
      size += sum.length;
      await add(sum);
    });
    await this.#file.close();
    this.#file = await open(this.#path, "r+");
    this.#position = size;
    this.#deleted = new Set();
    this.#erasures = [];
    this.#isRewritten = true;
  }

  #withoutWords(bytes: Buffer, record: Record<string, unknown>): Buffer {
    const before = record as unknown as MessageRecord;
    const isDeleted = this.#deleted.has(before.seq) && before.kind === "text";
    const after = changedRecord(before, (stored) =>
      withErasures(isDeleted ? { ...stored, content: "" } : stored, this.#erasures),
    );
    return after === before ? bytes : Buffer.from(line(after));
  }
}
