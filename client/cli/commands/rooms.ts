/** `meet-ai rooms`: the list of rooms, the most recently active first. */

import { serverOf } from "../addresses.ts";
import { readApi } from "../api.ts";
import { argumentsOf, nothingMore, wholeNumber } from "../arguments.ts";
import type { Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { timeOf } from "../message-lines.ts";
import { visibleJson, visibleLine } from "../visible-text.ts";

export const help = `  meet-ai rooms
  meet-ai rooms --search deploy
  meet-ai rooms --json | jq -r .id

Rooms that are unlisted, and rooms of members, are not in the list.

  --search TEXT    what the id, the name or the topic contains
  --limit N        so many at most (20)
  --json           one room a line
`;

const OPTIONS = { search: { type: "string" }, limit: { type: "string" }, json: { type: "boolean" } } as const;

interface ListedRoom {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly lastMessageAt: string | null;
  /** The server's operator has closed it. */
  readonly closed?: true;
}

/** Rooms that the server lists at once. */
const PAGE = 100;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("rooms", args, OPTIONS);
  nothingMore("rooms", positionals);
  const { search = "", limit = "20", json } = values;
  const most = wholeNumber("--limit", limit, 1);
  const server = serverOf(env);
  let shown = 0;
  for (let cursor: string | null = ""; cursor !== null && shown < most; ) {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, most - shown)) });
    if (search) query.set("q", search);
    if (cursor) query.set("cursor", cursor);
    const page: { rooms: ListedRoom[]; next: string | null } = await readApi(server, `/api/rooms?${query}`, {
      signal,
      repeatable: true,
    });
    for (const room of page.rooms) {
      shown++;
      if (json) await output.line(visibleJson(room));
      else await output.line(lineOf(room, output.style));
    }
    cursor = page.next;
  }
  if (shown === 0) output.note(`There are no ${search ? "such rooms" : "rooms"} at ${server}.`);
  else if (output.isTerminal && !json) output.note(`\nNext: meet-ai tail ${search ? "ROOM" : "lobby"}`);
  return EXIT.done;
}

function lineOf(
  { id, name, lastMessageAt, closed }: ListedRoom,
  style: (style: "dim" | "bold", text: string) => string,
): string {
  const when = lastMessageAt === null ? "never" : timeOf(lastMessageAt, "day");
  return `${style("bold", visibleLine(id).padEnd(24))}  ${style("dim", when.padEnd(16))}  ${visibleLine(name)}${closed ? style("dim", "  closed") : ""}`;
}
