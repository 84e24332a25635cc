/**
 * Messages as brief text: a line for each, and lines of the room's that begin with `#`. They say how far behind the reader
 * is, and how to go on. Pure: the same page is the same text, byte for byte.
 */

import type { Message, Seq } from "../protocol.ts";
import { briefLine } from "./brief-line.ts";

export interface BriefPage {
  /** What is shown, oldest first. */
  readonly messages: readonly Message[];
  /** The newest seq of the room. */
  readonly head: Seq;
  readonly epoch: string;
  /** After which seq to go on, when everything here is shown. */
  readonly next: Seq;
  /** Nothing is left after `next` that its reader wants, whatever the head is. */
  readonly isAll?: boolean | undefined;
  /** From before which seq older ones can be read; absent: none, or nobody has asked. */
  readonly older?: Seq | undefined;
  /** Which stay when not all have room: those from this end on, or those around a seq. */
  readonly keep: "oldest" | "newest" | { readonly around: Seq };
  /** How many entries of the log follow the reader's cursor, and how many of them mention the reader, as far as known. */
  readonly behind?: { readonly by: number; readonly mentions?: Mentions | undefined } | undefined;
  /** Only what mentions the reader was looked for. */
  readonly onlyMentions?: boolean | undefined;
  /** The cursor could not be gone on from. */
  readonly reset?: true | undefined;
  /** The server's operator has closed the room. */
  readonly closed?: true | undefined;
}

export interface Mentions {
  readonly count: number;
  /** Not everything that is unread was looked at. */
  readonly atLeast?: true | undefined;
}

/** The fewest characters that a page can be asked to have at most. */
export const LEAST_CHARACTERS = 1_000;

const RESET = "# reset: your cursor is of another history of this room, or too old; these are the newest messages";
/** That nobody writes in the room, whatever is read of it. */
export const CLOSED = "# closed: this server's operator has closed the room; it can be read, and nobody can write";

/** `page` as text that ends with a line break and has at most `most` characters (UTF-16 code units). */
export function briefPage(page: BriefPage, most = Number.POSITIVE_INFINITY): string {
  const known = page.messages.filter((message) => briefLine(message) !== undefined);
  const above = head(page, known.length);
  // The longest that the lines below can be.
  const longest = foot({ ...page, head: page.head * 2 + 1 }, page.head, page.head);
  const frame = [...above, ...longest].reduce((sum, line) => sum + line.length + 1, 0);
  const { from, to } = fitting(page.keep, known, most - frame);
  const shown = known.slice(from, to);
  // The one message that there is no room for is cut, so that a reader always gets on.
  const lines = shown.map((message, index) => briefLine(message, shown[index - 1], most - frame - 1) as string);
  const next = to < known.length ? (shown.at(-1)?.seq ?? page.next) : page.next;
  const older = from > 0 ? shown[0]?.seq : page.older;
  const isAll = page.isAll && to === known.length;
  return [...above, ...lines, ...foot({ ...page, head: isAll ? next : page.head }, next, older)]
    .map((line) => `${line}\n`)
    .join("");
}

/** Which of `messages` have room in `most` characters: one after the other, from the end that is kept. At least one. */
function fitting(keep: BriefPage["keep"], messages: readonly Message[], most: number): { from: number; to: number } {
  const lengths = messages.map((message, index) => ({
    asFirst: (briefLine(message) as string).length + 1,
    asNext: (briefLine(message, messages[index - 1]) as string).length + 1,
  }));
  const start = keep === "oldest" ? 0 : keep === "newest" ? messages.length - 1 : nearest(messages, keep.around);
  let [from, to] = [start, Math.min(start + 1, messages.length)];
  let length = lengths[start]?.asFirst ?? 0;
  let [goesBack, goesOn] = [keep !== "oldest", keep !== "newest"];
  while (goesBack || goesOn) {
    const later = lengths[to];
    goesOn = goesOn && later !== undefined && length + later.asNext <= most;
    if (goesOn) length += lengths[to++]?.asNext ?? 0;
    const [earlier, first] = [lengths[from - 1], lengths[from]];
    const longer = earlier && first ? length - first.asFirst + first.asNext + earlier.asFirst : Number.NaN;
    goesBack = goesBack && longer <= most;
    if (!goesBack) continue;
    length = longer;
    from--;
  }
  return { from: Math.max(0, from), to };
}

/** Where the message `seq` is, or the last one before it. */
function nearest(messages: readonly Message[], seq: Seq): number {
  return Math.max(
    0,
    messages.findLastIndex((message) => message.seq <= seq),
  );
}

function head({ behind, reset, closed, onlyMentions }: BriefPage, shown: number): string[] {
  const lines = reset ? [RESET] : [];
  if (closed) lines.push(CLOSED);
  if (behind && shown > 0) lines.push(`# behind by ${behind.by}${mentionsOf(behind.mentions)}`);
  if (shown === 0) lines.push(`# nothing${behind ? " new" : ""}${onlyMentions ? " that mentions you" : ""}`);
  return lines;
}

function mentionsOf({ count, atLeast }: Mentions = { count: 0 }): string {
  if (count === 0) return "";
  return `, ${atLeast ? "at least " : ""}${count} ${count === 1 ? "mentions" : "mention"} you`;
}

function foot({ head, epoch }: BriefPage, next: Seq, older: Seq | undefined): string[] {
  const lines = older === undefined ? [] : [`# older: before=${older}`];
  lines.push(`# next: after=${next} epoch=${epoch}${next < head ? ` (${head - next} more)` : ""}`);
  return lines;
}
