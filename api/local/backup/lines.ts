/** A file, or an answer, line by line, with no more than one chunk and one line of it in memory. */

import { createReadStream } from "node:fs";
import { Failure } from "../failure.ts";

/** A message of the longest content, all of it escaped, has a tenth of it. */
const LONGEST_LINE = 1024 * 1024;

const LINE_BREAK = 10;

/** The whole lines of `chunks`, each with its line break. What follows the last line break is left out. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, start)) {
      yield bytes.subarray(start, end + 1);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_LINE) throw new Failure("A line is longer than any of a backup.");
  }
}

/** The whole lines of the file `path`, up to the byte `end` where that is given. */
export function linesOfFile(path: string, end = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void> {
  // The stream's own `end` is the last byte, which an empty piece of a file has not.
  if (end === 0) return linesOf((async function* () {})());
  return linesOf(createReadStream(path, { end: end - 1, highWaterMark: 256 * 1024 }));
}

/** The JSON object of a line. Throws `Failure` with `what` when it is none. */
export function recordOf(line: Buffer, what: () => string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line.toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Failure(what());
}
