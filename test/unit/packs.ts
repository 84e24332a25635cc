/** What D1 has of a room, as Node reads it: past the server, and in a few lines of its own. */

import { inflateRawSync } from "node:zlib";
import { archivedBefore } from "../../party/archive/d1-packs.ts";
import type { Database } from "../../party/log/sql.ts";
import type { StoredMessage } from "../../party/log/stored-message.ts";
import type { MessageKind } from "../../party/protocol.ts";

/** A message as D1 has it. */
export interface ArchivedMessage {
  readonly seq: number;
  readonly id: string;
  readonly kind: MessageKind;
  readonly sender: string;
  readonly content: string;
  readonly ref: number | null;
  /** ISO 8601. */
  readonly created_at: string;
}

/** Answers a query about one room, which is its one parameter. */
export type Ask = (query: string, room: string) => Record<string, unknown>[];

/** All messages of `room`, in order: of the packs, and of the rows of the older form that are in no pack. */
export function archivedMessages(ask: Ask, room: string): ArchivedMessage[] {
  const rows = ask("SELECT seq, id, kind, sender, content, ref, created_at FROM messages WHERE room_id = ?", room);
  const packs = ask("SELECT first, form, body FROM packs WHERE room_id = ?", room);
  const found = new Map((rows as unknown as ArchivedMessage[]).map((row) => [row.seq, row]));
  for (const { first, form, body } of packs) {
    if (form !== 1) throw new Error(`Form ${form} of a pack is not known here.`);
    for (const [place, line] of linesOf(body as ArrayBuffer).entries()) {
      if (!line) continue;
      const [id, kind, sender, content, ref, at] = line;
      const message = { seq: (first as number) + place, id, kind, sender, content, ref };
      found.set(message.seq, { ...message, created_at: new Date(at as number).toISOString() } as ArchivedMessage);
    }
  }
  return [...found.values()].sort((a, b) => a.seq - b.seq);
}

/** All messages that D1 has of `room`, in order, as a room reads them that has lost its own. */
export async function storedMessages(db: Database, room: string): Promise<StoredMessage[]> {
  let messages: StoredMessage[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; before > 1; ) {
    const older = await archivedBefore(db, room, before);
    messages = [...older.messages, ...messages];
    before = older.from;
  }
  return messages;
}

function linesOf(body: ArrayBuffer): (unknown[] | null)[] {
  return JSON.parse(inflateRawSync(new Uint8Array(body)).toString()) as (unknown[] | null)[];
}
