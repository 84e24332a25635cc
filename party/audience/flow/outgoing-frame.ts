/**
 * Frames as they go over the wire: serialised once for all who get them, with a bound on their length, so that a room
 * knows what it has sent and nobody has to be sent much at once.
 */

import { utf8Length } from "../../message-parser.ts";
import type { Seq, UpdateFrame } from "../../protocol.ts";
import { besideNames, type ToldNames } from "./told-names.ts";

/** One frame. */
export interface Piece {
  readonly text: string;
  /** Its length in bytes of UTF-8. */
  readonly bytes: number;
  /** The seq of the last message in it. */
  readonly to?: Seq | undefined;
}

/**
 * `update` as frames of at most `FLOW.frameBytes`, to be sent in this order, each with the names of those who are in it. A
 * longer message has one for itself.
 */
export function toPieces(update: UpdateFrame, names?: ToldNames): Piece[] {
  const most = besideNames(names);
  const json = JSON.stringify(update);
  if (utf8Length(json) <= most) return [toPiece(update, json, names)];
  return split(update, most).map((piece) => toPiece(piece, JSON.stringify(piece), names));
}

function toPiece(update: UpdateFrame, json: string, names: ToldNames | undefined): Piece {
  const text = names ? names.inFrame(json) : json;
  return { text, bytes: utf8Length(text), to: update.messages?.at(-1)?.seq };
}

/** The names of an update's fields and their brackets take no more than this, in bytes. */
const FIELDS = 256;

/** Puts what an update tells into as many updates as it takes, in its order. */
function split({ messages, snapshot, presence, drafts, room }: UpdateFrame, most: number): UpdateFrame[] {
  const updates: UpdateFrame[] = [];
  let free = 0;
  /** The update that has a place for `value`. */
  const updateFor = (value: unknown): UpdateFrame => {
    const bytes = utf8Length(JSON.stringify(value)) + 1;
    if (bytes > free) {
      updates.push({ type: "update" });
      free = most - FIELDS;
    }
    free -= bytes;
    return updates.at(-1) as UpdateFrame;
  };

  for (const message of messages ?? []) {
    const update = updateFor(message);
    update.messages ??= [];
    update.messages.push(message);
  }
  if (snapshot) {
    // What it holds follows it as changes, so that it can be split as well.
    const told = snapshot.presence;
    const empty = {
      ...(told && { presence: { people: [], spectators: told.spectators } }),
      ...(snapshot.drafts && { drafts: [] }),
    };
    updateFor(empty).snapshot = empty;
  }
  for (const [field, names] of [
    ["joined", [...(snapshot?.presence?.people ?? []), ...(presence?.joined ?? [])]],
    ["left", presence?.left ?? []],
  ] as const) {
    for (const name of names) {
      const update = updateFor(name);
      update.presence ??= {};
      update.presence[field] ??= [];
      update.presence[field].push(name);
    }
  }
  for (const entry of Object.entries({ ...snapshot?.presence?.agents, ...presence?.agents })) {
    const update = updateFor(entry);
    const [name, hearing] = entry;
    update.presence = { ...update.presence, agents: { ...update.presence?.agents, [name]: hearing } };
  }
  if (presence?.spectators !== undefined) {
    const update = updateFor(presence.spectators);
    update.presence = { ...update.presence, spectators: presence.spectators };
  }
  for (const draft of [...(snapshot?.drafts ?? []), ...(drafts ?? [])]) {
    const update = updateFor(draft);
    update.drafts ??= [];
    update.drafts.push(draft);
  }
  if (room) updateFor(room).room = room;
  return updates;
}
