/** The second half of an import: what has been staged goes into D1. Rooms that are in use are left as they are. */

import { readMessage } from "../../../party/archive/d1-packs.ts";
import type { Database } from "../../../party/log/sql.ts";
import { Failure } from "../failure.ts";
import { type WrittenRecord, writeDirectory, writeRoom } from "../restore/writer.ts";
import type { StagedKey, StagedRoom, Staging } from "./staging.ts";
import type { Target } from "./target.ts";

/** What has been staged does not fit any more. */
export class BeginsAnew extends Failure {}

/** What becomes of a room, or would. */
type Plan =
  /** It is made, or gone on with: its row is written with this time, and its messages from this seq on. */
  | { readonly act: "write"; readonly createdAt: string; readonly from: number; readonly row: Row | undefined }
  /** All of it is there already. */
  | { readonly act: "keep" }
  | { readonly act: "refuse"; readonly why: "room-in-use" | "room-woken" };

type Row = {
  name: string;
  topic: string;
  listed: number;
  created_by: string | null;
  created_at: string;
  settings: string;
  revision: number;
  last_seq: number;
  epoch: string | null;
};

export interface Written {
  readonly keys: number;
  readonly rooms: number;
  readonly messages: number;
  /** There since an earlier run. */
  readonly before: { readonly keys: number; readonly rooms: number; readonly messages: number };
}

export interface WriteOptions {
  readonly staging: Staging;
  readonly target: Target;
  /** The name of the rooms' history until they first wake. It tells a room of this import from any other. */
  readonly epoch: string;
  /** Writes nothing, and says what would be written. */
  readonly isDry: boolean;
  /** Told how many messages have been dealt with. */
  progress(messages: number): void;
}

/** Writes keys, then each room with its messages. Can be done again, and goes on where it was cut off. */
export async function writeStaged({ staging, target, epoch, isDry, progress }: WriteOptions): Promise<Written> {
  const { db } = target;
  const before = { keys: 0, rooms: 0, messages: 0 };
  const written = { keys: 0, rooms: 0, messages: 0 };
  for await (const keys of missingKeys(db, staging)) {
    written.keys += keys.length;
    if (!isDry) await writeKeys(db, keys);
  }
  before.keys = staging.countKeys() - written.keys;
  staging.transaction(() => staging.run("DELETE FROM findings WHERE kind IN ('room-in-use', 'room-woken')"));
  let done = 0;
  const advance = (messages: number) => {
    done += messages;
    progress(done);
  };
  for (const room of staging.rooms()) {
    const plan = await planOf(room, staging, target, epoch);
    if (plan.act === "write") {
      advance(plan.from);
      if (isDry) advance(room.messages - plan.from);
      else await writeOne(room, plan, staging, target, epoch, advance);
      written.rooms++;
      written.messages += room.messages - plan.from;
      before.messages += plan.from;
      continue;
    }
    advance(room.messages);
    if (plan.act === "refuse") {
      staging.add({ kind: plan.why, table: "rooms", room: room.id, messages: room.messages });
    } else {
      before.rooms++;
      before.messages += room.messages;
    }
  }
  return { ...written, before };
}

/** Keys of one question to D1. */
const KEYS_AT_ONCE = 500;

/** The keys that are not there, some at a time. Written by an earlier run, one may have been rotated or revoked since. */
async function* missingKeys(db: Database, staging: Staging): AsyncGenerator<StagedKey[]> {
  for (let after = 0; ; after += KEYS_AT_ONCE) {
    const some = staging.keys(after, KEYS_AT_ONCE);
    if (some.length === 0) return;
    const ids = JSON.stringify(some.map(({ id }) => id));
    const query = db.prepare("SELECT id FROM api_keys WHERE id IN (SELECT value FROM json_each(?))").bind(ids);
    const { results } = (await query.all()) as { results: { id: string }[] };
    const there = new Set(results.map(({ id }) => id));
    yield some.filter(({ id, isThere }) => !isThere && !there.has(id));
  }
}

async function writeKeys(db: Database, keys: readonly StagedKey[]): Promise<void> {
  try {
    await writeDirectory(db, keys.map(keyRecord));
  } catch (error) {
    if (!/UNIQUE/.test(String((error as Error).message))) throw error;
    throw new BeginsAnew("A handle was taken after the import was begun. Run it again: it begins anew.");
  }
}

const keyRecord = ({ id, hash, handle, createdAt, lastUsed }: StagedKey): WrittenRecord => ({
  type: "key",
  id,
  hash,
  handle,
  createdAt: iso(createdAt),
  lastUsed: lastUsed === null ? null : iso(lastUsed),
  revokedAt: null,
  nextHash: null,
});

const ROW =
  "SELECT name, topic, listed, created_by, created_at, settings, revision, last_seq, epoch FROM rooms WHERE id = ?";

async function planOf(room: StagedRoom, staging: Staging, target: Target, epoch: string): Promise<Plan> {
  const { db } = target;
  const ours = iso(room.createdAt);
  const row = await db.prepare(ROW).bind(room.id).first<Row>();
  if (!row) return { act: "write", createdAt: ours, from: 0, row: undefined };
  const object = target.objectOf(room.id);
  if (row.epoch === epoch && (object === "none" || object === undefined)) {
    if (row.last_seq >= room.messages) return { act: "keep" };
    return { act: "write", createdAt: row.created_at, from: row.last_seq, row };
  }
  if (await isImported(db, room, staging, row)) return { act: "keep" };
  if (row.created_by === null && row.last_seq === 0 && object !== "talked") {
    // A room that was opened knows itself, and would not look into D1 again: it must be another room for it.
    const createdAt = object === undefined ? iso(Date.parse(row.created_at) + 1) : ours;
    return { act: "write", createdAt, from: 0, row };
  }
  const [first] = staging.messages(room.n);
  const isBegun = first !== undefined && (await readMessage(db, room.id, 1))?.id === first.id;
  return { act: "refuse", why: isBegun ? "room-woken" : "room-in-use" };
}

/** Whether D1 has all of it since an earlier run, or there is nothing to bring. People may have gone on talking there. */
async function isImported(db: Database, room: StagedRoom, staging: Staging, row: Row): Promise<boolean> {
  if (row.last_seq < room.messages) return false;
  const newest = staging.newest(room.n);
  if (!newest) return row.created_by === null;
  const there = await readMessage(db, room.id, room.messages);
  return there?.id === newest.id && there.at === newest.at;
}

async function writeOne(
  room: StagedRoom,
  { createdAt, from, row }: Extract<Plan, { act: "write" }>,
  staging: Staging,
  target: Target,
  epoch: string,
  progress: (messages: number) => void,
): Promise<void> {
  if (row?.epoch !== epoch) {
    if (row) target.removeObject(room.id);
    await writeDirectory(target.db, [
      {
        type: "room",
        id: room.id,
        name: room.name,
        topic: row?.topic ?? "",
        listed: row ? row.listed === 1 : room.listed,
        owner: null,
        createdAt,
        settings: JSON.parse(row?.settings ?? "{}") as object,
        revision: (row?.revision ?? 0) + 1,
      },
    ]);
  }
  await writeRoom(target.db, { id: room.id, createdAt, epoch }, staging.messages(room.n), from, progress);
}

const iso = (at: number): string => new Date(at).toISOString();
