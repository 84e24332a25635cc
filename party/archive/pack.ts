/**
 * Packs: the form in which D1 keeps messages. A pack is one row with up to `PACK` messages whose seqs follow each other.
 * Which packs are written when is decided in `copier.ts`.
 */

import type { StoredKind, StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";

/**
 * Seqs of one pack; the first one begins with seq 1. So where a message is follows from its seq alone. A hundred of the
 * longest messages are 1.7 MB even if they can't be compressed, and D1 takes 2 MB a row. docs/decisions.md has figures
 * for other sizes.
 */
export const PACK = 100;

/**
 * The form that is written today: one JSON array, as UTF-8, compressed by DEFLATE without a header. It has a message for
 * each seq from the pack's first one on, and `null` where D1 has none.
 */
export const FORM = 1;

/**
 * Bytes that are compressed at once: the room does nothing else meanwhile. Long texts of few words are slowest. A pack of
 * the longest such messages takes a third of a second, and so many bytes 7 ms.
 */
const AT_ONCE = 32_768;

type Line = [id: string, kind: StoredKind, sender: string, content: string, ref: Seq | null, at: number] | null;

/**
 * The columns of a pack that a query asks for. D1 would give a blob as a list of numbers, which takes a room five times the
 * memory; and no value may have more than 2 MB, so the hexadecimal digits come in two pieces.
 */
export const PACK_COLUMNS = "first, form, hex(substr(body, 1, 900000)) AS body, hex(substr(body, 900001)) AS rest";

/** A pack as D1 gives it. */
export type PackRow = { first: Seq; form: number; body: string; rest: string };

/** The first seq of the pack that `seq` belongs to. */
export const firstOf = (seq: Seq): Seq => seq - ((seq - 1) % PACK);

/** How many packs have a seq from `from` to `to`. */
export const packsBetween = (from: Seq, to: Seq): number => (firstOf(to) - firstOf(from)) / PACK + 1;

/** The body of a pack with `messages`, which are at least one and all of the same pack, oldest first. */
export async function pack(messages: readonly StoredMessage[]): Promise<ArrayBuffer> {
  const lines: Line[] = [];
  for (const { seq, id, kind, sender, content, ref, at } of messages) {
    const place = seq - firstOf(seq);
    while (lines.length < place) lines.push(null);
    lines.push([id, kind, sender, content, ref, at]);
  }
  const { readable, writable } = new CompressionStream("deflate-raw");
  const body = new Response(readable).arrayBuffer();
  const writer = writable.getWriter();
  const bytes = new TextEncoder().encode(JSON.stringify(lines));
  for (let at = 0; at < bytes.length; at += AT_ONCE) {
    // A stream's promises are settled within one turn of the room, so they alone let nobody else have theirs.
    if (at > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    await writer.write(bytes.subarray(at, at + AT_ONCE));
  }
  await writer.close();
  return body;
}

/** The messages of a pack, oldest first. Rejects when its body is damaged, or of a later form than `FORM`. */
export async function unpack({ first, form, body, rest }: PackRow): Promise<StoredMessage[]> {
  if (form !== FORM) throw new Error(`Pack ${first} has form ${form}, and this server knows form ${FORM}.`);
  const json = new Blob([fromHex(body + rest)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const lines = (await new Response(json).json()) as Line[];
  return lines.flatMap((line, place) => {
    if (!line) return [];
    const [id, kind, sender, content, ref, at] = line;
    return [{ seq: first + place, id, kind, sender, content, ref, at }];
  });
}

/** The bytes that hexadecimal digits of SQLite's stand for. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (nibble(digits.charCodeAt(2 * at)) << 4) | nibble(digits.charCodeAt(2 * at + 1));
  }
  return bytes;
}

/** Of a hexadecimal digit, as SQLite writes it: 0–9 and A–F. */
const nibble = (digit: number): number => (digit < 0x41 ? digit - 0x30 : digit - 0x41 + 10);
