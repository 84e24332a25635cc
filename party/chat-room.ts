/**
 * A room: one Durable Object, the only writer of its order. The hooks say what happens when; the parts do it.
 *
 * What comes in is parsed and gathered (`batch`), asked about (`admission`), written down (`journal`) and told to
 * everybody (`audience`) in one frame, together with who has come and gone (`presence`) and what is being written
 * (`drafts`). An alarm copies the log to D1 (`archive`).
 */

import { type Connection, type ConnectionContext, Server, type WSMessage } from "partyserver";
import { Audience, type ListedSocket } from "./audience/audience.ts";
import { Drafts } from "./audience/drafts.ts";
import type { LogView } from "./audience/flow/backlog.ts";
import type { Socket, SocketState } from "./audience/socket-state.ts";
import { Updates } from "./audience/updates.ts";
import { guestSender, isGuest, type Participant, participantOf, sha256Hex } from "./identity/sender.ts";
import { DraftQuota } from "./limits/draft-quota.ts";
import { Archive, announceEpoch, archivedBefore, archivedMessage } from "./log/archive.ts";
import { Journal, type StoredMessage, toMessage } from "./log/journal.ts";
import { Reader } from "./log/reader.ts";
import {
  type BadFrame,
  CLOSE,
  type ClientFrame,
  type DraftFrame,
  ERROR_STATUS,
  exceedsBytes,
  type Fault,
  fault,
  type HelloFrame,
  isFault,
  LIMITS,
  PING,
  PONG,
  parseClientFrame,
  type Quota,
  type Seq,
  type Submission,
} from "./protocol.ts";
import { isOwner, mayDelete, type RoomRecord, roomInfo } from "./room-record.ts";
import {
  type Cursor,
  NEEDS_RECORD,
  NOT_STARTED,
  type Page,
  type RoomState,
  type Sent,
  SOCKET_HEADER,
  type SocketRequest,
} from "./room-rpc.ts";
import { Scheduler } from "./scheduler.ts";
import { AdmissionDesk, type Entry, type Outcome } from "./writes/admission.ts";
import { Batch } from "./writes/batch.ts";

/** How often a room looks whether a deletion was cut off on its way to it, and for how long, ms. */
const END_CHECKED_AFTER = 60_000;
const END_TAKES_AT_MOST = 3_600_000;

/** A sweep comes a little after the time for which it is asked, so that one does for several peers, ms. */
const SWEEP_SLACK = 1_000;

const REVOKED = fault("unauthorized", "This key is not valid.");

export class ChatRoom extends Server<Env> {
  static override options = { hibernate: true };

  #record: RoomRecord | undefined;
  #journal: Journal;
  #archive: Archive;
  #desk: AdmissionDesk;
  #reader: Reader;
  #alarm: Scheduler | undefined;
  #starting: Promise<Fault | undefined> | undefined;
  readonly #drafts = new Drafts();
  readonly #draftQuota = new DraftQuota();
  /** Keys that were revoked while this room is awake. Their Limiter's answer to a hello may be older than that. */
  readonly #expelled = new Set<string>();
  readonly #audience: Audience;
  readonly #batch: Batch<Entry>;
  readonly #updates: Updates;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#record = ctx.storage.kv.get<RoomRecord>("room");
    this.#journal = this.#openJournal();
    this.#archive = this.#openArchive();
    this.#desk = this.#openDesk();
    this.#reader = this.#openReader();
    this.#audience = new Audience({
      now: Date.now,
      sockets: () => this.#listedSockets(),
      listed: () => ctx.getWebSockets(),
      lastPing: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
      log: this.#logView(),
      told: {
        room: () => roomInfo(this.#known, this.#desk.agentsPaused),
        drafts: () => this.#drafts.told(),
        draftsVersion: () => this.#drafts.version,
      },
      presenceChanged: () => this.#updates.presenceChanged(),
      left: (sender) => this.#drafts.endAll(sender),
      draftLost: (sender, id) => this.#drafts.lost(sender, id),
      wakeIn: (delay) => this.#alarm?.within(delay + SWEEP_SLACK),
      schedule: (delay, run) => void setTimeout(run, delay),
    });
    this.#updates = new Updates({
      now: Date.now,
      drafts: this.#drafts,
      audience: () => this.#audience.size,
      takePresenceChange: () => this.#audience.takePresenceChange(),
      info: () => (this.#isOpen ? roomInfo(this.#known, this.#desk.agentsPaused) : undefined),
      broadcast: (update) => this.#audience.broadcast(update),
      wake: () => this.#batch.wake(),
    });
    this.#batch = new Batch<Entry>({
      now: Date.now,
      schedule: (delay, run) => void setTimeout(run, delay),
      audience: () => this.#audience.size,
      flush: (entries) => this.#flush(entries),
    });
    // Drafts that were under way when the room fell asleep are told as ended.
    this.#updates.watchDrafts();
    void ctx.blockConcurrencyWhile(async () => {
      const pending = await ctx.storage.getAlarm();
      this.#alarm = new Scheduler({
        now: Date.now,
        set: (at) => ctx.storage.setAlarm(at),
        pending: pending ?? undefined,
      });
    });
  }

  /** An upgrade from the Worker. The room knows itself before the socket is accepted, so that `onConnect` never waits. */
  override async fetch(request: Request): Promise<Response> {
    const socket = socketRequest(request);
    const refusal =
      (await this.#know(socket.room)) ?? this.#tooManyFrom(socket.address) ?? this.#audience.refuseNew(socket.address);
    // How it is told is the Worker's: over a socket of its own, or as an HTTP status.
    if (refusal) return Response.json(refusal, { status: ERROR_STATUS[refusal.fault] });
    return super.fetch(request);
  }

  override onConnect(connection: Connection, { request }: ConnectionContext): void {
    const socket = connection as Socket;
    try {
      const { address, origin, cursor, hello, uncounted } = socketRequest(request);
      this.#audience.enter(socket, { address, origin, uncounted }, cursor);
      if (hello) this.#serve(socket, () => this.#enterByKey(socket, hello.principal, hello.as));
    } catch (error) {
      // Thrown from here, an error would reach the client with its stack.
      this.#failed(socket, error, undefined);
      this.#audience.close(socket, CLOSE.serverError, "server error");
    }
  }

  /**
   * partyserver decodes what is attached to a socket for each of its messages, which costs more than the message. The
   * audience knows its sockets, so a message goes straight to the hook.
   */
  override async webSocketMessage(socket: WebSocket, data: WSMessage): Promise<void> {
    if (this.#audience.has(socket)) this.onMessage(socket, data);
    else await super.webSocketMessage(socket, data);
  }

  override onMessage(connection: Connection, data: WSMessage): void {
    const socket = connection as Socket;
    // What was on its way when it was closed: a client whose flood was too much has had its answer.
    if (!this.#audience.hears(socket)) return;
    if (typeof data !== "string") {
      this.#audience.refuse(socket, fault("invalid", "A frame must be text."));
      return;
    }
    if (data === PING) return;
    if (exceedsBytes(data, LIMITS.frameBytes)) {
      this.#audience.send(socket, {
        type: "error",
        code: "too_large",
        message: `A frame is at most ${LIMITS.frameBytes} bytes.`,
      });
      this.#audience.close(socket, CLOSE.tooLarge, "frame too large");
      return;
    }
    const frame = parseClientFrame(data);
    if (isFault(frame)) this.#turnAway(socket, frame);
    else this.#serve(socket, () => this.#handle(socket, frame), "id" in frame ? frame.id : undefined);
  }

  override onClose(connection: Connection): void {
    this.#audience.leave(connection as Socket);
  }

  override onError(connection: Connection): void {
    this.#audience.leave(connection as Socket);
  }

  override async onAlarm(): Promise<void> {
    this.#alarm?.rung();
    if (await this.#hasEnded()) return this.#wipe();
    if (!this.#isOpen) return;
    await this.#archive.run();
    const next = this.#audience.sweep();
    if (next !== undefined) this.#alarm?.within(next + SWEEP_SLACK);
    this.#updates.expireDrafts();
  }

  // What the Worker asks for. These calls skip the hooks above, and so begin by making sure that the room knows itself.

  /** Appends a message; the same as a `send` frame. */
  async send(
    record: RoomRecord | undefined,
    participant: Participant,
    submission: Submission,
    origin: string | undefined,
  ): Promise<Sent | Fault> {
    const refusal = await this.#know(record);
    if (refusal) return refusal;
    const outcome = await this.#append(participant, origin, submission);
    return isFault(outcome) ? outcome : { ...outcome, message: toMessage(outcome.message) };
  }

  /** Deletes a message; the same as a `delete` frame. */
  async remove(record: RoomRecord | undefined, participant: Participant, seq: Seq): Promise<Fault | undefined> {
    const refusal = await this.#know(record);
    if (refusal) return refusal;
    const outcome = await this.#delete(participant, seq);
    if (isFault(outcome)) return outcome;
    // An answer says that no store has the content any more, so it waits for D1.
    if (await this.#archive.reach(outcome.message.seq)) return undefined;
    return fault("unavailable", "Deleted in the room; the archive follows by itself, a little later.", 5);
  }

  /** The newest `limit` messages, or those after or before a seq. What is not here any more is read from D1. */
  async page(
    record: RoomRecord | undefined,
    at: Cursor | { before: Seq } | undefined,
    limit: number,
  ): Promise<Page | Fault> {
    const refusal = await this.#know(record);
    if (refusal) return refusal;
    try {
      return await this.#reader.page(at, limit);
    } catch (error) {
      console.error("A page needs D1, which does not answer", { room: this.name, error });
      return fault("unavailable", "Older messages can't be read at the moment.", 5);
    }
  }

  /** How the room is; its row too, for when D1 does not answer. */
  async look(record: RoomRecord | undefined): Promise<{ record: RoomRecord; state: RoomState } | Fault> {
    const refusal = await this.#know(record);
    if (refusal) return refusal;
    this.#audience.sweepSometimes();
    const state: RoomState = {
      head: this.#journal.head,
      lastMessageAt: this.#journal.lastAt === 0 ? null : new Date(this.#journal.lastAt).toISOString(),
      presence: this.#audience.presence.current(),
      agentsPaused: this.#desk.agentsPaused,
      archive: { lag: this.#archive.lag, failures: this.#archive.failures, parked: this.#journal.parked() },
    };
    return { record: this.#known, state };
  }

  /** Takes over a row that the owner has just changed, and tells everybody. */
  async settle(record: RoomRecord): Promise<void> {
    await this.#know(record);
  }

  /** Closes the sockets of a key that has been revoked. */
  expel(principal: string): void {
    this.#expelled.add(principal);
    this.#audience.closeAll(CLOSE.unauthorized, "key revoked", (participant) => participant?.principal === principal);
  }

  /** Its row is about to go from D1. Should nobody come to say that it has, the room will look by itself. */
  prepareEnd(): void {
    this.ctx.storage.kv.put("ending", Date.now());
    this.#alarm?.within(END_CHECKED_AFTER);
  }

  /** Ends the room: its row and its messages in D1 are gone already. */
  async destroy(): Promise<void> {
    await this.#wipe();
  }

  /** Whether the room knows itself and has its log. */
  get #isOpen(): boolean {
    return this.#record !== undefined && this.#journal.started;
  }

  get #known(): RoomRecord {
    if (!this.#record) throw new Error("The room does not know itself yet.");
    return this.#record;
  }

  /** Makes sure that the room knows what it is; with `undefined` the Worker has not asked D1. Why not, if it does not. */
  async #know(record: RoomRecord | undefined): Promise<Fault | undefined> {
    if (!record) return this.#isOpen ? undefined : NEEDS_RECORD;
    // The id was deleted and made again, and the deletion did not reach this object.
    if (this.#record && this.#record.createdAt < record.createdAt) await this.#wipe();
    if (!this.#record || this.#record.revision < record.revision) this.#adopt(record);
    if (this.#journal.started) return undefined;
    this.#starting ??= this.#start(record).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  #adopt(record: RoomRecord): void {
    const news = this.#record !== undefined;
    this.#record = record;
    this.ctx.storage.kv.put("room", record);
    this.#desk.rulesChanged();
    if (news && this.#journal.started) this.#updates.roomChanged();
  }

  /** A new log: empty, or behind what D1 has of this room, when this object has lost its own. */
  async #start(record: RoomRecord): Promise<Fault | undefined> {
    try {
      const archived =
        record.lastSeq > 0 ? await archivedBefore(this.env.DB, record.id, record.lastSeq + 1, LIMITS.resume) : [];
      this.#journal.start(archived);
      if (archived.length > 0) await this.#announce(record.id);
      return undefined;
    } catch (error) {
      console.error("The room can't be rebuilt from D1", { room: record.id, error });
      return NOT_STARTED;
    }
  }

  async #announce(id: string): Promise<void> {
    try {
      await announceEpoch(this.env.DB, id, this.#journal.epoch);
    } catch (error) {
      // It reads and does not write: no reason to keep anybody out. The next copy says the same.
      console.warn("D1 was not told of a room's epoch", { room: id, error });
    }
  }

  /** Whether a deletion has taken the room's row, and was cut off before it came here. */
  async #hasEnded(): Promise<boolean> {
    const since = this.ctx.storage.kv.get<number>("ending");
    if (since === undefined) return false;
    const gone = await this.#archive.isGone();
    // D1 may have said so, and the deletion not have got that far yet.
    if (gone === false && Date.now() - since > END_TAKES_AT_MOST) this.ctx.storage.kv.delete("ending");
    else if (!gone) this.#alarm?.within(END_CHECKED_AFTER);
    return gone === true;
  }

  async #wipe(): Promise<void> {
    this.#audience.closeAll(CLOSE.deleted, "room deleted", () => true);
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#alarm?.rung();
    this.#record = undefined;
    this.#journal = this.#openJournal();
    this.#archive = this.#openArchive();
    this.#desk = this.#openDesk();
    this.#reader = this.#openReader();
  }

  #openJournal(): Journal {
    const { storage } = this.ctx;
    return new Journal({ sql: storage.sql, transaction: (work) => storage.transactionSync(work) });
  }

  #openArchive(): Archive {
    return new Archive({
      room: this.name,
      journal: this.#journal,
      db: this.env.DB,
      keepAlive: (run) => this.ctx.waitUntil(run),
      wakeIn: (delay) => this.#alarm?.within(delay),
      delay: Number(this.env.ARCHIVE_DELAY_MS),
      gone: () => this.#wipe(),
    });
  }

  #openDesk(): AdmissionDesk {
    return new AdmissionDesk({
      now: Date.now,
      room: () => this.#known,
      journal: this.#journal,
      admit: (principal, count) => this.env.LIMITER.getByName(principal).admit(count),
      publish: (messages) => {
        this.#updates.publish(messages);
        this.#archive.grown();
      },
    });
  }

  #openReader(): Reader {
    return new Reader({
      room: this.name,
      journal: this.#journal,
      db: this.env.DB,
      // What a client resumes is sent as it reads: see `audience/flow/feed.ts`.
      burden: () => 0,
    });
  }

  #tooManyFrom(address: string): Fault | undefined {
    const limit = Number(this.env.SOCKETS_PER_ADDRESS);
    if (this.#audience.sizeFrom(address) < limit) return undefined;
    return fault("rate_limited", `At most ${limit} connections to a room from one address.`, 60);
  }

  /** Runs what a frame leads to, after what the same client sent before; says so when it fails. */
  #serve(socket: Socket, work: () => void | Promise<void>, id?: string): void {
    const guarded = (): void | Promise<void> => {
      try {
        return work()?.catch((error: unknown) => this.#failed(socket, error, id));
      } catch (error) {
        this.#failed(socket, error, id);
      }
    };
    if (this.#audience.inOrder(socket, guarded)) return;
    this.#audience.refuse(socket, {
      ...fault("rate_limited", "Too many frames before you were known.", 1),
      ...(id && { id }),
    });
  }

  #failed(socket: Socket, error: unknown, id: string | undefined): void {
    const incident = crypto.randomUUID();
    console.error("A frame failed", { incident, room: this.name, error });
    const refusal = fault("unavailable", `Something went wrong here; its log entry is ${incident}.`);
    this.#audience.refuse(socket, id === undefined ? refusal : { ...refusal, id });
  }

  #handle(socket: Socket, frame: ClientFrame): void | Promise<void> {
    this.#audience.heard(socket);
    // The room has asked for it.
    if (frame.type === "read" && this.#audience.answered(socket, frame.n)) return;
    // A send may be a retry: that shows later.
    const refusal = frame.type === "send" ? undefined : this.#audience.refuseFree(socket);
    if (refusal) return this.#audience.refuse(socket, "id" in frame ? { ...refusal, id: frame.id } : refusal);
    if (frame.type === "read") return;
    if (frame.type === "hello") return this.#hello(socket, frame);
    const state = socket.state;
    if (!state?.participant) {
      const refusal = fault("unauthorized", "Say hello first, with a key or as a guest.");
      return this.#audience.refuse(socket, "id" in frame ? { ...refusal, id: frame.id } : refusal);
    }
    if (frame.type === "send") return this.#sendFrom(socket, state.participant, state.origin, frame);
    if (frame.type === "draft") return this.#draft(socket, state.participant, frame);
    return this.#deleteFrom(socket, state.participant, frame.seq);
  }

  async #hello(socket: Socket, hello: HelloFrame): Promise<void> {
    if (hello.key !== undefined) return this.#enterByKey(socket, `key:${await sha256Hex(hello.key)}`, hello.as);
    const sender = await guestSender(hello.guest, this.#known.guestPepper);
    const principal = `address:${(socket.state as SocketState).address}`;
    this.#introduce(socket, { sender, principal }, await this.env.LIMITER.getByName(principal).quota());
  }

  async #enterByKey(socket: Socket, principal: string, as: string | undefined): Promise<void> {
    const entered = await this.env.LIMITER.getByName(principal).enter(this.name);
    if (isFault(entered)) this.#turnAway(socket, entered);
    else if (this.#expelled.has(principal)) this.#turnAway(socket, REVOKED);
    else this.#introduce(socket, participantOf(entered.owner, principal, as), entered.quota);
  }

  /** Makes a socket a participant's, and says so to it. */
  #introduce(socket: Socket, participant: Participant, quota: Quota): void {
    if (!this.#audience.has(socket)) return;
    this.#audience.name(socket, participant);
    this.#audience.send(socket, {
      type: "you",
      sender: participant.sender,
      owner: isOwner(this.#known, participant),
      quota,
    });
  }

  /** Tells a refusal, after which somebody without a valid key has nothing more to say here. */
  #turnAway(socket: Socket, refusal: BadFrame): void {
    this.#audience.refuse(socket, refusal);
    if (refusal.fault === "unauthorized") this.#audience.close(socket, CLOSE.unauthorized, "key refused");
  }

  #sendFrom(socket: Socket, participant: Participant, origin: string | undefined, submission: Submission): void {
    const { id } = submission;
    this.#audience.awaits(socket);
    void this.#append(participant, origin, submission).then((outcome) => {
      const refusal = isFault(outcome) ? outcome : outcome.repeated && this.#audience.refuseFree(socket);
      if (refusal) this.#turnAway(socket, { ...refusal, id });
      else if (!isFault(outcome) && outcome.repeated) {
        this.#audience.send(socket, { type: "ack", id, seq: outcome.message.seq });
      }
    });
  }

  #append(
    participant: Participant,
    origin: string | undefined,
    { id, content, replyTo }: Submission,
  ): Promise<Outcome> {
    if (replyTo !== undefined && replyTo > this.#journal.head) {
      return Promise.resolve(fault("invalid", "replyTo names a message that does not exist."));
    }
    const { sender } = participant;
    const message = { id, kind: "text" as const, sender, content, ref: replyTo ?? null };
    return new Promise((settle) => this.#batch.add({ participant, origin, message, settle }));
  }

  #draft(socket: Socket, participant: Participant, { id, append, whole }: DraftFrame): void {
    const author = { ...participant, connection: socket };
    if (whole) this.#drafts.end(participant.sender, id);
    const begins = !this.#drafts.isUnderWay(author, id);
    const refusal =
      this.#desk.refuse(participant, socket.state?.origin) ??
      (begins ? this.#beginDraft(participant) : undefined) ??
      this.#drafts.append(author, id, append, Date.now());
    if (refusal) this.#audience.refuse(socket, { ...refusal, id });
    else if (begins) this.#audience.noteDrafts(socket, this.#drafts.idsOver(socket));
    this.#updates.watchDrafts();
  }

  /** Why a draft may not be begun now. Also an empty one is shown to everybody. */
  #beginDraft({ sender, principal }: Participant): Fault | undefined {
    const { GUEST_MESSAGES_PER_MINUTE, KEY_MESSAGES_PER_MINUTE } = this.env;
    const perMinute = Number(isGuest(sender) ? GUEST_MESSAGES_PER_MINUTE : KEY_MESSAGES_PER_MINUTE);
    return this.#draftQuota.begin(principal, perMinute, Date.now());
  }

  async #deleteFrom(socket: Socket, participant: Participant, seq: Seq): Promise<void> {
    const outcome = await this.#delete(participant, seq);
    this.ctx.waitUntil(this.#archive.run());
    if (isFault(outcome)) this.#turnAway(socket, outcome);
    else if (outcome.repeated)
      this.#audience.send(socket, { type: "ack", id: deletionId(seq), seq: outcome.message.seq });
  }

  /**
   * Appends a deletion, which empties its target here at once; D1 follows with the archive, in the transaction that
   * copies the deletion, so that no crash can leave the two of different minds.
   */
  async #delete(participant: Participant, seq: Seq): Promise<Outcome> {
    let target: StoredMessage | undefined;
    try {
      target = this.#journal.get(seq) ?? (await archivedMessage(this.env.DB, this.name, seq));
    } catch (error) {
      console.error("An old message can't be looked up", { room: this.name, seq, error });
      return fault("unavailable", "Older messages can't be reached at the moment.", 5);
    }
    if (target?.kind !== "text") return fault("not_found", `There is no message ${seq} to delete.`);
    if (!mayDelete(this.#known, participant, target.sender)) {
      return fault("forbidden", "Only its author and the room's owner may delete a message.");
    }
    const earlier = this.#journal.deletionOf(seq);
    if (target.content === "" || earlier) return { message: earlier ?? target, repeated: true };
    const message = {
      id: deletionId(seq),
      kind: "deletion" as const,
      sender: participant.sender,
      content: "",
      ref: seq,
    };
    return new Promise((settle) => this.#batch.add({ participant, origin: undefined, message, settle }));
  }

  /** The log as the audience reads it. */
  #logView(): LogView {
    const journal = () => this.#journal;
    const json = (messages: readonly StoredMessage[]) => messages.map((message) => JSON.stringify(toMessage(message)));
    return {
      get epoch() {
        return journal().epoch;
      },
      get head() {
        return journal().head;
      },
      get oldest() {
        return journal().oldest;
      },
      jsonAfter: (seq, limit) => json(journal().after(seq, limit)),
      jsonBefore: (seq, limit) => json(journal().before(seq, limit)),
    };
  }

  /** All sockets that the runtime has of this room. partyserver lists, and wraps, only those that are open. */
  *#listedSockets(): Generator<ListedSocket> {
    for (const socket of this.getConnections<SocketState>()) yield { socket, attached: socket.state, isOpen: true };
    for (const socket of this.ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN) continue;
      // As partyserver attaches a connection's state.
      const attachment = socket.deserializeAttachment() as { __user?: unknown } | null;
      yield { socket: socket as Socket, attached: attachment?.__user, isOpen: false };
    }
  }

  /** One turn of the room: what was gathered gets its places, and everybody one frame. */
  async #flush(entries: Entry[]): Promise<void> {
    this.#updates.begin();
    try {
      if (entries.length > 0) await this.#desk.handle(entries);
    } catch (error) {
      // Only when the room is deleted under them: nothing of it is left to write to.
      console.error("A batch failed", { room: this.name, error });
      for (const entry of entries) entry.settle(NOT_STARTED);
    }
    this.#updates.tell();
  }
}

const deletionId = (seq: Seq): string => `delete:${seq}`;

function socketRequest(request: Request): SocketRequest {
  return JSON.parse(decodeURIComponent(request.headers.get(SOCKET_HEADER) as string)) as SocketRequest;
}
