/** The previous server's rooms, made sound: listed, and without an owner. */

import { parseVisibleLine } from "../../../party/line.ts";
import { isFault, isRoomId, LIMITS } from "../../../party/protocol.ts";
import { roomIdFrom } from "./names.ts";
import { gapFinding, isGap, type SourceFile, type SourceRow } from "./source-file.ts";
import { type SourceValue, textOf } from "./source-value.ts";
import type { Staging } from "./staging.ts";
import { parseTime } from "./times.ts";

type RoomRow = SourceRow<"id" | "name" | "created_at">;

/** Stages all rooms. `now` in ms since 1970. */
export function stageRooms(source: SourceFile, staging: Staging, now: number): void {
  staging.transaction(() => {
    // Ids that can stay are given away first.
    for (const turn of ["sound", "others"] as const) {
      let read = 0;
      for (const item of source.read("rooms")) {
        if (isGap(item)) {
          if (turn === "sound") {
            staging.add(gapFinding("rooms", item));
          }
          continue;
        }
        if (turn === "sound" && !item.isPlaced)
          staging.add({ kind: "misplaced-row", table: "rooms", rowid: item.rowid });
        staging.mark("rooms read", String(++read));
        const raw = textOf(item.values.id, source.encoding)?.text;
        if (isRoomId(raw ?? "") === (turn === "sound")) stageRoom(source, staging, now, item, raw);
      }
    }
    staging.mark("stage", "messages");
  });
}

function stageRoom(
  source: SourceFile,
  staging: Staging,
  now: number,
  { rowid, values }: RoomRow,
  raw: string | undefined,
) {
  const { encoding } = source;
  const text = (value: SourceValue) => textOf(value, encoding)?.text;
  const about = { table: "rooms", rowid };
  if (raw !== undefined && roomOf(staging, raw) !== undefined) {
    staging.add({ ...about, kind: "room-twice", was: raw });
    return;
  }
  const id = raw !== undefined && isRoomId(raw) ? raw : roomIdFrom(raw || text(values.name) || "", isTaken(staging));
  if (id !== raw) staging.add({ ...about, kind: "room-id", was: raw, is: id, room: id });
  const rawName = text(values.name);
  const name = nameFrom(rawName, raw ?? id);
  if (name !== rawName) staging.add({ ...about, kind: "room-name", was: rawName, is: name, room: id });
  const time = parseTime(values.created_at, encoding, now);
  const createdAt = typeof time === "number" ? time : null;
  if (createdAt === null) staging.add({ ...about, kind: "room-time", was: text(values.created_at), room: id });
  insertRoom(staging, { id, raw, name, createdAt, listed: true });
}

/** The number of the room that messages call `raw`; `undefined` when there is none. */
export function roomOf(staging: Staging, raw: string): number | undefined {
  return staging.get<{ room: number }>("SELECT room FROM room_ids WHERE raw = ?", raw)?.room;
}

/**
 * Makes a room of which only its messages speak; without `raw` the one for messages that name no possible room. It may have
 * been deleted, so it is not listed.
 */
export function makeRoom(staging: Staging, raw: string | undefined): { n: number; id: string } {
  const wish = raw ?? "without-room";
  const id = isTaken(staging)(wish) ? roomIdFrom(wish, isTaken(staging)) : wish;
  const name = raw === undefined ? "Messages without a room" : nameFrom(raw, id);
  return { n: insertRoom(staging, { id, raw: raw ?? NO_ROOM, name, createdAt: null, listed: false }), id };
}

/** Under this the room for messages without one is found: no text of a file is like this one. */
export const NO_ROOM = "\0no room";

function insertRoom(
  staging: Staging,
  room: { id: string; raw: string | undefined; name: string; createdAt: number | null; listed: boolean },
): number {
  const query = "INSERT INTO rooms (id, name, created_at, listed) VALUES (?, ?, ?, ?) RETURNING n";
  const { n } = staging.get<{ n: number }>(query, room.id, room.name, room.createdAt, room.listed ? 1 : 0) as {
    n: number;
  };
  if (room.raw !== undefined) staging.run("INSERT INTO room_ids (raw, room) VALUES (?, ?)", room.raw, n);
  return n;
}

const isTaken = (staging: Staging) => (id: string) => staging.get("SELECT 1 FROM rooms WHERE id = ?", id) !== undefined;

/** `raw` as a room's name, or what can be made of it; `otherwise` when there is nothing to see in it. */
function nameFrom(raw: string | undefined, otherwise: string): string {
  for (const text of [raw ?? "", otherwise]) {
    // A shorter piece of a text with too many marks may have fewer of them.
    for (let length: number = LIMITS.roomName; length > 0; length = Math.floor(length / 2)) {
      const line = parseVisibleLine(text, "name", Number.POSITIVE_INFINITY);
      const cut = isFault(line) ? [...text].slice(0, length).join("") : [...line].slice(0, length).join("");
      const name = parseVisibleLine(cut, "name", LIMITS.roomName);
      if (!isFault(name)) return name;
    }
  }
  return "Room";
}
