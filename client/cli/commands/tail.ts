/**
 * `meet-ai tail`: what is said in a room, each message once and in order, over breaks of the connection and, with a cursor,
 * over restarts. The cursor moves when a message has been written out.
 */

import { briefLine } from "../../../party/brief/brief-line.ts";
import { mentions } from "../../../party/mentions.ts";
import type { Message, Names } from "../../../party/protocol.ts";
import { type Cursor, type CursorStore, fileCursor } from "../../stay/cursor.ts";
import { inviteIn } from "../../stay/invite.ts";
import { join } from "../../stay/join.ts";
import type { Page } from "../../stay/page.ts";
import { readPage } from "../../stay/page.ts";
import type { Stay } from "../../stay/stay.ts";
import { type NamedRoom, roomOf } from "../addresses.ts";
import { argumentsOf, duration, nothingMore, required, wholeNumber } from "../arguments.ts";
import { newestNow } from "../caught-up.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Cancelled, Failure, usage } from "../failure.ts";
import { findKey, type KnownKey, requireKey } from "../keys.ts";
import { humanLines, plainLine } from "../message-lines.ts";
import type { Output } from "../output.ts";
import { CLOSED, lookAt } from "../room-look.ts";
import { visibleJson, visibleLine, visibleText } from "../visible-text.ts";

export const help = `  meet-ai tail lobby                          the last messages, and then each new one
  meet-ai tail lobby --json | jq -r .content
  meet-ai tail lobby --after 0 --once --plain > lobby.tsv
  meet-ai tail lobby --as claude --mentions --once --wait 1h --cursor claude.json
                                              ends when somebody mentions you; exit code 5 when nobody does

With a key you are listed as present; without one you only watch. Deleted messages are left out.

  --json             one message object a line
  --plain            seq, time, sender and text with tabs between; \\n, \\t and \\\\ stand for line break, tab and backslash
  --brief            one line a message, as few tokens as possible: for a model
  --mentions         only what mentions you, or with --as the agent
  --as AGENT         as one of your agents
  --last N           begin with the last N messages (10; with --wait 0)
  --after SEQ        begin after this message; 0: with the first one
  --cursor FILE      go on where the last run stopped; the first run begins as without it
  --once             end when there is nothing more
  --wait TIME        with --once: wait so long (90s, 10m, 2h) for the first message when there is none yet
  --anonymous        without your key: only watch
${KEY_HELP}
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  json: { type: "boolean" },
  plain: { type: "boolean" },
  brief: { type: "boolean" },
  mentions: { type: "boolean" },
  as: { type: "string" },
  last: { type: "string" },
  after: { type: "string" },
  cursor: { type: "string" },
  once: { type: "boolean" },
  wait: { type: "string" },
  anonymous: { type: "boolean" },
} as const;

/** Messages that a tail begins with. */
const LAST = 10;

type Form = (message: Message) => string;

export async function run(surroundings: Surroundings): Promise<ExitCode> {
  const { args, env, output, signal } = surroundings;
  const { values, positionals } = argumentsOf("tail", args, OPTIONS);
  const [name, ...rest] = positionals;
  const room = roomOf(required("tail", name, "ROOM"), env);
  nothingMore("tail", rest);
  const forms = ["json", "plain", "brief"] as const;
  if (forms.filter((form) => values[form]).length > 1) throw usage("Say --json, --plain or --brief: one of them.");
  if (values.wait !== undefined && !values.once) throw usage("--wait goes with --once.");
  const wait = values.wait === undefined ? undefined : duration("--wait", values.wait);
  const needsKey = values.mentions || values.as !== undefined;
  if (needsKey && values.anonymous) throw usage("--anonymous has no name: leave out --mentions and --as.");
  const wish = { env, keyFile: values["key-file"] };
  const known = values.anonymous
    ? undefined
    : needsKey
      ? await requireKey(room.server, wish)
      : await findKey(room.server, wish);
  // Where an invite is needed, a look without it is refused.
  if (inviteIn(room.url) === undefined) await lookAt(room, known, signal);

  const file = values.cursor === undefined ? undefined : fileCursor(values.cursor);
  const begin = async (): Promise<Cursor> => {
    const newest = await newestOf(room, known, signal);
    if (values.after !== undefined) return behind(newest, wholeNumber("--after", values.after));
    const last = wholeNumber("--last", values.last ?? String(wait === undefined ? LAST : 0));
    return { after: Math.max(0, newest.head - last), epoch: newest.epoch };
  };
  const progress = new Progress(file && { store: file, path: values.cursor as string }, begin);
  const over = new AbortController();
  await using stay = await join(room.url, {
    ...(known && { key: known.key }),
    ...(values.as !== undefined && { as: values.as }),
    cursor: progress,
    signal: AbortSignal.any([signal, over.signal]),
  });
  const names: Record<string, string> = {};
  stay.on("names", ({ names: more }) => Object.assign(names, more));
  const form = formOf(values, room, names, output);
  if (output.isTerminal) sayStatus(stay, output);
  sayClosed(stay, output);
  const isAtEnd = values.once ? await newestNow(stay) : () => false;

  let shown = 0;
  let ranOut = false;
  // With --wait there is an end only once there is a message.
  const look = () => {
    if (isAtEnd(progress.cursor) && (shown > 0 || wait === undefined)) over.abort();
  };
  progress.onMove = look;
  look();
  const runOut = () => {
    ranOut = true;
    over.abort();
  };
  const timer = wait === undefined ? undefined : setTimeout(runOut, wait);
  try {
    for await (const message of stay.messages({ from: "everybody", signal: over.signal })) {
      const isWanted = !values.mentions || (stay.me !== undefined && mentions(message.content, stay.me));
      if (!isWanted) continue;
      clearTimeout(timer);
      await output.line(form(message));
      shown++;
    }
  } finally {
    clearTimeout(timer);
  }
  if (signal.aborted) throw new Cancelled();
  if (!ranOut) return EXIT.done;
  output.note("Nothing came.");
  return EXIT.waited;
}

interface Forms {
  readonly json?: boolean | undefined;
  readonly plain?: boolean | undefined;
  readonly brief?: boolean | undefined;
}

function formOf({ json, plain, brief }: Forms, { room }: NamedRoom, names: Names, { style }: Output): Form {
  if (json) return visibleJson;
  if (plain) return plainLine;
  if (!brief) return (message) => humanLines(message, { room, names, style });
  let previous: Message | undefined;
  return (message) => {
    const line = visibleText(briefLine(message, previous) ?? "");
    previous = message;
    return line;
  };
}

/** The newest message, and of which history it is. */
function newestOf({ server, room }: NamedRoom, known: KnownKey | undefined, signal: AbortSignal): Promise<Page> {
  const credentials = known && { key: known.key };
  return readPage({ server, room, credentials, epoch: undefined, deps: { fetch } }, { limit: 1, signal });
}

function behind({ head, epoch }: Page, after: number): Cursor {
  if (after <= head) return { after, epoch };
  throw usage(`--after ${after} is beyond the newest message, which is ${head}.`);
}

/** A cursor's store, and the file that it is. */
interface KeptIn {
  readonly store: CursorStore;
  readonly path: string;
}

/** How far has been read: kept in the file, if there is one, and looked at for the end of `--once`. */
class Progress implements CursorStore {
  readonly #file: KeptIn | undefined;
  readonly #begin: () => Promise<Cursor>;
  cursor: Cursor | undefined;
  onMove = () => {};

  constructor(file: KeptIn | undefined, begin: () => Promise<Cursor>) {
    this.#file = file;
    this.#begin = begin;
  }

  async load(): Promise<Cursor> {
    const kept = await this.#file?.store.load().catch((error: NodeJS.ErrnoException) => {
      // Without a code it is about what the file holds.
      throw error.code === undefined ? new Failure(EXIT.machine, error.message) : error;
    });
    this.cursor = kept ?? (await this.#begin());
    return this.cursor;
  }

  async save(cursor: Cursor): Promise<void> {
    await this.#file?.store.save(cursor).catch((error: NodeJS.ErrnoException) => {
      // Of a full disk the error does not say where.
      throw Object.assign(error, { path: error.path ?? this.#file?.path });
    });
    this.cursor = cursor;
    this.onMove();
  }
}

function sayStatus(stay: Stay, output: Output): void {
  let wasLost = false;
  stay.on("status", ({ status }) => {
    if (status === "offline" && !wasLost) output.note("(the connection is lost; trying again)");
    if (status === "open" && wasLost) output.note("(back)");
    wasLost = status === "offline";
  });
  output.note(`(${visibleLine(stay.info?.name ?? stay.room)}; Ctrl-C ends it)`);
}

/** Says that nobody can write, and that they can again: also to a program, which would wait in vain. */
function sayClosed(stay: Stay, output: Output): void {
  let wasClosed = false;
  const look = () => {
    const isClosed = stay.info?.closed === true;
    if (isClosed !== wasClosed) output.note(isClosed ? CLOSED : "The room is open again.");
    wasClosed = isClosed;
  };
  stay.on("welcome", look);
  stay.on("room", look);
  look();
}
