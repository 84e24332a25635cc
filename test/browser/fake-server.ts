/**
 * A server for component tests: stands in for `WebSocket` and `fetch` in the page, keeps rooms in memory, and does what
 * a test tells it to do wrong. What the real server does is tested against the real server (`test/processes/`).
 */

import type {
  Answer,
  Ask,
  ClientFrame,
  DraftChange,
  HelloFrame,
  Message,
  Names,
  Presence,
  PresenceChange,
  Role,
  RoomInfo,
  ServerFrame,
} from "../../party/protocol.ts";
import { CLOSE, PING, PONG, PROTOCOL_VERSION, READING, takesSender } from "../../party/protocol.ts";

/** What the server does with a `send`: keep it, refuse it, or let it wait. */
type Verdict =
  | { code: "rate_limited" | "unavailable" | "muted" | "read_only" | "invalid" | "held"; retryAfter?: number }
  | "keep"
  | "silence";

export class FakeServer {
  readonly rooms = new Map<string, FakeRoom>();
  /** Every URL that was fetched. */
  readonly fetched: string[] = [];
  readonly #realWebSocket = globalThis.WebSocket;
  readonly #realFetch = globalThis.fetch;

  /** Takes over the page's network, as far as rooms go. */
  install(): this {
    const server = this;
    globalThis.WebSocket = class extends FakeSocket {
      constructor(url: string | URL) {
        super(String(url), server);
      }
    } as unknown as typeof WebSocket;
    globalThis.fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input, location.href);
      if (!url.pathname.startsWith("/api/")) return this.#realFetch(input, init);
      this.fetched.push(url.href);
      return this.#answer(url, init);
    };
    return this;
  }

  uninstall(): void {
    globalThis.WebSocket = this.#realWebSocket;
    globalThis.fetch = this.#realFetch;
    for (const room of this.rooms.values()) room.drop();
  }

  /** The room `id`, made if there is none. */
  room(id: string): FakeRoom {
    let room = this.rooms.get(id);
    if (!room) {
      room = new FakeRoom(id);
      this.rooms.set(id, room);
    }
    return room;
  }

  async #answer(url: URL, init: RequestInit = {}): Promise<Response> {
    const [, , , id = "", what] = url.pathname.split("/");
    const room = this.rooms.get(id);
    if (!room) return Response.json({ error: { code: "not_found", message: "" } }, { status: 404 });
    if (what === undefined) return Response.json({ ...room.info, createdBy: room.createdBy });
    if (what === "join") return room.answerJoin(JSON.parse(String(init.body)));
    if (what === "members") {
      return Response.json({ members: room.moderators.map((sender) => ({ sender, role: "moderator" })), next: null });
    }
    if (what === "mutes") return room.answerMute(url, init);
    if (what === "held" || what === "moderation") return room.answerModerator(url, init);
    if (init.method === "DELETE") return room.answerErasure(url, init);
    if (room.pagesFail) throw new TypeError("Failed to fetch");
    await room.pagesHeldUntil;
    const limit = Number(url.searchParams.get("limit") ?? READING.welcome);
    const before = Number(url.searchParams.get("before") ?? Number.POSITIVE_INFINITY);
    const after = url.searchParams.get("after");
    const messages =
      after === null
        ? room.log.filter(({ seq }) => seq < before).slice(-limit)
        : room.log.filter(({ seq }) => seq > Number(after)).slice(0, limit);
    return Response.json({ messages, head: room.log.length, epoch: room.epoch, more: false });
  }
}

export class FakeRoom {
  readonly info: RoomInfo;
  readonly log: Message[] = [];
  readonly sockets = new Set<FakeSocket>();
  readonly received: ClientFrame[] = [];
  people: string[] = [];
  spectators = 0;
  /** How agents hear. */
  agents: Presence["agents"];
  /** Agents of which who mentions them is told that they do not hear. */
  deaf: string[] = [];
  drafts: DraftChange[] = [];
  /** What sites call their users: told with each frame. */
  names: Names | undefined;
  epoch = "epoch-1";
  /** Whether connections succeed. */
  online = true;
  pagesFail = false;
  /** Pages that are asked for come only then. */
  pagesHeldUntil: Promise<void> | undefined;
  judge: (content: string) => Verdict = () => "keep";
  owner = false;
  /** What the person is here, where they are not its owner. */
  role: Role | undefined;
  /** The only ones who may read, where it is not everybody. */
  members: Set<string> | undefined;
  /** Whose the room is, and who moderates it, as those hear who ask. */
  createdBy: string | null = null;
  moderators: string[] = [];
  /** Secrets that make a member of one person more. */
  readonly invites = new Set<string>();
  handle = "~brisk-lynx-4f2a9c";
  /** Who is muted, until when; `null`: forever. */
  readonly mutes = new Map<string, string | null>();
  /** Of these the address, too. */
  readonly mutedAddresses = new Set<string>();
  /** What waits for a moderator. */
  readonly held = new Map<string, { messageId: string; sender: string; content: string; at: string }>();
  /** What moderators have done, newest first. */
  readonly deeds: { id: number; at: string; by: string; deed: string; target?: string; role?: string }[] = [];
  /** The key of which the room is. */
  key = "";
  /** Sent instead of a welcome. */
  refuseWith: number | undefined;
  #start = Date.parse("2026-11-20T09:00:00.000Z");

  constructor(id: string) {
    this.info = {
      id,
      name: id[0]?.toUpperCase() + id.slice(1),
      topic: "",
      guests: "write",
      loopGuard: 0,
      agentsPaused: false,
    };
  }

  /** Puts messages into the log and tells nobody: what was said before. */
  fill(count: number, make: (index: number) => Partial<Message> = () => ({})): this {
    for (let index = 0; index < count; index++) this.#push(make(index));
    return this;
  }

  /** Somebody says something. */
  say(sender: string, content: string, more: Partial<Message> = {}): Message {
    const message = this.#push({ sender, content, ...more });
    this.update({ messages: [message] });
    return message;
  }

  /** Many messages in one frame. */
  sayAll(messages: Partial<Message>[]): void {
    this.update({ messages: messages.map((message) => this.#push(message)) });
  }

  /** Somebody asks people. An option of one word is id and label. */
  ask(
    sender: string,
    question: string,
    options: readonly (string | Ask["options"][number])[],
    more: Partial<Ask> = {},
  ) {
    const terms: Ask = {
      options: options.map((option) =>
        typeof option === "string" ? { id: option.toLowerCase(), label: option } : option,
      ),
      from: "people",
      until: new Date(Date.now() + 3 * 3_600_000).toISOString(),
      ...more,
    };
    return this.say(sender, question, { ask: terms });
  }

  /** Somebody answers an ask: the first one closes it. */
  answer(sender: string, { target, option }: Answer, id?: string): Message {
    const label = this.#askAt(target).options.find((one) => one.id === option)?.label ?? "";
    const answer = this.say(sender, label, { replyTo: target, answer: { target, option }, ...(id && { id }) });
    this.#close(target, { seq: answer.seq, option, by: sender });
    return answer;
  }

  /** Nobody has answered an ask in time. */
  expire(target: number): void {
    const { seq } = this.say(this.log[target - 1]?.sender ?? "", "", { kind: "expiry", replyTo: target });
    this.#close(target, { seq, expired: true });
  }

  erase(seq: number): void {
    const message = this.log[seq - 1] as Message;
    Object.assign(message, { content: "", deleted: true });
    delete message.ask;
    this.say(message.sender, "", { kind: "deletion", target: seq });
  }

  update(update: { messages?: Message[]; presence?: PresenceChange; drafts?: DraftChange[]; room?: RoomInfo }): void {
    this.broadcast({ type: "update", ...update, ...(this.names && { names: this.names }) });
  }

  broadcast(frame: ServerFrame): void {
    for (const socket of this.sockets) socket.deliver(frame);
  }

  /** Cuts every connection. */
  drop(code = 1006): void {
    for (const socket of [...this.sockets]) socket.shut(code);
  }

  get welcome(): ServerFrame {
    return {
      type: "welcome",
      ...(this.names && { names: this.names }),
      protocol: PROTOCOL_VERSION,
      room: this.info,
      epoch: this.epoch,
      head: this.log.length,
      messages: this.log.slice(-READING.welcome),
      presence: { people: this.people, spectators: this.spectators, ...(this.agents && { agents: this.agents }) },
      drafts: this.drafts,
    };
  }

  /** The place of a guest becomes the key's. */
  answerJoin({ invite, guest }: { invite?: string; guest?: string }): Response {
    if (!invite || !guest || !this.members?.delete(this.handle)) return new Response("{}", { status: 409 });
    this.members.add("swift-otter");
    return Response.json({ sender: "swift-otter", role: "member" });
  }

  /** Keeps a message for a moderator. */
  hold(sender: string, content: string, messageId = `h${this.held.size}`): void {
    this.held.set(`held-${messageId}`, { messageId, sender, content, at: new Date().toISOString() });
    this.broadcast({ type: "held", waiting: this.held.size });
  }

  /** Whether a request comes with the key of which the room is. */
  #isByKey({ headers }: RequestInit): boolean {
    return new Headers(headers).get("authorization") === `Bearer ${this.key}`;
  }

  answerModerator(url: URL, init: RequestInit): Response {
    const [, , , , what, id = "", verdict] = url.pathname.split("/");
    const held = Array.from(this.held, ([id, held]) => ({ id, ...held }));
    if (what === "held" && id === "" && new Headers(init.headers).get("authorization")?.startsWith("Guest ")) {
      return Response.json({ held: held.filter(({ sender }) => sender === this.handle) });
    }
    if (!this.#isByKey(init)) return new Response("{}", { status: 403 });
    if (what === "moderation") return Response.json(this.#deedsBefore(Number(url.searchParams.get("cursor"))));
    const one = this.held.get(id);
    if (!one) return Response.json({ held });
    this.held.delete(id);
    if (verdict === "approve") this.say(one.sender, one.content, { id: one.messageId });
    else this.broadcast({ type: "error", code: "forbidden", message: "Refused.", about: "send", id: one.messageId });
    this.deeds.unshift({
      id: this.deeds.length + 1,
      at: new Date().toISOString(),
      by: "swift-otter",
      deed: String(verdict),
      target: one.sender,
    });
    this.broadcast({ type: "held", waiting: this.held.size });
    return new Response(null, { status: 204 });
  }

  /** A page of what was done, before the deed of this id, or of the newest. */
  #deedsBefore(cursor: number) {
    const older = this.deeds.filter(({ id }) => cursor === 0 || id < cursor);
    const entries = older.slice(0, 20);
    return { entries, next: older.length > entries.length ? entries.at(-1)?.id : null };
  }

  answerErasure(url: URL, init: RequestInit): Response {
    const erased = url.searchParams.get("sender") ?? "";
    if (!this.#isByKey(init)) return new Response("{}", { status: 403 });
    const upTo = this.log.length;
    for (const message of this.log) {
      if (takesSender(erased, message.sender)) Object.assign(message, { sender: "", content: "", deleted: true });
    }
    this.say("swift-otter", "", { kind: "erasure", erased, upTo });
    return Response.json({ pending: 0 });
  }

  answerMute(url: URL, init: RequestInit): Response {
    const { method = "GET", body } = init;
    const sender = decodeURIComponent(url.pathname.split("/")[5] ?? "");
    if (!this.#isByKey(init)) return new Response("{}", { status: 403 });
    if (method === "GET") {
      return Response.json({ mutes: Array.from(this.mutes, ([sender, until]) => ({ sender, until })) });
    }
    if (method === "DELETE") {
      this.mutes.delete(sender);
      return new Response(null, { status: 204 });
    }
    const { until, address } = JSON.parse(String(body));
    this.mutes.set(sender, until);
    if (address) this.mutedAddresses.add(sender);
    return Response.json({ sender });
  }

  receive(socket: FakeSocket, frame: ClientFrame): void {
    this.received.push(frame);
    if (frame.type === "hello") {
      const quota = { limit: 5, remaining: 5, window: 60 };
      const sender = frame.key === undefined ? this.handle : `swift-otter${frame.as ? `/${frame.as}` : ""}`;
      if (!this.#admits(socket, sender, frame)) return;
      socket.sender = sender;
      socket.deliver({ type: "you", sender, owner: this.owner, ...(this.role && { role: this.role }), quota });
    } else if (frame.type === "send" && frame.answer) this.#receiveAnswer(socket, frame.id, frame.answer);
    else if (frame.type === "send") this.#receiveSend(socket, frame);
    else if (frame.type === "delete") this.erase(frame.seq);
  }

  /** Whether who says hello may read; who may is welcomed, where nobody was before. */
  #admits(socket: FakeSocket, sender: string, { invite }: HelloFrame): boolean {
    if (!this.members) return true;
    if (invite !== undefined && this.invites.delete(invite)) this.members.add(sender);
    if (this.members.has(sender)) {
      socket.deliver(this.welcome);
      return true;
    }
    socket.deliver({ type: "error", code: "forbidden", message: "You are not a member.", about: "hello" });
    socket.shut(CLOSE.forbidden);
    return false;
  }

  #receiveSend(socket: FakeSocket, { id, content, replyTo }: { id: string; content: string; replyTo?: number }): void {
    const sender = socket.sender ?? "";
    const known = this.log.find((message) => message.sender === sender && message.id === id);
    const verdict = known ? "silence" : this.judge(content);
    if (known) socket.deliver({ type: "ack", id, seq: known.seq });
    if (verdict === "silence") return;
    if (verdict === "keep") {
      const { seq } = this.say(sender, content, { id, ...(replyTo !== undefined && { replyTo }) });
      const agents = this.deaf.filter((agent) => content.includes(`@${agent}`));
      const message = `@${agents.join(", @")} is not listening here. It may read this later, or never.`;
      if (agents.length > 0) socket.deliver({ type: "unheard", id, seq, agents, message });
    } else socket.deliver({ type: "error", message: "Refused.", id, ...verdict });
  }

  #receiveAnswer(socket: FakeSocket, id: string, answer: Answer): void {
    const { options, closed } = this.#askAt(answer.target);
    const verdict = this.judge(options.find((option) => option.id === answer.option)?.label ?? "");
    if (verdict === "silence") return;
    if (closed) socket.deliver({ type: "error", code: "conflict", message: "It is answered.", id, seq: closed.seq });
    else if (verdict === "keep") this.answer(socket.sender ?? "", answer, id);
    else socket.deliver({ type: "error", message: "Refused.", id, ...verdict });
  }

  #askAt(seq: number): Ask {
    const { ask } = this.log[seq - 1] ?? {};
    if (!ask) throw new TypeError(`${seq} is no ask.`);
    return ask;
  }

  /** As later reads of the log have it. */
  #close(seq: number, closed: NonNullable<Ask["closed"]>): void {
    Object.assign(this.log[seq - 1] as Message, { ask: { ...this.#askAt(seq), closed } });
  }

  #push(given: Partial<Message>): Message {
    const seq = this.log.length + 1;
    const message: Message = {
      seq,
      id: `m${seq}`,
      kind: "text",
      sender: "swift-otter",
      content: `Message ${seq}`,
      createdAt: new Date(this.#start + seq * 20_000).toISOString(),
      ...given,
    };
    this.log.push(message);
    return message;
  }
}

class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly url: string;
  readyState: number = FakeSocket.CONNECTING;
  bufferedAmount = 0;
  binaryType = "blob";
  sender: string | undefined;
  readonly #room: FakeRoom | undefined;

  constructor(url: string, server: FakeServer) {
    super();
    this.url = url;
    this.#room = server.rooms.get(new URL(url).pathname.split("/")[3] ?? "");
    queueMicrotask(() => this.#open());
  }

  send(data: string): void {
    if (data === PING) this.dispatchEvent(new MessageEvent("message", { data: PONG }));
    else this.#room?.receive(this, JSON.parse(data));
  }

  deliver(frame: ServerFrame): void {
    if (this.readyState === FakeSocket.OPEN) {
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
    }
  }

  close(code = 1000): void {
    this.shut(code);
  }

  shut(code: number): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    this.#room?.sockets.delete(this);
    this.dispatchEvent(new CloseEvent("close", { code }));
  }

  #open(): void {
    if (this.readyState !== FakeSocket.CONNECTING) return;
    const room = this.#room;
    if (room && !room.online) {
      this.shut(1006);
      return;
    }
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event("open"));
    if (!room || room.refuseWith !== undefined) this.shut(room?.refuseWith ?? 4404);
    else this.#welcome(room);
  }

  #welcome(room: FakeRoom): void {
    room.sockets.add(this);
    if (room.members) {
      this.deliver({ type: "identify" });
      return;
    }
    const after = new URL(this.url).searchParams.get("after");
    const messages = after === null ? undefined : room.log.slice(Number(after));
    this.deliver({ ...room.welcome, ...(messages && { messages }) } as ServerFrame);
  }
}
