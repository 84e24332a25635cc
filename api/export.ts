/**
 * A room's log as a file, for its owner and for the operator: whole, or from a seq on.
 *
 * It is read through the room, so that what D1 does not have yet is in it and what was deleted is not. A page at a time,
 * and only when the reader has taken the one before. A reader that stops costs a page, for a while; so there are only so
 * many exports at once.
 */

import { Hono } from "hono";
import { instructionsAsText } from "../party/instructions.ts";
import { repeatable } from "../party/object-call.ts";
import { fault, isFault, type Message, READING, type Seq } from "../party/protocol.ts";
import type { Cursor, Page } from "../party/room-rpc.ts";
import { callerOf } from "./caller.ts";
import type { DirectoryEntry } from "./directory.ts";
import { Refused } from "./errors.ts";
import { streamOf } from "./export-stream.ts";
import { FORMAT_VERSION, line, messageRecord, type RoomHeader, type RoomSum } from "./format/records.ts";
import { spendScan } from "./guards/costly-requests.ts";
import { messageAsText } from "./message-text.ts";
import { ownRoom } from "./own-room.ts";
import { accept, type Call, isOperator, queryOf } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { ExportQuery } from "./schemas/export.ts";

export const exports = new Hono<{ Bindings: Env }>();

/** Messages that are read at once: for an operator, who is trusted; and for an owner, whose pages are at most 1 MB. */
const OPERATORS_PAGE = READING.page;
const OWNERS_PAGE = 50;

/** A room that brings its older messages back from D1 is waited for so long, and asked again after this, ms. */
const WAITED_FOR = 10_000;
const AGAIN_AFTER = 250;

/** Exports that are under way at once in this isolate: of one owner, and of all. Each may hold some 4 MB. */
const MOST_OF_OWNER = 2;
const MOST_OF_ALL = 16;

/** How many are under way, by the owner's key. The operator's backup is one at a time, and does not count. */
const underWay = new Map<string, number>();

/** Pages of a room's log up to the head that it has at the beginning, so that the export of a busy room ends, too. */
interface Log {
  readonly epoch: string;
  /** Messages with a lower seq are gone. */
  readonly first: Seq;
  readonly pages: AsyncGenerator<readonly Message[], void>;
}

exports.get("/:id/export", async (c) => {
  const { format, after } = queryOf(c, ExportQuery);
  const room = await ownRoom(c);
  const owner = isOperator(c) ? undefined : (room.createdBy as string);
  if (owner !== undefined) await spendScan(c);
  const headers = {
    "content-type": format === "md" ? "text/markdown; charset=utf-8" : "application/x-ndjson; charset=utf-8",
    "content-disposition": `attachment; filename="${room.id}.${format}"`,
  };
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  const leave = owner === undefined ? () => undefined : enter(owner);
  try {
    const log = await openLog(c, room, after, owner === undefined ? OPERATORS_PAGE : OWNERS_PAGE);
    const text =
      format === "md" ? asMarkdown(c, room, log, after) : asRecords(room, log, Math.max(after, log.first - 1));
    return c.body(streamOf(text, leave, { room: room.id, request: requestIdOf(c) }), 200, headers);
  } catch (error) {
    leave();
    throw error;
  }
});

/** Counts an export of `owner`; what is returned counts it off again. Throws when there are too many. */
function enter(owner: string): () => void {
  const all = [...underWay.values()].reduce((sum, count) => sum + count, 0);
  const own = underWay.get(owner) ?? 0;
  if (own >= MOST_OF_OWNER || all >= MOST_OF_ALL) {
    throw new Refused(fault("rate_limited", "Too many exports are under way. Let one end, or try later.", 60));
  }
  underWay.set(owner, own + 1);
  return () => {
    const left = (underWay.get(owner) ?? 1) - 1;
    if (left > 0) underWay.set(owner, left);
    else underWay.delete(owner);
  };
}

/** Reads the first page, so that what is wrong is told by a status and not by a stream that breaks off. */
async function openLog(c: Call, room: DirectoryEntry, after: Seq, atOnce: number): Promise<Log> {
  const caller = await callerOf(c);
  const read = async (cursor: Cursor): Promise<Page> => {
    const object = () => c.env.CHAT_ROOM.getByName(room.id);
    for (const begun = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER))) {
      const page = await repeatable(async () => await object().page(room, cursor, atOnce, caller));
      const isAway = isFault(page) && page.fault === "unavailable";
      if (!isAway || Date.now() - begun > WAITED_FOR) return accept(page);
    }
  };
  /** Where the log begins: what was before has gone because of its age. */
  const begin = async (): Promise<Seq> =>
    accept(await repeatable(async () => await c.env.CHAT_ROOM.getByName(room.id).first(room)));
  const first = await begin();
  const from = Math.max(after, first - 1);
  const opened = await read({ after: from });
  const { epoch, head } = opened;
  if (opened.reset) throw new Refused(fault("conflict", `The room's log ends at ${head}: begin before.`));
  async function* pages() {
    let page = opened;
    for (let last = from; last < head && page.messages.length > 0; page = await read({ after: last, epoch })) {
      if (page.reset) {
        if (page.epoch !== epoch) throw new Error("The room has begun another history.");
        // What comes next has gone while the file was read.
        last = Math.max(last, (await begin()) - 1);
        continue;
      }
      last = (page.messages.at(-1) as Message).seq;
      yield page.messages.filter(({ seq }) => seq <= head);
      if (last >= head) return;
    }
  }
  return { epoch, first, pages: pages() };
}

/** One part of a room's file: a header, the messages, and a sum that says that nothing is missing. */
async function* asRecords(
  { id, createdAt }: DirectoryEntry,
  { epoch, first, pages }: Log,
  after: Seq,
): AsyncGenerator<string> {
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  const encoder = new TextEncoder();
  const counted = async (text: string) => {
    await writer.write(encoder.encode(text));
    return text;
  };
  let upTo = after;
  let lines = 1;
  const begin = first > 1 ? { first } : {};
  const header: RoomHeader = { type: "room", version: FORMAT_VERSION, id, createdAt, epoch, ...begin };
  yield await counted(line(header));
  for await (const messages of pages) {
    yield await counted(messages.map((message) => line(messageRecord(message))).join(""));
    upTo = messages.at(-1)?.seq ?? upTo;
    lines += messages.length;
  }
  await writer.close();
  const sum: RoomSum = { type: "sum", upTo, lines, sha256: hex(await digest.digest) };
  yield line(sum);
}

async function* asMarkdown(c: Call, room: DirectoryEntry, { pages }: Log, after: Seq): AsyncGenerator<string> {
  const { origin } = new URL(c.req.url);
  const instructions = instructionsAsText(room.settings.instructions, room.createdByHandle);
  const head = [`# ${room.name}`, room.topic, `${origin}/r/${room.id}`, instructions.trimEnd()].filter(Boolean);
  if (after === 0) yield `${head.join("\n\n")}\n\n`;
  for await (const messages of pages) yield messages.map((message) => `${messageAsText(message)}\n`).join("");
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
