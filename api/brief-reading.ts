/**
 * Reading a room for few tokens: picks out what a reader wants to see of its log, waits for it, and says how far behind
 * they are. How it is written down is `party/brief/`'s.
 */

import { type BriefPage, briefPage, type Mentions } from "../party/brief/brief-page.ts";
import { mentions } from "../party/mentions.ts";
import { type Message, READING, type Seq } from "../party/protocol.ts";
import type { Cursor, Page } from "../party/room-rpc.ts";

/** What is read: a room's log, as `RoomReading` gives it. */
export interface Log {
  page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page>;
  next(cursor: Required<Cursor>, wish: NextWish): Promise<Page>;
  /** Refuses a caller who has read much already. */
  spendScan(): Promise<void>;
}

/** What is waited for. */
export interface NextWish {
  /** Of how many messages the page is at most. */
  readonly limit: number;
  /** For how long, ms. */
  readonly wait: number;
  /** What ends the wait; absent: anything. */
  readonly isWanted?: (message: Message) => boolean;
}

export interface BriefWish {
  readonly limit: number;
  readonly after?: Seq | undefined;
  readonly epoch?: string | undefined;
  readonly before?: Seq | undefined;
  readonly around?: Seq | undefined;
  /** Seconds to wait for something to show. */
  readonly wait: number;
  /** Only messages that mention one of these. */
  readonly mentions?: readonly string[] | undefined;
  /** What the reader is called: what they say ends no wait, and what mentions them is counted. */
  readonly you?: readonly string[] | undefined;
  readonly max_chars?: number | undefined;
}

/** So many messages are looked through for those that are wanted. */
const LOOKED_THROUGH = 1_000;
/** So many of them cost no scan. */
const FREE = 400;

/** What `wish` asks for, as text. */
export async function readBriefly(log: Log, wish: BriefWish): Promise<string> {
  const { after, around, before } = wish;
  if (after !== undefined) return briefPage(await readAfter(log, wish, after), wish.max_chars);
  const bound = around === undefined ? before : around + Math.ceil(wish.limit / 2);
  return briefPage(await readBefore(log, wish, bound), wish.max_chars);
}

/** The newest that are wanted, or those before `bound`. */
async function readBefore(log: Log, wish: BriefWish, bound: Seq | undefined): Promise<BriefPage> {
  const { limit, around } = wish;
  const wanted = wantedBy(wish);
  const scan = new Scan(log);
  let page = await log.page(bound === undefined ? undefined : { before: bound }, wanted ? READING.page : limit);
  const { head, epoch, closed } = page;
  const last = page.messages.at(-1)?.seq ?? (bound === undefined ? head : Math.min(head, bound - 1));
  let found = wanted ? page.messages.filter(wanted) : page.messages;
  let oldest = page.messages[0]?.seq;
  while (wanted && found.length < limit && page.more && oldest !== undefined && (await scan.goesOn(page))) {
    page = await log.page({ before: oldest }, READING.page);
    found = [...page.messages.filter(wanted), ...found];
    oldest = page.messages[0]?.seq ?? oldest;
  }
  const messages = found.slice(-limit);
  const isCut = messages.length < found.length;
  const older = isCut ? messages[0]?.seq : page.more ? oldest : undefined;
  const keep = around === undefined ? "newest" : { around };
  return { messages, head, epoch, next: last, older, keep, onlyMentions: wanted !== undefined, closed };
}

/** What is wanted after a cursor, once it has come. */
async function readAfter(log: Log, wish: BriefWish, after: Seq): Promise<BriefPage> {
  const { limit, you = [] } = wish;
  const end = Date.now() + wish.wait * 1_000;
  const isWaiting = wish.wait > 0;
  const wanted = wantedBy(wish);
  const onlyMentions = wanted !== undefined;
  const shows = (message: Message) => {
    // One's own words, and that something is gone, are nothing to wait for.
    if (isWaiting && (you.includes(message.sender) || isRemoval(message))) return false;
    return wanted?.(message) ?? true;
  };
  const scan = new Scan(log);
  const found: Message[] = [];
  const unread = new Unread(you.length > 0 ? you : (wish.mentions ?? []));
  /** How far was looked, and how far the reader's cursor may go. */
  let [seen, next] = [after, after];
  let page = await log.page({ after, epoch: wish.epoch }, wanted || isWaiting ? READING.page : limit);
  const wasClosed = page.closed;
  for (;;) {
    const { head, epoch } = page;
    let { closed } = page;
    if (page.reset) return { ...(await readBefore(log, wish, undefined)), reset: true };
    for (const message of page.messages) {
      unread.count(message);
      seen = message.seq;
      if (found.length === limit) continue;
      if (shows(message)) found.push(message);
      // One's own words don't move one's cursor: what came before them may be unread.
      if (!you.includes(message.sender) || !isWaiting) next = message.seq;
    }
    const isEnough = found.length >= (isWaiting ? 1 : wanted ? limit : 0);
    const isAtHead = seen >= head || page.messages.length === 0;
    if (!isEnough && !isAtHead && (await scan.goesOn(page))) {
      page = await log.page({ after: seen, epoch }, READING.page);
      continue;
    }
    if (!isEnough && !isAtHead) next = seen;
    const left = end - Date.now();
    // That it is closed meanwhile is news: nothing is going to come.
    const isNews = closed && !wasClosed;
    if (found.length === 0 && isAtHead && isWaiting && left > 0 && !isNews) {
      const came = await log.next({ after: seen, epoch }, { limit: READING.page, wait: left, isWanted: shows });
      // Otherwise nothing has come in all the time, or the room has ended the wait.
      if (came.messages.length > 0) {
        page = came;
        continue;
      }
      closed = came.closed;
    }
    const behind = { by: head - after, mentions: await unread.upTo(log, { after: seen, epoch }, head) };
    const isAll = isAtHead && found.length < limit;
    return { messages: found, head, epoch, next, isAll, keep: "oldest", behind, onlyMentions, closed };
  }
}

/** What of the log is wanted; `undefined`: everything. */
function wantedBy({ mentions: names, you = [] }: BriefWish): ((message: Message) => boolean) | undefined {
  if (!names) return undefined;
  return (message) => !you.includes(message.sender) && mentionsAny(message, names);
}

const mentionsAny = ({ kind, content }: Message, names: readonly string[]): boolean =>
  kind === "text" && names.some((name) => mentions(content, name));

const isRemoval = ({ kind, deleted }: Message): boolean =>
  kind === "deletion" || kind === "erasure" || deleted === true;

/** Bounds how far is looked through a log. */
class Scan {
  readonly #log: Log;
  #looked = 0;
  #hasPaid = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether another page may be read after `page`. */
  async goesOn(page: Page): Promise<boolean> {
    this.#looked += page.messages.length;
    if (this.#looked >= LOOKED_THROUGH) return false;
    if (this.#looked < FREE || this.#hasPaid) return true;
    await this.#log.spendScan();
    this.#hasPaid = true;
    return true;
  }
}

/** Counts who is mentioned in what is unread. */
class Unread {
  readonly #names: readonly string[];
  #mentions = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  count(message: Message): void {
    if (!this.#names.includes(message.sender) && mentionsAny(message, this.#names)) this.#mentions++;
  }

  /** How many there are, with one more page after what was counted already. */
  async upTo(log: Log, cursor: Cursor, head: Seq): Promise<Mentions | undefined> {
    if (this.#names.length === 0) return undefined;
    if (cursor.after >= head) return { count: this.#mentions };
    const page = await log.page(cursor, READING.page);
    if (page.reset) return { count: this.#mentions, atLeast: true };
    for (const message of page.messages) this.count(message);
    return { count: this.#mentions, ...(page.more && { atLeast: true }) };
  }
}
