/**
 * How far a bridge has come, in a file: the cursor before everything that is not answered yet, and the last message of the
 * turn that is under way. A turn covers whatever was waiting up to that message, so after a crash the same messages are
 * answered together again, under the id of the same reply, and the room recognises it.
 */

import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Message } from "../../party/protocol.ts";
import { EXIT } from "../cli/exit-code.ts";
import { Failure } from "../cli/failure.ts";
import { replaceFile } from "../cli/private-file.ts";
import type { Cursor } from "../stay/cursor.ts";

/** A message as a reply needs it. */
export type MessageName = Pick<Message, "seq" | "id" | "sender">;

interface Kept {
  readonly version: 1;
  readonly cursor?: Cursor | undefined;
  readonly turn?: MessageName | undefined;
}

export class TurnRecord {
  readonly #path: string;
  #kept: Kept;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, kept: Kept) {
    this.#path = path;
    this.#kept = kept;
  }

  /** Opens the record in `path`, or begins one. */
  static async open(path: string): Promise<TurnRecord> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return new TurnRecord(path, { version: 1 });
    }
    return new TurnRecord(path, parsed(text, path));
  }

  get cursor(): Cursor | undefined {
    return this.#kept.cursor;
  }

  /** The turn that was under way when the bridge ended, or is. */
  get turn(): MessageName | undefined {
    return this.#kept.turn;
  }

  /** Everything up to `cursor` is answered, or is not to be. */
  moveTo(cursor: Cursor): Promise<void> {
    return this.#write({ ...this.#kept, cursor });
  }

  /** A turn begins: it covers what waits, up to `last`. */
  begin({ seq, id, sender }: MessageName): Promise<void> {
    return this.#write({ ...this.#kept, turn: { seq, id, sender } });
  }

  /** The turn is over, and everything up to `cursor` with it. */
  end(cursor: Cursor | undefined): Promise<void> {
    return this.#write({ version: 1, cursor: cursor ?? this.#kept.cursor });
  }

  /** One after the other, and on the disk before it counts. */
  #write(kept: Kept): Promise<void> {
    this.#kept = kept;
    this.#writing = this.#writing.catch(() => {}).then(() => replaceFile(this.#path, JSON.stringify(kept)));
    return this.#writing;
  }
}

function parsed(text: string, path: string): Kept {
  try {
    const { version, cursor, turn } = JSON.parse(text) as Kept;
    const isCursor = cursor === undefined || (Number.isSafeInteger(cursor.after) && typeof cursor.epoch === "string");
    const isTurn = turn === undefined || (typeof turn.id === "string" && typeof turn.sender === "string");
    if (version === 1 && isCursor && isTurn) return { version, cursor, turn };
  } catch {
    // Said below.
  }
  throw new Failure(
    EXIT.machine,
    `${path} does not hold what a bridge has kept. Remove it to begin at the newest message.`,
  );
}
