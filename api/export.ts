/**
 * A room's log as a file, for its owner and for the operator: whole, or from a seq on.
 *
 * It is read through the room, so that what D1 does not have yet is in it and what was deleted is not. A page at a time,
 * and only when the reader has taken the one before: a reader that stops costs nothing, and one that goes ends it.
 */

import { Hono } from "hono";
import { repeatable } from "../party/object-call.ts";
import { fault, LIMITS, type Message, type Seq } from "../party/protocol.ts";
import type { Cursor, Page } from "../party/room-rpc.ts";
import type { DirectoryEntry } from "./directory.ts";
import { Refused } from "./errors.ts";
import { FORMAT_VERSION, line, messageRecord, type RoomHeader, type RoomSum } from "./format/records.ts";
import { spendScan } from "./guards/costly-requests.ts";
import { messageAsText } from "./message-text.ts";
import { ownRoom } from "./own-room.ts";
import { accept, type Call, isOperator, queryOf } from "./request.ts";
import { ExportQuery } from "./schemas/export.ts";

export const exports = new Hono<{ Bindings: Env }>();

/** Messages that are read at once. With the longest content they are a few MB. */
const PAGE = LIMITS.page;

/** Pages of a room's log up to the head that it has at the beginning, so that the export of a busy room ends, too. */
interface Log {
  readonly epoch: string;
  readonly pages: AsyncGenerator<readonly Message[], void>;
}

exports.get("/:id/export", async (c) => {
  const { format, after } = queryOf(c, ExportQuery);
  const room = await ownRoom(c);
  if (!isOperator(c)) await spendScan(c);
  const headers = {
    "content-type": format === "md" ? "text/markdown; charset=utf-8" : "application/x-ndjson; charset=utf-8",
    "content-disposition": `attachment; filename="${room.id}.${format}"`,
  };
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  const log = await openLog(c, room, after);
  const text = format === "md" ? asMarkdown(c, room, log, after) : asRecords(room, log, after);
  return c.body(streamOf(text), 200, headers);
});

/** Reads the first page, so that what is wrong is told by a status and not by a stream that breaks off. */
async function openLog(c: Call, room: DirectoryEntry, after: Seq): Promise<Log> {
  const read = async (cursor: Cursor): Promise<Page> => {
    const object = () => c.env.CHAT_ROOM.getByName(room.id);
    return accept(await repeatable(async () => await object().page(room, cursor, PAGE)));
  };
  const first = await read({ after });
  const { epoch, head } = first;
  if (first.reset) throw new Refused(fault("conflict", `The room's log ends at ${head}: begin before.`));
  async function* pages() {
    let page = first;
    for (let last = after; last < head && page.messages.length > 0; page = await read({ after: last, epoch })) {
      if (page.reset) throw new Error("The room has begun another history.");
      last = (page.messages.at(-1) as Message).seq;
      yield page.messages.filter(({ seq }) => seq <= head);
      if (last >= head) return;
    }
  }
  return { epoch, pages: pages() };
}

/** One part of a room's file: a header, the messages, and a sum that says that nothing is missing. */
async function* asRecords(
  { id, createdAt }: DirectoryEntry,
  { epoch, pages }: Log,
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
  const header: RoomHeader = { type: "room", version: FORMAT_VERSION, id, createdAt, epoch };
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
  if (after === 0) yield `# ${room.name}\n\n${room.topic === "" ? "" : `${room.topic}\n\n`}${origin}/r/${room.id}\n\n`;
  for await (const messages of pages) yield messages.map((message) => `${messageAsText(message)}\n`).join("");
}

/** A stream that is asked for more only when what it gave was taken. */
function streamOf(text: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await text.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          // Without its sum the file is not whole, and the reader sees that the connection broke off.
          console.error("An export broke off", error);
          controller.error(error);
        }
      },
      async cancel() {
        await text.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
