/** `meet-ai export`: the whole log of a room, for its owner, as a stream: it is never in memory as a whole. */

import { RoomError } from "../../stay/room-error.ts";
import { roomOf } from "../addresses.ts";
import { callApi } from "../api.ts";
import { argumentsOf, nothingMore, required, wholeNumber } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure, usage } from "../failure.ts";
import { requireKey } from "../keys.ts";
import { explained } from "../room-look.ts";

export const help = `  meet-ai export my-room > my-room.ndjson
  meet-ai export my-room --format md > my-room.md
  meet-ai export my-room --after 1200 >> my-room.ndjson

Lines of JSON with a checksum at the end, or Markdown to read. What breaks off says so, and how to go on.

  --format ndjson|md    (ndjson)
  --after SEQ           only what was said after this message
${KEY_HELP}
`;

const OPTIONS = { ...KEY_OPTIONS, format: { type: "string" }, after: { type: "string" } } as const;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("export", args, OPTIONS);
  const [name, ...rest] = positionals;
  const room = roomOf(required("export", name, "ROOM"), env);
  nothingMore("export", rest);
  const { format = "ndjson", after, "key-file": keyFile } = values;
  if (format !== "ndjson" && format !== "md") throw usage(`--format is ndjson or md, not "${format}".`);
  if (output.isTerminal && format === "ndjson") output.note(`(Into a file: meet-ai export ${room.room} > FILE)`);
  const query = new URLSearchParams({ format });
  if (after !== undefined) query.set("after", String(wholeNumber("--after", after)));
  const known = await requireKey(room.server, { env, keyFile });
  const path = `/api/rooms/${encodeURIComponent(room.room)}/export?${query}`;
  let response: Response;
  try {
    // A log of years takes its time, and a reader that is slow is cut off by the server.
    response = await callApi(room.server, path, { key: known.key, signal, patience: 2 ** 31 - 1 });
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    if (error.code === "forbidden") throw new Failure(EXIT.auth, `Only the owner of ${room.room} exports it.`);
    throw explained(error, room, known);
  }
  const log = new LogEnd();
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      log.take(chunk);
      await output.write(chunk);
    }
  } catch {
    signal.throwIfAborted();
    throw log.brokenOff(format);
  }
  if (format === "ndjson" && !log.isWhole) throw log.brokenOff(format);
  return EXIT.done;
}

/** Remembers how far the lines have come: the last one of a whole export is its sum. */
class LogEnd {
  readonly #decoder = new TextDecoder();
  #line = "";
  #last = "";
  #seq: number | undefined;

  take(chunk: Uint8Array): void {
    const lines = (this.#line + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) {
      this.#last = line;
      const { seq } = parsed(line);
      if (typeof seq === "number") this.#seq = seq;
    }
  }

  get isWhole(): boolean {
    const { type } = parsed(this.#last);
    return type === "sum" && this.#line === "";
  }

  brokenOff(format: string): Failure {
    const again = format === "ndjson" && this.#seq !== undefined ? `go on with --after ${this.#seq}` : "run it again";
    return new Failure(EXIT.unreachable, `The export broke off: ${again}.`);
  }
}

function parsed(line: string): { type?: unknown; seq?: unknown } {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}
