/**
 * What waits to be answered, and the cursor that lies before it. The stay reads ahead, so that what comes while the agent works
 * is answered together; its cursor counts only once nothing before it waits.
 */

import type { Message } from "../../party/protocol.ts";
import type { Cursor, CursorStore } from "../stay/cursor.ts";
import { withChanges } from "../stay/with-changes.ts";
import type { MessageName, TurnRecord } from "./turn-record.ts";

interface Item {
  message: Message;
  /** Behind the message, once the stay has told it. */
  cursor: Cursor | undefined;
}

/** Messages that wait at most. Of more, the oldest are left to the prompt's context: they are answered together anyway. */
const MOST = 200;
/** How long the cursor may lag behind what is not to be answered, ms. */
const SAVED_WITHIN = 1_000;

export class Waiting implements CursorStore {
  readonly #record: TurnRecord;
  readonly #begin: () => Promise<Cursor | undefined>;
  #items: Item[] = [];
  #isInTurn = false;
  /** How many of those that wait are in the turn. */
  #inTurn = 0;
  #read: Cursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #saveError: unknown;
  /** Called when the cursor of what was read has moved. */
  onRead: () => void = () => {};

  /** `begin`: where a bridge begins that has never run. */
  constructor(record: TurnRecord, begin: () => Promise<Cursor | undefined>) {
    this.#record = record;
    this.#begin = begin;
    // What was under way lies behind the cursor.
    this.#isInTurn = record.turn !== undefined;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#items.length;
  }

  /** How far the stay has read. */
  get read(): Cursor | undefined {
    return this.#read;
  }

  add(message: Message): void {
    this.#items.push({ message, cursor: undefined });
    if (this.#items.length - this.#inTurn > MOST) this.#items.splice(this.#inTurn, 1);
  }

  /** Takes what is said later in the room: it may delete what waits. */
  hear(log: readonly Message[]): void {
    const messages = withChanges(this.#messages(), log);
    for (const [index, item] of this.#items.entries()) item.message = messages[index] ?? item.message;
  }

  /** Begins a turn with everything that waits: written down before anybody hears of it. */
  async beginTurn(): Promise<Message[]> {
    const last = this.#items.at(-1);
    if (!last) return [];
    this.#isInTurn = true;
    const length = this.#items.length;
    this.#inTurn = length;
    await this.#record.begin(last.message);
    return this.#messages(length);
  }

  /** The messages of a turn that was begun before: whatever waits up to its last message, also if that one is gone. */
  messagesOf(turn: MessageName): Message[] {
    const at = this.#items.findIndex(({ message }) => message.id === turn.id && message.sender === turn.sender);
    this.#inTurn = at === -1 ? this.#items.filter(({ message }) => message.seq <= turn.seq).length : at + 1;
    return this.#messages(this.#inTurn);
  }

  /** The turn is over: these messages are answered, or not to be. */
  async endTurn(messages: readonly Message[]): Promise<void> {
    const done = this.#items.splice(0, messages.length);
    this.#isInTurn = false;
    this.#inTurn = 0;
    await this.#record.end(this.#items.length === 0 ? this.#read : done.at(-1)?.cursor);
  }

  async load(): Promise<Cursor | undefined> {
    this.#read = this.#record.cursor ?? (await this.#begin());
    if (this.#read && !this.#record.cursor) await this.#record.moveTo(this.#read);
    return this.#read;
  }

  async save(cursor: Cursor): Promise<void> {
    if (this.#saveError !== undefined) throw this.#saveError;
    this.#read = cursor;
    const last = this.#items.at(-1);
    if (last && last.cursor === undefined && last.message.seq === cursor.after) last.cursor = cursor;
    this.onRead();
    if (this.#items.length > 0 || this.#isInTurn || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch((error) => {
        this.#saveError = error;
      });
    }, SAVED_WITHIN);
  }

  /** Writes down what was read, where nothing waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length > 0 || this.#isInTurn || !this.#read) return;
    await this.#record.moveTo(this.#read);
  }

  /** The first `count` that wait, all without it, as they are now. */
  #messages(count?: number): Message[] {
    return this.#items.slice(0, count).map(({ message }) => message);
  }
}
