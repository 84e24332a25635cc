/** A room's log as its reader over HTTP gets it: pages, and what comes next. The room has all the rules. */

import { peopleIn } from "../party/asks/ask.ts";
import { CLOSE, fault, type Message, type Seq, type ServerFrame } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import type { Caller, Cursor, Page } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import type { Log, NextWish } from "./brief-reading.ts";
import { askAsReader } from "./caller.ts";
import { Refused } from "./errors.ts";
import { spendLookup, spendScan } from "./guards/costly-requests.ts";
import type { Call } from "./request.ts";
import type { Room } from "./room-object.ts";
import { openStream, ownSocket } from "./socket.ts";

export class RoomReading implements Log {
  readonly #c: Call;
  readonly #room: string;
  readonly #as: string | undefined;

  /** `as`: which agent of the caller's key reads. The room notes that it asks. */
  constructor(c: Call, room: string, as?: string) {
    this.#c = c;
    this.#room = room;
    this.#as = as;
  }

  /** A page of at most `limit` messages: the newest, or those after or before a seq. */
  async page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page> {
    // Old messages are read from the room's storage, and not from its memory.
    if (at && "before" in at) await spendLookup(this.#c);
    const address = clientAddress(this.#c.req.raw.headers);
    const ask = async (room: Room, record: RoomRecord | undefined, caller: Caller | undefined) =>
      await room.page(record, at, limit, caller, address);
    return askAsReader(this.#c, this.#room, ask, { as: this.#as });
  }

  /** What comes after the head, as soon as it comes; an empty page when nothing does. */
  next(cursor: Required<Cursor>, wish: NextWish): Promise<Page> {
    return nextPage(this.#c, this.#room, cursor, wish, this.#as);
  }

  /** Before much is read: takes a scan from the caller's address. */
  spendScan(): Promise<void> {
    return spendScan(this.#c);
  }
}

/** So many messages are kept of those that come while somebody waits for another one. */
const MOST_PASSED = 1_000;

/**
 * Waits until something `isWanted` comes after the head, or the room is closed, and gives all that has come; what has come in
 * vain when the time is over. The room sleeps while it waits.
 */
async function nextPage(
  c: Call,
  id: string,
  cursor: Required<Cursor>,
  { limit, wait, isWanted = () => true }: NextWish,
  as: string | undefined,
): Promise<Page> {
  const socket = await ownSocket(await openStream(c, id, { cursor, uncounted: true, knowsErasures: true }, as));
  const empty: Page = { messages: [], head: cursor.after, epoch: cursor.epoch as string, more: false };
  const passed: Message[] = [];
  const known: Record<string, string> = {};
  let head = cursor.after;
  let closed: true | undefined;
  const page = (): Page => {
    const now = { ...empty, ...(closed && { closed }) };
    return passed.length === 0 ? now : pageOf(passed, { ...now, head, names: known }, limit);
  };
  try {
    return await new Promise<Page>((resolve, reject) => {
      const timer = setTimeout(() => resolve(page()), wait);
      const settle = (answer: () => void) => {
        clearTimeout(timer);
        answer();
      };
      // The client has gone, maybe while the stream was opened, and its place among the connections of its address is free again.
      const { signal } = c.req.raw;
      signal.addEventListener("abort", () => settle(() => resolve(empty)));
      if (signal.aborted) settle(() => resolve(empty));
      socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data as string) as ServerFrame;
        if (frame.type === "error") {
          settle(() => reject(new Refused(fault(frame.code, frame.message, frame.retryAfter))));
          return;
        }
        if (frame.type === "check") socket.send(JSON.stringify({ type: "read", n: frame.n }));
        if (frame.type !== "welcome" && frame.type !== "update") return;
        // The room has started over meanwhile: the next question, with this epoch, is told so.
        if (frame.type === "welcome" && frame.reset) return settle(() => resolve(empty));
        const came = frame.messages ?? [];
        passed.push(...came);
        Object.assign(known, frame.names);
        head = frame.type === "welcome" ? frame.head : (came.at(-1)?.seq ?? head);
        const wasOpen = frame.type === "update" && !closed;
        if (frame.room) closed = frame.room.closed;
        // Nothing is going to come, which is news to who waits; who asks again waits for it to be opened.
        const isNews = wasOpen && closed;
        if (came.some(isWanted) || passed.length >= MOST_PASSED || isNews) settle(() => resolve(page()));
      });
      socket.addEventListener("close", ({ code }) => {
        settle(() => {
          if (code === CLOSE.deleted) reject(new Refused(fault("not_found", "The room was deleted.")));
          else if (code === CLOSE.identifyAgain || code === CLOSE.unauthorized) reject(new Refused(ASK_AGAIN));
          else resolve(page());
        });
      });
    });
  } finally {
    socket.close(1000);
  }
}

/** The page of a frame: a long update comes in several, so there may be more up to the head. */
function pageOf(found: Message[], { epoch, head, names, closed }: Page, limit: number): Page {
  const messages = found.slice(0, limit);
  const people = new Set(messages.flatMap(peopleIn));
  const known = Object.entries(names ?? {}).filter(([sender]) => people.has(sender));
  return {
    messages,
    head,
    epoch,
    more: (messages.at(-1) as Message).seq < head,
    ...(known.length > 0 && { names: Object.fromEntries(known) }),
    ...(closed && { closed }),
  };
}

/** What the caller is in the room has changed while they waited: the next question is answered by what they are now. */
const ASK_AGAIN = fault("unauthorized", "Who may read this room has changed: ask again.");
