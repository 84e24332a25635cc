/** The previous server's messages, made sound: what can be kept in a sound form is kept, and each change is told. */

import { MESSAGE_ID } from "../../../party/message-parser.ts";
import { isRoomId } from "../../../party/protocol.ts";
import { cleanContent, cutOff, LONGEST_TEXT } from "./content.ts";
import { idFrom, senderFrom } from "./names.ts";
import type { Finding } from "./rules.ts";
import { gapFinding, isGap, type SourceFile, type SourceGap, type SourceRow } from "./source-file.ts";
import { type SourceValue, textOf } from "./source-value.ts";
import { makeRoom, NO_ROOM, roomOf } from "./stage-rooms.ts";
import type { Staging } from "./staging.ts";
import { parseTime } from "./times.ts";

/** Messages of one step, and characters of their texts: a run that was killed does at most one of them again. */
const STEP_ROWS = 1_000;
const STEP_LENGTH = 4 * 1024 * 1024;
/** Names that are kept in memory. */
const REMEMBERED = 10_000;

type MessageRow = SourceRow<"id" | "room_id" | "sender" | "content" | "created_at">;

/** Stages all messages behind those of an earlier run. `progress` is told the rowid of each step. */
export function stageMessages(
  source: SourceFile,
  staging: Staging,
  now: number,
  progress: (rowid: number) => void,
): void {
  const marked = staging.marked("messages");
  const after = marked === undefined ? undefined : BigInt(marked);
  const stage = new MessageStage(source, staging, now);
  let waiting: (MessageRow | SourceGap)[] = [];
  let length = 0;
  let read = Number(staging.marked("messages read") ?? 0);
  const flush = (resume: bigint, then: () => void = () => undefined) => {
    staging.transaction(() => {
      for (const item of waiting) stage.take(item);
      stage.saveTimes();
      read += waiting.filter((item) => !isGap(item)).length;
      staging.mark("messages read", String(read));
      staging.mark("messages", resume.toString());
      then();
    });
    progress(Number(resume));
    [waiting, length] = [[], 0];
  };
  let resume = after ?? 0n;
  for (const item of source.read("messages", after, { content: LONGEST_TEXT + 1 })) {
    waiting.push(item);
    if (isGap(item)) {
      resume = (item.next ?? resume + 1n) - 1n;
      continue;
    }
    resume = item.resume;
    length += item.values.content instanceof Uint8Array ? item.values.content.length : 0;
    if (item.isPlaced && (waiting.length >= STEP_ROWS || length >= STEP_LENGTH)) flush(resume);
  }
  flush(resume, () => staging.mark("stage", "finish"));
}

class MessageStage {
  readonly #source: SourceFile;
  readonly #staging: Staging;
  readonly #now: number;
  readonly #rooms = new Map<string, number>();
  readonly #senders = new Map<string, string>();
  /** The time of the newest message of each room that was read; those that changed since they were saved. */
  readonly #times = new Map<number, { firstAt: number | null; lastAt: number | null; isSaved: boolean }>();

  constructor(source: SourceFile, staging: Staging, now: number) {
    this.#source = source;
    this.#staging = staging;
    this.#now = now;
  }

  take(item: MessageRow | SourceGap): void {
    if (isGap(item)) {
      this.#staging.add(gapFinding("messages", item));
    } else {
      this.#takeRow(item);
    }
  }

  /** Notes each room's times, in the transaction that has its messages. */
  saveTimes(): void {
    for (const [room, times] of this.#times) {
      if (times.isSaved) continue;
      this.#staging.run("UPDATE rooms SET first_at = ?, last_at = ? WHERE n = ?", times.firstAt, times.lastAt, room);
      times.isSaved = true;
    }
    if (this.#times.size > REMEMBERED) this.#times.clear();
  }

  #takeRow({ rowid, isPlaced, values }: MessageRow): void {
    const tell = (finding: Omit<Finding, "table" | "rowid">) =>
      this.#staging.add({ table: "messages", rowid, ...finding });
    if (!isPlaced) tell({ kind: "misplaced-row" });
    const { encoding } = this.#source;
    const isCut = values.content instanceof Uint8Array && values.content.length > LONGEST_TEXT;
    const content = textOf(isCut ? cutOff(values.content as Uint8Array, encoding) : values.content, encoding);
    const { parts, changes } = content ? cleanContent(content) : { parts: [], changes: [] };
    if (parts.length === 0) {
      tell({ kind: "blank", was: this.#text(values.id) });
      return;
    }
    for (const kind of changes) tell({ kind });
    if (isCut) tell({ kind: "text-cut" });
    const room = this.#roomOf(values.room_id, tell);
    const sender = this.#senderOf(values.sender, rowid);
    const at = this.#timeOf(values.created_at, room, tell);
    this.#insert({ id: this.#text(values.id), rowid, room, sender, at, parts, tell });
  }

  #insert(message: {
    readonly id: string | undefined;
    readonly rowid: bigint;
    readonly room: number;
    readonly sender: string;
    readonly at: number | null;
    readonly parts: readonly string[];
    readonly tell: (finding: Pick<Finding, "kind" | "was" | "is">) => void;
  }): void {
    const { room, sender, at, parts, rowid, tell } = message;
    const raw = message.id ?? "";
    let id = MESSAGE_ID.test(raw) ? raw : idFrom(raw === "" ? `row ${rowid}` : raw);
    if (id !== raw) tell({ kind: "message-id", was: message.id, is: id });
    const [first, ...others] = parts as [string, ...string[]];
    if (!this.#insertOne(room, id, sender, first, at)) {
      const query = "SELECT sender, content, at FROM messages WHERE room = ? AND id = ?";
      const there = this.#staging.get<{ sender: string; content: string; at: number | null }>(query, room, id);
      if (there?.sender === sender && there.content === first && there.at === at) {
        tell({ kind: "message-twice", was: raw });
        return;
      }
      id = idFrom(`${raw} row ${rowid}`);
      tell({ kind: "message-id-twice", was: raw, is: id });
      this.#insertOne(room, id, sender, first, at);
    }
    others.forEach((part, index) => {
      this.#insertOne(room, idFrom(`${id} part ${index + 2}`), sender, part, at);
    });
  }

  #insertOne(room: number, id: string, sender: string, content: string, at: number | null): boolean {
    const query = "INSERT INTO messages (room, id, sender, content, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    return this.#staging.run(query, room, id, sender, content, at) > 0;
  }

  #roomOf(value: SourceValue, tell: (finding: Pick<Finding, "kind" | "was" | "room">) => void): number {
    const raw = this.#text(value);
    const known = raw === undefined ? undefined : (this.#rooms.get(raw) ?? roomOf(this.#staging, raw));
    if (known !== undefined) return remember(this.#rooms, raw as string, known);
    // A garbled id is no reason for a room of its own.
    const isPossible = raw !== undefined && isRoomId(raw);
    if (!isPossible) tell({ kind: "message-without-room", was: raw });
    const there = isPossible ? undefined : roomOf(this.#staging, NO_ROOM);
    if (there !== undefined) return there;
    const { n, id } = makeRoom(this.#staging, isPossible ? raw : undefined);
    tell({ kind: "room-made-anew", was: raw, room: id });
    return n;
  }

  #senderOf(value: SourceValue, rowid: bigint): string {
    const raw = this.#text(value) ?? "";
    const known = this.#senders.get(raw) ?? this.#staging.get<{ sender: string }>(SENDER_OF, raw)?.sender;
    if (known !== undefined) return remember(this.#senders, raw, known);
    const isTaken = (name: string) => this.#staging.get("SELECT 1 FROM senders WHERE sender = ?", name) !== undefined;
    const sender = senderFrom(raw, isTaken);
    this.#staging.run("INSERT INTO senders (raw, sender) VALUES (?, ?)", raw, sender);
    // Once for each sender, not for each of their messages.
    this.#staging.add({ kind: "sender-without-key", table: "messages", rowid, was: raw, is: sender });
    return sender;
  }

  /** In ms since 1970; that of the message before it in its room when it can't be used. `null`: there is none before it. */
  #timeOf(value: SourceValue, room: number, tell: (finding: Pick<Finding, "kind" | "was">) => void): number | null {
    const at = parseTime(value, this.#source.encoding, this.#now);
    const times = this.#timesOf(room);
    if (typeof at === "string") {
      tell({ kind: at, was: this.#text(value) });
      return times.lastAt;
    }
    this.#times.set(room, { firstAt: times.firstAt ?? at, lastAt: at, isSaved: false });
    return at;
  }

  #timesOf(room: number) {
    const known = this.#times.get(room);
    if (known) return known;
    const query = "SELECT first_at AS firstAt, last_at AS lastAt FROM rooms WHERE n = ?";
    const times = this.#staging.get<{ firstAt: number | null; lastAt: number | null }>(query, room);
    return { firstAt: times?.firstAt ?? null, lastAt: times?.lastAt ?? null };
  }

  #text(value: SourceValue): string | undefined {
    return textOf(value, this.#source.encoding)?.text;
  }
}

const SENDER_OF = `SELECT handle AS sender FROM handles WHERE raw = ?1
  UNION ALL SELECT sender FROM senders WHERE raw = ?1 LIMIT 1`;

/** Keeps `value` in a map that is emptied when it is full. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): Value {
  if (map.size >= REMEMBERED) map.clear();
  map.set(key, value);
  return value;
}
