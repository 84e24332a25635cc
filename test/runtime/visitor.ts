/**
 * Somebody who speaks to the Worker as anybody on the internet does: over HTTP and sockets, from an address of their
 * own, so that no test uses up another's quota. And the rooms that they make, one for each test.
 */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, onTestFinished, vi } from "vitest";
import { Copier } from "../../party/archive/copier.ts";
import { archivedBefore } from "../../party/archive/d1-packs.ts";
import { firstOf, pack } from "../../party/archive/pack.ts";
import type { ChatRoom } from "../../party/chat-room.ts";
import { RoomLog } from "../../party/log/room-log.ts";
import type { Database } from "../../party/log/sql.ts";
import type { StoredMessage } from "../../party/log/stored-message.ts";
import type { ClientFrame, ErrorCode, Message, ServerFrame, UpdateFrame, WelcomeFrame } from "../../party/protocol.ts";
import { RoomStorage } from "../../party/storage/room-storage.ts";

export const ORIGIN = "https://meet.example";

/** Whoever waits longer waits for something that does not come, ms: on a busy machine everything takes its time. */
const PATIENCE = 60_000;

let visitors = 0;

export class Visitor {
  readonly address: string;
  key: string | undefined;
  handle = "";

  /** The secret by which they are the same guest everywhere. */
  get guest(): string {
    return `guest-${this.address}`.padEnd(22, "x").replaceAll(/[.:]/g, "-");
  }

  /** From an `address` that nobody else has, unless a test wants to know what becomes of a certain one. */
  constructor(address?: string) {
    visitors++;
    this.address = address ?? `10.${visitors >> 16}.${(visitors >> 8) & 255}.${visitors & 255}`;
  }

  /** Somebody with a key, made as anybody makes one. */
  static async withKey(): Promise<Visitor> {
    const visitor = new Visitor();
    const { key, handle } = await visitor.json<{ key: string; handle: string }>("/api/keys", { method: "POST" });
    visitor.key = key;
    visitor.handle = handle;
    return visitor;
  }

  /** Calls `path`; what is not given is as a simple client has it. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cf-connecting-ip", this.address);
    if (this.key !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${this.key}`);
    return exports.default.fetch(ORIGIN + path, { redirect: "manual", ...init, headers });
  }

  /** Sends `body` as JSON. */
  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  /** The JSON of an answer that must be a good one. */
  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, init);
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Opens a socket; `path` is the room's usual address unless it says otherwise. */
  async connect(room: string, options: { query?: string; path?: string; headers?: HeadersInit } = {}): Promise<Line> {
    const { query = "", path = `/api/rooms/${room}/ws`, headers } = options;
    // Over a socket a key goes into the first frame, unless a test wants to see it on the upgrade.
    const upgrade = new Headers(headers);
    upgrade.set("upgrade", "websocket");
    upgrade.set("cf-connecting-ip", this.address);
    const response = await exports.default.fetch(ORIGIN + path + query, { headers: upgrade });
    if (!response.webSocket) throw new Error(`No socket: ${response.status} ${await response.text()}`);
    return new Line(response.webSocket);
  }

  /** Opens a socket, and says hello with the key, or as a guest without one: at once where the room asks for it. */
  async enter(room: string, as?: string): Promise<Line> {
    const line = await this.connect(room);
    await line.first();
    if (this.key === undefined) line.send({ type: "hello", guest: this.guest });
    else line.send({ type: "hello", key: this.key, ...(as !== undefined && { as }) });
    await line.next("you");
    return line;
  }
}

/** A room of `owner`, made as anybody makes one. */
export async function makeRoom(owner: Visitor, settings: Record<string, unknown> = {}): Promise<string> {
  const response = await owner.send("POST", "/api/rooms", { name: "Den" });
  if (response.status !== 201) throw new Error(`No room: ${response.status} ${await response.text()}`);
  const { id } = await response.json<{ id: string }>();
  if (Object.keys(settings).length > 0) {
    const settled = await owner.send("PATCH", `/api/rooms/${id}`, settings);
    if (!settled.ok) throw new Error(`Not settled: ${settled.status} ${await settled.text()}`);
  }
  return id;
}

/** Makes `member` a member of a room of `owner`, or what `role` says. */
export async function admit(owner: Visitor, room: string, member: Visitor, role = "member"): Promise<void> {
  await expectStatus(await owner.send("PUT", `/api/rooms/${room}/members/${member.handle}`, { role }), 200);
}

/** An owner with a room. */
export async function ownerWithRoom(settings: Record<string, unknown> = {}): Promise<{ owner: Visitor; room: string }> {
  const owner = await Visitor.withKey();
  return { owner, room: await makeRoom(owner, settings) };
}

/** A room in which much was said, without the time that it takes to say it: written into D1 and into its own log. */
export async function longRoom(count: number, content = "line") {
  const { owner, room } = await ownerWithRoom();
  const messages = Array.from({ length: count }, (_, index) => {
    return { id: `m${index + 1}`, kind: "text" as const, sender: "swift-otter", content, ref: null };
  });
  const at = Date.parse("2026-11-24T12:00:00.000Z");
  await savePacks(
    room,
    messages.map((message, index) => ({ ...message, seq: index + 1, at })),
  );
  // So that the object knows which room it is, and has begun its log.
  await owner.json(`/api/rooms/${room}`);
  const epoch = await withLog(room, (log) => {
    log.append(messages, at);
    log.markCopied(count, log.revision);
    return log.epoch;
  });
  await env.DB.prepare("UPDATE rooms SET last_seq = ?, epoch = ? WHERE id = ?").bind(count, epoch, room).run();
  return { owner, room };
}

/** Does something to the log of a room's object, which then wakes anew: what it had in memory is older than its log now. */
export async function withLog<T>(room: string, work: (log: RoomLog) => T): Promise<T> {
  const result = await runInDurableObject(stubOf(room), (_, { storage }) => {
    const disk = { sql: storage.sql, transaction: <R>(work: () => R) => storage.transactionSync(work) };
    return work(new RoomLog(new RoomStorage(disk)));
  });
  await evict(stubOf(room));
  return result;
}

/** The contents of what a room's own storage has of its messages; none where it has no log. */
export function kept(room: string): Promise<string[]> {
  return runInDurableObject(stubOf(room), (_, { storage: { sql } }) => {
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'messages'").toArray().length === 0) return [];
    const rows = sql.exec<{ content: string }>("SELECT content FROM messages ORDER BY seq").toArray();
    return rows.map(({ content }) => content);
  });
}

/** As when the room's object had never been. */
export async function loseStorage(room: string): Promise<void> {
  await runInDurableObject(stubOf(room), async (_, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
  });
  await evict(stubOf(room), { webSockets: "close" });
}

/** Puts `messages` into D1, which has had nothing of the room. */
export async function savePacks(room: string, messages: readonly StoredMessage[]): Promise<void> {
  const insert = env.DB.prepare("INSERT INTO packs (room_id, first, revision, form, body) VALUES (?, ?, ?, 1, ?)");
  const packs = Map.groupBy(messages, ({ seq }) => firstOf(seq));
  const statements = [...packs].map(async ([first, some]) => {
    return insert.bind(room, first, some.at(-1)?.seq, await pack(some));
  });
  if (statements.length > 0) await env.DB.batch(await Promise.all(statements));
}

export const stubOf = (room: string) => env.CHAT_ROOM.getByName(room);

/** How often it is tried to put an object to sleep. The runtime waits for a second each time. */
const EVICTIONS = 60;

/** Puts an object to sleep, once it has ended what it does: the runtime by itself waits for that no longer than a second. */
export async function evict(...asked: Parameters<typeof evictDurableObject>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await evictDurableObject(...asked);
      return;
    } catch (error) {
      if (tries === EVICTIONS || !String(error).includes("Timed out waiting to evict")) throw error;
    }
  }
}

/** Rings the room's alarm: once there is one, as it may be ringing by itself just now, after which the next one is set. */
export async function ring(room: string): Promise<void> {
  await expect.poll(() => runDurableObjectAlarm(stubOf(room))).toBe(true);
}

/**
 * For the rest of a test no time passes but what it says itself: however slow the machine is, budgets give nothing back
 * meanwhile, and no window or lease ends.
 */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
}

/** When the room's alarm rings, ms since 1970; `null` while there is none, as in the moment in which it rings by itself. */
export const alarmOf = (room: string): Promise<number | null> =>
  runInDurableObject(stubOf(room), (_, { storage }) => storage.getAlarm());

/**
 * Has the room copy to D1 now rather than later: as when its alarm rings at that time. A copy that is under way is waited
 * for, however long it takes.
 */
export async function archive(room: string): Promise<void> {
  await runInDurableObject(stubOf(room), async (object: ChatRoom, { storage }) => {
    const due = vi.spyOn(Copier.prototype, "due", "get").mockImplementation(function (this: Copier) {
      return this.isBehind ? 0 : undefined;
    });
    const runs = vi.spyOn(Copier.prototype, "run");
    await storage.deleteAlarm();
    await object.alarm();
    due.mockRestore();
    await Promise.all(runs.mock.results.map(({ value }) => value));
    runs.mockRestore();
  });
}

/** What D1 has of a room, in packs and in rows of the older form. */
export async function archived(room: string): Promise<StoredMessage[]> {
  let messages: StoredMessage[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; before > 1; ) {
    const older = await archivedBefore(env.DB as Database, room, before);
    messages = [...older.messages, ...messages];
    before = older.from;
  }
  return messages;
}

/** What D1 has of a part of `room`; nothing where it has none. */
export async function copiedState<Item = Record<string, unknown>>(room: string, part: string): Promise<Item[]> {
  const query = env.DB.prepare("SELECT body FROM room_state WHERE room_id = ? AND part = ?").bind(room, part);
  return JSON.parse((await query.first<string>("body")) ?? "[]") as Item[];
}

/**
 * Does `work` while D1 has no such table, so that every statement about it fails. What the server then logs is as it
 * should be, and no news.
 */
export async function without<T>(table: "api_keys" | "rooms" | "packs" | "notice", work: () => Promise<T>): Promise<T> {
  const logs = (["error", "warn"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => undefined),
  );
  await env.DB.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  try {
    return await work();
  } finally {
    await env.DB.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`);
    for (const log of logs) log.mockRestore();
  }
}

/** Fails, with what the answer says, unless it has the status `wanted`. */
export async function expectStatus(response: Response, wanted: number): Promise<void> {
  const { status } = response;
  expect(status === wanted ? `${status}` : `${status} ${await response.clone().text()}`).toBe(`${wanted}`);
}

/** The refusal in an answer: its status and code. Its form is the one that all have. */
export async function refusalOf(response: Response): Promise<[status: number, code: string]> {
  const { error, seq, ...rest } = await response.json<{ error: { code: ErrorCode; message: string }; seq?: number }>();
  const { code, message, ...more } = error;
  if (seq !== undefined && code !== "conflict") throw new Error(`A seq with ${code}.`);
  if (Object.keys({ ...rest, ...more }).length > 0 || typeof message !== "string" || /\bat .+:\d+/.test(message)) {
    throw new Error(`Not the form of an error: ${JSON.stringify({ error, ...rest })}`);
  }
  return [response.status, code];
}

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

/** One connection: keeps what comes until somebody asks for it, and answers checks unless it is slow. */
export class Line {
  /** Leaves each `check` to the test. */
  isSlow = false;
  /** What was passed over, oldest first. */
  readonly passed: ServerFrame[] = [];
  /** The numbers of all checks that have come. */
  readonly checks: number[] = [];
  readonly #socket: WebSocket;
  /** What has come and has not been asked for. */
  readonly #frames: (ServerFrame | string)[] = [];
  #closed: { code: number; reason: string } | undefined;
  /** Those who wait, several perhaps. */
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const text = String(data);
      const frame = text.startsWith("{") ? (JSON.parse(text) as ServerFrame) : text;
      if (typeof frame !== "string" && frame.type === "check") this.checks.push(frame.n);
      const asks = typeof frame !== "string" && frame.type === "check";
      // A closed one still hears what was on its way.
      const answers = !this.isSlow && socket.readyState === WebSocket.OPEN;
      if (asks && answers) this.send({ type: "read", n: frame.n });
      else this.#frames.push(frame);
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.#closed = { code, reason };
      this.#wake();
    });
    socket.accept();
  }

  /** The frames that have come and were not asked for. */
  get unread(): ServerFrame[] {
    return this.#frames.filter((frame) => typeof frame !== "string");
  }

  /** Sends a frame; a string or bytes as they are. */
  send(frame: ClientFrame | string | ArrayBuffer): void {
    const raw = typeof frame === "string" || frame instanceof ArrayBuffer;
    this.#socket.send(raw ? frame : JSON.stringify(frame));
  }

  say(id: string, content = `says ${id}`, replyTo?: number): void {
    this.send({ type: "send", id, content, ...(replyTo !== undefined && { replyTo }) });
  }

  /** What the room says first. */
  async first(): Promise<ServerFrame> {
    const isFrame = (frame: ServerFrame | string) => typeof frame !== "string";
    await this.#until("a frame", () => this.#frames.some(isFrame));
    return this.#frames.splice(0, this.#frames.findIndex(isFrame) + 1).at(-1) as ServerFrame;
  }

  welcome(): Promise<WelcomeFrame> {
    return this.next("welcome");
  }

  /** The next frame of a type that `which` holds for. Frames before it are passed over. */
  async next<Type extends ServerFrame["type"]>(
    type: Type,
    which: (frame: FrameOf<Type>) => boolean = () => true,
  ): Promise<FrameOf<Type>> {
    const isIt = (frame: ServerFrame | string) =>
      typeof frame !== "string" && frame.type === type && which(frame as FrameOf<Type>);
    await this.#until(`a frame ${type}`, () => this.#frames.some(isIt));
    const taken = this.#frames.splice(0, this.#frames.findIndex(isIt) + 1);
    this.passed.push(...taken.filter((frame) => typeof frame !== "string"));
    return taken.at(-1) as FrameOf<Type>;
  }

  /** The next bare text. */
  async nextText(): Promise<string> {
    const isText = (frame: ServerFrame | string) => typeof frame === "string";
    await this.#until("a bare text", () => this.#frames.some(isText));
    return this.#frames.splice(0, this.#frames.findIndex(isText) + 1).at(-1) as string;
  }

  /** The next messages that are new, over as many updates as they come in. */
  async messages(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) messages.push(...((await this.#newMessages()).messages ?? []));
    return messages;
  }

  /** With which code it was closed, as soon as it is. */
  async closeCode(): Promise<number> {
    await this.#until("its end", () => this.#closed !== undefined);
    return this.#closed?.code as number;
  }

  close(code = 1000): void {
    this.#socket.close(code, "goodbye");
  }

  #newMessages(): Promise<UpdateFrame> {
    return this.next("update", ({ messages }) => messages !== undefined);
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const timeout = AbortSignal.timeout(PATIENCE);
    while (!holds()) {
      if (timeout.aborted) throw new Error(`${what} did not come. There is ${JSON.stringify(this.#frames)}`);
      if (this.#closed && what !== "its end") {
        throw new Error(`Closed with ${this.#closed.code} before ${what}. There is ${JSON.stringify(this.#frames)}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        timeout.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
