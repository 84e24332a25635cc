/**
 * What a reader is told at once: the `welcome` of one who comes, and the snapshot of one who missed changes. A crowd
 * that comes back together is told the same, so it is serialised once for as long as nothing changes.
 */

import { BoundedMap } from "../../limits/bounded-map.ts";
import { utf8Length } from "../../message-parser.ts";
import {
  type DraftChange,
  FLOW,
  PROTOCOL_VERSION,
  type Presence,
  READING,
  type RoomInfo,
  type Seq,
  type UpdateFrame,
} from "../../protocol.ts";
import type { Cursor } from "../../room-rpc.ts";
import { type Backlog, type LogView, messagesWithin } from "./backlog.ts";
import { type Piece, toPieces } from "./outgoing-frame.ts";
import type { ToldNames } from "./told-names.ts";

/** What everyone in the room has been told beside the log: the next `update` makes it whole for all. */
export interface ToldState {
  room(): RoomInfo;
  presence(): Presence;
  drafts(): DraftChange[];
  /** The names of sites' users, where the room knows any. */
  names?(): ToldNames | undefined;
  /** How agents hear, beside who is here. */
  agents?(): Presence["agents"];
  agentsVersion?(): number;
  /** Grow whenever what is told of presence, or of drafts, changes. */
  presenceVersion(): number;
  draftsVersion(): number;
}

/** The versions of the told state that a reader has. */
export interface Versions {
  readonly presence: number;
  readonly drafts: number;
  /** The room as JSON. */
  readonly room: string;
}

export interface Welcome extends Piece {
  /** The last seq that the reader has with it. When that is below the head, more has to follow. */
  readonly to: Seq;
  /** Whether it holds who is here and what is being written. Where that is too long for it, a snapshot has to follow. */
  readonly isWhole: boolean;
}

/** Presence and drafts that are longer than this, in bytes, are left out of a welcome. */
const BESIDE_MESSAGES = FLOW.firstWindow / 2;
/** Welcomes that are kept, each for a cursor of its own: 2 MiB. A crowd comes back with few cursors. */
const KEPT = 64;
/** Messages of a resume that are read at a time. */
const READ_AT_ONCE = 32;

export interface WelcomesDeps {
  readonly log: LogView;
  readonly backlog: Backlog;
  readonly told: ToldState;
}

export class Welcomes {
  readonly #deps: WelcomesDeps;
  /** The welcomes of the moment that `#moment` names, by what was asked for. */
  #welcomes = new BoundedMap<string, Welcome>(KEPT);
  #moment = "";
  #snapshot: { readonly key: string; readonly pieces: readonly Piece[] } | undefined;

  constructor(deps: WelcomesDeps) {
    this.#deps = deps;
  }

  /** The versions that are told now. */
  versions(): Versions {
    const { told } = this.#deps;
    return { presence: told.presenceVersion(), drafts: told.draftsVersion(), room: JSON.stringify(told.room()) };
  }

  /**
   * The welcome for `cursor`: what came after it, or the newest messages with `reset` when that can't be said (promise
   * 4, docs/guarantees.md); without a cursor the newest messages. It fits into the first window.
   */
  welcome(cursor: Cursor | undefined): Welcome {
    const { epoch, head, oldest } = this.#deps.log;
    const { presence, drafts, room } = this.versions();
    const moment = `${this.#deps.told.names?.()?.version} ${epoch} ${oldest} ${head} ${presence} ${drafts} ${room}`;
    if (moment !== this.#moment) this.#welcomes = new BoundedMap(KEPT);
    this.#moment = moment;
    const from = cursor && this.#resumesFrom(cursor);
    const key = cursor === undefined ? "newest" : (from ?? "reset").toString();
    let welcome = this.#welcomes.get(key);
    if (!welcome) {
      welcome = this.#make(from, room, cursor !== undefined && from === undefined);
      this.#welcomes.set(key, welcome);
    }
    return welcome;
  }

  /** What a reader who has `has` needs to have all that is told; everything when `has` is unknown. */
  snapshot(has: Versions | undefined): readonly Piece[] {
    const { told } = this.#deps;
    const now = this.versions();
    const presence = has?.presence !== now.presence;
    const drafts = has?.drafts !== now.drafts;
    const room = has?.room !== now.room;
    if (!presence && !drafts && !room) return [];
    const key = JSON.stringify([presence, drafts, room, now, told.names?.()?.version]);
    if (this.#snapshot?.key !== key) {
      const update: UpdateFrame = { type: "update" };
      if (presence || drafts) {
        update.snapshot = { ...(presence && { presence: told.presence() }), ...(drafts && { drafts: told.drafts() }) };
      }
      if (room) update.room = told.room();
      this.#snapshot = { key, pieces: toPieces(update, told.names?.()) };
    }
    return this.#snapshot.pieces;
  }

  /** The seq after which a client with this cursor goes on; `undefined` when it has to start over. */
  #resumesFrom({ after, epoch }: Cursor): Seq | undefined {
    const { log, backlog } = this.#deps;
    if (epoch !== undefined && epoch !== log.epoch) return undefined;
    return backlog.reaches(after) ? after : undefined;
  }

  #make(from: Seq | undefined, room: string, isReset: boolean): Welcome {
    const { log, told } = this.#deps;
    const { epoch, head } = log;
    let rest = JSON.stringify({ presence: told.presence(), drafts: told.drafts() });
    const isWhole = utf8Length(rest) <= BESIDE_MESSAGES;
    if (!isWhole)
      rest = JSON.stringify({ presence: { people: [], spectators: told.presence().spectators }, drafts: [] });
    const start = `{"type":"welcome","protocol":${PROTOCOL_VERSION},"room":${room},"epoch":"${epoch}","head":${head},"messages":[`;
    const end = `],${isReset ? '"reset":true,' : ""}${rest.slice(1)}`;
    const names = told.names?.();
    const free = FLOW.firstWindow - (names?.reserved ?? 0) - utf8Length(start) - utf8Length(end);
    const messages =
      from === undefined
        ? newestWithin(free, log.jsonBefore(head + 1, READING.welcome))
        : messagesWithin(free, (count) => log.jsonAfter(from + count, READ_AT_ONCE)).messages;
    const json = start + messages.join(",") + end;
    const text = names ? names.inFrame(json) : json;
    return { text, bytes: utf8Length(text), to: from === undefined ? head : from + messages.length, isWhole };
  }
}

/** The newest of `messages` that fit into so many bytes, at least one if there is any. */
function newestWithin(bytes: number, messages: readonly string[]): readonly string[] {
  let free = bytes;
  let first = messages.length;
  while (first > 0) {
    free -= utf8Length(messages[first - 1] as string) + 1;
    if (free < 0 && first < messages.length) break;
    first--;
  }
  return messages.slice(first);
}
