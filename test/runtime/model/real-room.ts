/**
 * A real room in the runtime, and the clients in it: opened through the Worker as anybody's are, with what they have seen
 * kept in the plainest form, to be compared with the model.
 */

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import { closingBy } from "../../../party/log/messages-table.ts";
import { isLiveAsk, toMessage } from "../../../party/log/stored-message.ts";
import type {
  AskClosed,
  ClientFrame,
  ErrorCode,
  HelloFrame,
  Message,
  ServerFrame,
  WelcomeFrame,
} from "../../../party/protocol.ts";
import { archive, archived, evict, savePacks } from "../visitor.ts";
import { type Entry, ERASURE, empty, forget } from "./room-model.ts";

const ORIGIN = "https://meet.example";
/** A run that waits longer for something waits for something that does not come, ms. */
const PATIENCE = 60_000;

/** What a client was told about one of its frames. */
export type Answer = { readonly ack: number } | { readonly error: ErrorCode };

export class RealRoom {
  readonly id = `model-${crypto.randomUUID().slice(0, 18)}`;
  readonly keys = { owner: newKey(), other: newKey() };
  /** Each run comes from an address of its own, and so has a guest's whole quota. */
  readonly address = `2001:db8:${randomHex()}:${randomHex()}::1`;
  readonly #owner = `owner-${this.id}`;
  readonly #other = `other-${this.id}`;

  /** Writes the room, its owner and somebody else into D1. */
  async make(): Promise<void> {
    const now = new Date().toISOString();
    const key = "INSERT INTO api_keys (id, key_hash, handle, created_at) VALUES (?, ?, ?, ?)";
    const room = "INSERT INTO rooms (id, name, created_by, created_at, settings) VALUES (?, 'Model', ?, ?, ?)";
    await env.DB.batch([
      env.DB.prepare(key).bind(this.#owner, await sha256Hex(this.keys.owner), this.#owner, now),
      env.DB.prepare(key).bind(this.#other, await sha256Hex(this.keys.other), this.#other, now),
      env.DB.prepare(room).bind(this.id, this.#owner, now, JSON.stringify({ loopGuard: 0 })),
    ]);
  }

  get owner(): string {
    return this.#owner;
  }

  get other(): string {
    return this.#other;
  }

  /** Opens a socket and waits for its welcome and, for somebody who speaks, for `you`; or until it is turned away. */
  async open(hello: HelloFrame | undefined, seen: Seen | undefined): Promise<Client> {
    const cursor = seen ? `&after=${seen.cursor}&epoch=${seen.epoch}` : "";
    const response = await exports.default.fetch(`${ORIGIN}/api/rooms/${this.id}/ws?knows=erasure${cursor}`, {
      headers: { upgrade: "websocket", "cf-connecting-ip": this.address },
    });
    if (!response.webSocket) throw new Error(`No socket: ${response.status} ${await response.text()}`);
    const client = new Client(response.webSocket, seen);
    await client.until("its welcome", () => client.welcomed || client.closeCode !== undefined);
    if (!hello || !client.welcomed) return client;
    client.transmit(hello);
    await client.until("its name", () => client.sender !== undefined);
    return client;
  }

  /** The status of a request for the newest messages. */
  async readStatus(): Promise<number> {
    const response = await exports.default.fetch(`${ORIGIN}/api/rooms/${this.id}/messages`);
    await response.body?.cancel();
    return response.status;
  }

  /** The whole log over HTTP. */
  async read(): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      const path = `/api/rooms/${this.id}/messages?after=${messages.at(-1)?.seq ?? 0}&limit=7`;
      const page = await this.#get<{ messages: Message[]; more: boolean }>(path);
      messages.push(...page.messages);
      if (!page.more) return messages;
    }
  }

  /** The owner erases everything by `sender`. The status of the answer. */
  async erase(sender: string): Promise<number> {
    const path = `/api/rooms/${this.id}/messages?sender=${encodeURIComponent(sender)}`;
    const headers = { authorization: `Bearer ${this.keys.owner}`, "cf-connecting-ip": this.address };
    const response = await exports.default.fetch(ORIGIN + path, { method: "DELETE", headers });
    await response.body?.cancel();
    return response.status;
  }

  /** One page backwards, as a reader scrolls. */
  async readBefore(seq: number): Promise<Message[]> {
    return (await this.#get<{ messages: Message[] }>(`/api/rooms/${this.id}/messages?before=${seq}&limit=7`)).messages;
  }

  /** What D1 has of the room. */
  async archived(): Promise<Entry[]> {
    const messages = await archived(this.id);
    // What has closed an ask stands in the entry that has.
    const closings = new Map<number | null, AskClosed>();
    for (const message of messages.toReversed()) {
      const closed = closingBy(message);
      if (closed) closings.set(message.ref, closed);
    }
    return messages.map((message, index) => {
      if (message.seq !== index + 1) throw new Error(`D1 has seq ${message.seq} in place ${index + 1}.`);
      const closed = isLiveAsk(message) ? closings.get(message.seq) : undefined;
      return toEntry(toMessage({ ...message, ...(closed && { closed }) }));
    });
  }

  /** Rings the room's alarm at the time of its next copy. */
  ring(): Promise<void> {
    return archive(this.id);
  }

  /** Rings until D1 has everything. One ring is not always enough: it may find a copy under way that began while D1 was away. */
  async catchUp(head: number): Promise<void> {
    const rung = async () => {
      await this.ring();
      return (await this.archived()).length;
    };
    await expect.poll(rung, { interval: 5 }).toBeGreaterThanOrEqual(head);
  }

  /** Puts the room to sleep; its sockets stay. */
  async sleep(): Promise<void> {
    // An object that nobody has spoken to since the last crash does not run, and can't be put to sleep.
    await this.#stub.expel("nobody", undefined);
    await evict(this.#stub);
  }

  /** Ends every object at once. All sockets are lost. */
  async crash(): Promise<void> {
    await abortAllDurableObjects();
  }

  /** Loses everything that the room's object has stored, and its sockets. */
  async loseStorage(): Promise<void> {
    await runInDurableObject(this.#stub, async (_, state) => {
      await state.storage.deleteAlarm();
      await state.storage.deleteAll();
    });
    await this.crash();
  }

  /** Sets D1 back to the time when it had the room's messages up to `seq`. */
  async setBack(seq: number): Promise<void> {
    const kept = (await archived(this.id)).filter((message) => message.seq <= seq);
    await this.#forget();
    await savePacks(this.id, kept);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM room_state WHERE room_id = ?").bind(this.id),
      env.DB.prepare("UPDATE rooms SET last_seq = MIN(last_seq, ?2), copied_at = 0 WHERE id = ?1").bind(this.id, seq),
    ]);
  }

  /** The time of the ask `seq` is over, and the room, which was asleep, looks at its clock. */
  async endTime(seq: number): Promise<void> {
    await runInDurableObject(this.#stub, (_, { storage }) => {
      storage.sql.exec("UPDATE open_asks SET until = 1 WHERE seq = ?", seq);
    });
    await evict(this.#stub);
    await runDurableObjectAlarm(this.#stub);
  }

  /** Puts everything that D1 has into the form that it had before there were packs. */
  async unpack(): Promise<void> {
    const rows = (await archived(this.id)).map(({ at, ...row }) => ({ ...row, at: new Date(at).toISOString() }));
    await this.#forget();
    const insert = `INSERT INTO messages (room_id, seq, id, kind, sender, content, ref, created_at)
      SELECT ?1, value ->> 'seq', value ->> 'id', value ->> 'kind', value ->> 'sender', value ->> 'content',
        value ->> 'ref', value ->> 'at' FROM json_each(?2)`;
    await env.DB.prepare(insert).bind(this.id, JSON.stringify(rows)).run();
  }

  async #forget(): Promise<void> {
    const tables = ["messages", "packs"].map((table) => `DELETE FROM ${table} WHERE room_id = ?`);
    await env.DB.batch(tables.map((query) => env.DB.prepare(query).bind(this.id)));
  }

  /** Lets the room's own storage refuse every new message. */
  async fillDisk(): Promise<void> {
    await runInDurableObject(this.#stub, (_, { storage }) => {
      storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END");
    });
  }

  async clearDisk(): Promise<void> {
    await runInDurableObject(this.#stub, (_, { storage }) => {
      storage.sql.exec("DROP TRIGGER full");
    });
  }

  /** Takes D1's packs away, so that every statement about them fails. */
  async breakD1(): Promise<void> {
    await env.DB.exec("ALTER TABLE packs RENAME TO packs_away");
  }

  async mendD1(): Promise<void> {
    await env.DB.exec("ALTER TABLE packs_away RENAME TO packs");
  }

  get #stub() {
    return env.CHAT_ROOM.getByName(this.id);
  }

  async #get<T>(path: string): Promise<T> {
    // From an address of its own each time: how much one may look up is another test's subject.
    const address = `2001:db8:${lookups >> 16}:${(lookups++ & 0xffff).toString(16)}::1`;
    const response = await exports.default.fetch(ORIGIN + path, { headers: { "cf-connecting-ip": address } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

let lookups = 0;

/** What somebody has seen of a room, over any number of connections, from their first welcome on. */
export interface Seen {
  epoch: string;
  /** Everything after this seq. */
  readonly after: number;
  cursor: number;
  readonly entries: Entry[];
}

/** One connection. */
export class Client {
  readonly #socket: WebSocket;
  #seen: Seen | undefined;
  readonly answers = new Map<string, Answer[]>();
  readonly drafts = new Map<string, string>();
  readonly people = new Set<string>();
  spectators = 0;
  sender: string | undefined;
  /** The last error that was about no id. */
  complaint: ErrorCode | undefined;
  /** Whether the welcome could not take up the cursor. */
  reset = false;
  welcomed = false;
  /** With which code the room has closed it; `undefined` while it is open. */
  closeCode: number | undefined;
  #fault: Error | undefined;
  #wake: () => void = () => undefined;
  #isGivenUp = false;

  constructor(socket: WebSocket, seen: Seen | undefined) {
    this.#socket = socket;
    this.#seen = seen;
    socket.addEventListener("message", ({ data }) => {
      // What a connection that was given up still delivers comes again over the next one.
      if (this.#isGivenUp) return;
      try {
        this.#hear(JSON.parse(String(data)) as ServerFrame);
      } catch (error) {
        this.#fault ??= error as Error;
      }
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closeCode = code;
      this.#wake();
    });
    socket.accept();
  }

  get seen(): Seen {
    if (!this.#seen) throw new Error("Not welcomed yet.");
    return this.#seen;
  }

  get name(): string {
    return this.sender ?? "somebody without a name";
  }

  transmit(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.#isGivenUp = true;
    this.#socket.close(1000, "goodbye");
  }

  /** Waits until `condition` holds; it is looked at after each frame. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!condition()) {
      if (this.#fault) throw this.#fault;
      if (this.closeCode !== undefined) throw new Error(`${this.name} was closed with ${this.closeCode}`);
      if (Date.now() >= end) throw new Error(`${this.name} waits in vain for ${what}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, PATIENCE);
      });
    }
    if (this.#fault) throw this.#fault;
  }

  #hear(frame: ServerFrame): void {
    if (frame.type === "welcome") this.#enter(frame);
    else if (frame.type === "you") this.sender = frame.sender;
    else if (frame.type === "ack") this.#answer(frame.id, { ack: frame.seq });
    else if (frame.type === "error" && frame.id !== undefined) this.#answer(frame.id, { error: frame.code });
    else if (frame.type === "error") this.complaint = frame.code;
    else if (frame.type === "update") {
      for (const message of frame.messages ?? []) this.#take(message);
      for (const sender of frame.presence?.joined ?? []) this.people.add(sender);
      for (const sender of frame.presence?.left ?? []) this.people.delete(sender);
      this.spectators = frame.presence?.spectators ?? this.spectators;
      for (const draft of frame.drafts ?? []) {
        const key = `${draft.sender} ${draft.id}`;
        if ("end" in draft) this.drafts.delete(key);
        else this.drafts.set(key, (this.drafts.get(key) ?? "") + draft.append);
      }
    }
  }

  #enter(welcome: WelcomeFrame): void {
    this.welcomed = true;
    this.reset = welcome.reset === true;
    if (!this.#seen || this.reset) {
      const after = welcome.messages[0] ? welcome.messages[0].seq - 1 : welcome.head;
      this.#seen = { epoch: welcome.epoch, after, cursor: after, entries: [] };
    } else if (this.#seen.epoch !== welcome.epoch) throw new Error("The epoch has changed without a reset.");
    for (const message of welcome.messages) this.#take(message);
    for (const sender of welcome.presence.people) this.people.add(sender);
    this.spectators = welcome.presence.spectators;
    for (const draft of welcome.drafts)
      if ("append" in draft) this.drafts.set(`${draft.sender} ${draft.id}`, draft.append);
  }

  #take(message: Message): void {
    const { seen } = this;
    if (message.seq !== seen.cursor + 1) throw new Error(`Seq ${message.seq} follows ${seen.cursor}.`);
    seen.cursor = message.seq;
    seen.entries.push(toEntry(message));
    const target = message.target === undefined ? undefined : seen.entries[message.target - seen.after - 1];
    if (target) empty(target);
    this.#close(message);
    if (message.erased !== undefined) this.#erase(message.erased, message.upTo ?? 0);
    if (message.sender === this.sender && message.kind === "text") this.#answer(message.id, { ack: message.seq });
    this.drafts.delete(`${message.sender} ${message.id}`);
  }

  /** What a client does with an answer, and with the end of an ask. */
  #close({ kind, seq, sender, answer, replyTo }: Message): void {
    const asked = answer?.target ?? (kind === "expiry" ? replyTo : undefined);
    const entry = asked === undefined ? undefined : this.seen.entries[asked - this.seen.after - 1];
    if (entry?.ask) entry.ask = answer ? { option: answer.option, by: sender, seq } : { expired: true, seq };
  }

  /** What a client does with an erasure, in the plainest form. */
  #erase(erased: string, upTo: number): void {
    for (const [index, entry] of this.seen.entries.entries()) {
      const seq = this.seen.after + index + 1;
      const { ask } = entry;
      if (typeof ask === "object" && ask.seq <= upTo) forget(entry, erased);
      if (seq > upTo || (entry.sender !== erased && !entry.sender.startsWith(`${erased}/`))) continue;
      entry.sender = "";
      if (entry.kind !== "text") continue;
      entry.id = `erased:${seq}`;
      empty(entry);
    }
  }

  #answer(id: string, answer: Answer): void {
    const answers = this.answers.get(id);
    if (answers) answers.push(answer);
    else this.answers.set(id, [answer]);
  }
}

/** What of a message the model knows. */
export function toEntry({ id, kind, sender, content, target, upTo, ask, answer }: Message): Entry {
  return {
    id: kind === "erasure" ? ERASURE : id,
    kind,
    sender,
    content,
    ...(target !== undefined && { target }),
    ...(upTo !== undefined && { upTo }),
    ...(ask && { ask: ask.closed ?? "open" }),
    ...(answer && { answer }),
  };
}

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const newKey = (): string => `mai_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;

const randomHex = (): string => crypto.randomUUID().slice(0, 4);
