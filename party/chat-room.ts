/**
 * A room: one Durable Object, the only writer of its order. The hooks and calls stand here; `open-room.ts` has the room
 * itself, `frame-router.ts` what a client's frame leads to, and `audience/` everybody who is connected.
 */

import { type Connection, type ConnectionContext, Server, type WSMessage } from "partyserver";
import { Audience } from "./audience/audience.ts";
import { listSockets } from "./audience/listed-socket.ts";
import type { Socket, SocketState } from "./audience/socket-state.ts";
import { configurationOf } from "./configuration.ts";
import { FrameRouter } from "./frame-router.ts";
import { Authenticator } from "./identity/authenticator.ts";
import type { Introduction } from "./identity/introduction.ts";
import { UNKNOWN_KEY } from "./identity/key-directory.ts";
import { KeyTable } from "./identity/key-table.ts";
import { currentParticipant, type Participant } from "./identity/sender.ts";
import { Leases } from "./limits/leases.ts";
import type { Admission, LeaseUses } from "./limits/limiter-rpc.ts";
import { toMessage } from "./log/journal.ts";
import type { Sql } from "./log/sql.ts";
import type { InviteWish } from "./members/invitations.ts";
import type { Submission } from "./message-parser.ts";
import { repeatable } from "./object-call.ts";
import type { OpenRoom, OpenRoomDeps } from "./open-room.ts";
import type { Reader } from "./permissions.ts";
import {
  CLOSE,
  ERROR_STATUS,
  errorFrame,
  type Fault,
  fault,
  isFault,
  type MemberRole,
  PING,
  PONG,
  type Seq,
} from "./protocol.ts";
import { RecordStore } from "./record-store.ts";
import { RoomLifecycle, whatIsTold } from "./room-lifecycle.ts";
import type { RoomRecord } from "./room-record.ts";
import {
  type Caller,
  type Cursor,
  type Deed,
  type DeedPage,
  type ErasureProgress,
  type Invite,
  type LogEnd,
  type Member,
  type MemberPage,
  type MuteTargets,
  type Page,
  type PresentedToken,
  type RoomState,
  type Sent,
  SOCKET_HEADER,
  type SocketRequest,
} from "./room-rpc.ts";
import { Scheduler } from "./scheduler.ts";
import { siteOfSender } from "./sites/site-name.ts";
import { gauge, metered } from "./usage/metered-database.ts";
import { meteredKeyValues, meteredSql } from "./usage/metered-storage.ts";
import { usage } from "./usage/usage-sampler.ts";
import type { Outcome } from "./writes/entry.ts";

/** Who writes through the Worker: a person whom it knows, or a site's user, whom the room has to know. */
type Author = Participant | PresentedToken;

/** A sweep comes a little after the time for which it is asked, so that one does for several peers, ms. */
const SWEEP_SLACK = 1_000;

/** So many incoming frames are billed as one request. */
const FRAMES_A_REQUEST = 20;

export class ChatRoom extends Server<Env> {
  static override options = { hibernate: true };

  readonly #lifecycle: RoomLifecycle;
  readonly #scheduler: Scheduler;
  readonly #audience: Audience;
  readonly #frames: FrameRouter;
  readonly #authenticator: Authenticator;
  readonly #leases = new Leases(this.name, () => crypto.randomUUID());

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#scheduler = new Scheduler({ now: () => Date.now(), set: (at) => this.#setAlarm(at) });
    this.#audience = new Audience({
      now: () => Date.now(),
      sockets: () => listSockets(this.getConnections<SocketState>(), ctx.getWebSockets()),
      listed: () => ctx.getWebSockets(),
      lastPing: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
      ...whatIsTold(() => this.#lifecycle.room),
      presenceChanged: () => this.#lifecycle.room?.presenceChanged(),
      left: (sender) => this.#lifecycle.room?.left(sender),
      wakeIn: (delay) => this.#scheduler.within(delay + SWEEP_SLACK),
      schedule,
    });
    this.#frames = new FrameRouter({
      room: this.name,
      audience: this.#audience,
      open: () => this.#lifecycle.room,
      now: () => Date.now(),
      identify: ({ state }, hello) => {
        const { record } = this.#lifecycle.room as OpenRoom;
        return this.#authenticator.introduce(hello, state as SocketState, record);
      },
    });
    this.#authenticator = new Authenticator(this.name, env);
    this.#lifecycle = new RoomLifecycle({
      id: this.name,
      room: this.#roomDeps(),
      wipe: async () => {
        this.#scheduler.rung();
        await ctx.storage.deleteAlarm();
        await ctx.storage.deleteAll();
      },
      ended: () => this.#audience.closeAll(CLOSE.deleted, "room deleted", () => true),
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#scheduler.resume(await ctx.storage.getAlarm());
      this.#lifecycle.room?.resume();
    });
  }

  /** An upgrade from the Worker. The room is open before the socket is accepted, so that `onConnect` never waits. */
  override async fetch(request: Request): Promise<Response> {
    const socket = socketRequest(request);
    const room = await this.#lifecycle.open(socket.room);
    if (isFault(room)) return refused(room);
    // Over a stream nobody can say hello: who reads has to be known before.
    const reader = socket.stream && (await this.#resolve(room, socket.stream.caller, socket.address));
    if (isFault(reader)) return refused(reader);
    const refusal =
      (socket.stream && this.#refuseStream(room, reader)) ??
      this.#tooManyFrom(socket.address) ??
      this.#audience.refuseNew(socket.address);
    // The Worker decides how to tell it: over a socket of its own, or as an HTTP status.
    if (refusal) return refused(refusal);
    const { stream, room: _, ...known } = socket;
    const headers = {
      ...Object.fromEntries(request.headers),
      ...socketHeaders({ ...known, stream: stream && {}, reader }),
    };
    return super.fetch(new Request(request, { headers }));
  }

  override onConnect(connection: Connection, { request }: ConnectionContext): void {
    const socket = connection as Socket;
    try {
      const { address, origin, audience, cursor, hello, uncounted, stream, reader, knowsErasures } =
        socketRequest(request);
      const newcomer = { address, origin, audience, uncounted, reader, knowsErasures };
      // Asked again: the room may have become another since the answer above.
      const refusal = this.#lifecycle.room && this.#refuseStream(this.#lifecycle.room, reader);
      if (!refusal) this.#audience.enter(socket, newcomer, cursor);
      else if (!stream) this.#audience.enterUnknown(socket, newcomer, cursor);
      else {
        socket.send(JSON.stringify(errorFrame(refusal)));
        socket.close(refusal.fault === "forbidden" ? CLOSE.forbidden : CLOSE.unauthorized, refusal.fault);
        return;
      }
      if (reader) this.#lifecycle.room?.watchReader(reader);
      if (hello) this.#frames.enter(socket, () => this.#introduce(hello, address));
    } catch (error) {
      // Thrown from here, an error would reach the client with its stack.
      this.#frames.failed(socket, error);
      this.#audience.close(socket, CLOSE.serverError, "server error");
    }
  }

  /**
   * partyserver decodes what is attached to a socket for each of its messages, which costs more than the message. The
   * audience knows its sockets, so a message goes straight to the hook.
   */
  override async webSocketMessage(socket: WebSocket, data: WSMessage): Promise<void> {
    usage.count("objectRequests", 1 / FRAMES_A_REQUEST);
    if (this.#audience.has(socket)) this.onMessage(socket, data);
    else await super.webSocketMessage(socket, data);
  }

  override onMessage(connection: Connection, data: WSMessage): void {
    this.#frames.take(connection as Socket, data);
  }

  override onClose(connection: Connection): void {
    this.#audience.leave(connection as Socket);
  }

  override onError(connection: Connection): void {
    this.#audience.leave(connection as Socket);
  }

  override async onAlarm(): Promise<void> {
    const begun = Date.now();
    try {
      await this.#alarmRang();
    } finally {
      usage.count("objectRequests", 1);
      usage.count("objectMs", Date.now() - begun);
    }
  }

  async #alarmRang(): Promise<void> {
    this.#scheduler.rung();
    if (await this.#lifecycle.endIfGone()) return;
    await this.#lifecycle.room?.duties();
    if (await this.#lifecycle.endIfSilent()) return;
    for (const next of [this.#audience.sweep(), this.#lifecycle.room?.sweepReaders()]) {
      if (next !== undefined) this.#scheduler.within(next + SWEEP_SLACK);
    }
  }

  // What the Worker and the Limiters ask for. These calls skip the hooks above, so each opens the room first.

  /** Appends a message; the same as a `send` frame. */
  async send(
    record: RoomRecord | undefined,
    author: Author,
    submission: Submission,
    origin: string | undefined,
    address = "unknown",
  ): Promise<Sent | Fault> {
    const writing = await this.#write(record, author, address);
    if (isFault(writing)) return writing;
    const { room, participant } = writing;
    const outcome = await new Promise<Outcome>((settle) => room.append(participant, origin, submission, settle));
    return isFault(outcome) ? outcome : { ...outcome, message: toMessage(outcome.message) };
  }

  /** Deletes a message; the same as a `delete` frame. Answers once D1 has followed. */
  async remove(
    record: RoomRecord | undefined,
    author: Author,
    seq: Seq,
    address = "unknown",
  ): Promise<Fault | undefined> {
    const writing = await this.#write(record, author, address);
    if (isFault(writing)) return writing;
    const { room, participant } = writing;
    const outcome = await room.delete(participant, seq);
    if (isFault(outcome)) return outcome;
    if (await room.archived(outcome.message.seq)) return undefined;
    return fault("unavailable", "Deleted in the room; the archive follows by itself, a little later.", 5);
  }

  /** Erases everything that `sender` has said, with their agents. Answers after a moment, done or not. May happen twice. */
  async erase(
    record: RoomRecord | undefined,
    author: Author,
    sender: string,
    address = "unknown",
  ): Promise<ErasureProgress | Fault> {
    const writing = await this.#write(record, author, address);
    return isFault(writing) ? writing : writing.room.erase(writing.participant, sender);
  }

  /** The newest `limit` messages, or those after or before a seq. What is not here any more is read from D1. */
  async page(
    record: RoomRecord | undefined,
    at: Cursor | { before: Seq } | undefined,
    limit: number,
    caller?: Caller,
    address?: string,
  ): Promise<Page | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.page(at, limit);
  }

  /** The oldest seq that is not gone; `head + 1` when all are. */
  async first(record: RoomRecord | undefined): Promise<Seq | Fault> {
    const room = await this.#lifecycle.open(record);
    return isFault(room) ? room : room.first();
  }

  /**
   * Where the log ends. `undefined` when this object has none: then D1 knows. Opens nothing and writes nothing, so that a
   * backup may ask every room.
   */
  logEnd(): LogEnd | undefined {
    const { room } = this.#lifecycle;
    if (!room) return undefined;
    const { createdAt } = room.record;
    return { createdAt, head: room.state.head, first: room.knownFirst, epoch: room.log.epoch };
  }

  /** How the room is, with its row for when D1 does not answer. */
  async look(
    record: RoomRecord | undefined,
    caller?: Caller,
    address?: string,
  ): Promise<{ record: RoomRecord; state: RoomState } | Fault> {
    const reading = await this.#read(record, caller, address);
    if (isFault(reading)) return reading;
    const { room } = reading;
    this.#audience.sweepSometimes();
    return { record: room.record, state: room.state };
  }

  /** Has the room look whether old messages are to be removed, or whether it is to end: nobody else may wake it. */
  async lookAgain(record: RoomRecord): Promise<void> {
    const room = await this.#lifecycle.open(record);
    if (!isFault(room)) room.lookAgain();
  }

  /** A page of the members, after the sender `after`. */
  async members(
    record: RoomRecord | undefined,
    caller: Caller,
    after: string,
    limit: number,
  ): Promise<MemberPage | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.list(reading.reader, after, limit);
  }

  /** One member. */
  async member(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    address: string,
  ): Promise<Member | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.membership.find(reading.reader, sender);
  }

  /** Makes `sender` a member. */
  async putMember(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    role: MemberRole,
  ): Promise<Member | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.put(reading.reader, sender, role);
  }

  /** Makes an invite. */
  async createInvite(record: RoomRecord | undefined, caller: Caller, wish: InviteWish): Promise<Invite | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.create(reading.reader, wish);
  }

  /** All invites that were not revoked. */
  async invites(record: RoomRecord | undefined, caller: Caller): Promise<Invite[] | Fault> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.list(reading.reader);
  }

  /** Revokes an invite. */
  async revokeInvite(record: RoomRecord | undefined, caller: Caller, id: string): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.invitations.revoke(reading.reader, id);
  }

  /** Makes the caller a member by an invite: the one call for who may not read here yet. It shows nothing but that. */
  async join(record: RoomRecord | undefined, caller: Caller, secret: string, address: string): Promise<Member | Fault> {
    const room = await this.#lifecycle.open(record);
    if (isFault(room)) return room;
    const participant = await this.#resolve(room, caller, address);
    if (isFault(participant)) return participant;
    return participant ? room.invitations.join(participant, secret) : SAY_WHO;
  }

  /** Sees to what has to be so before the room is handed to `handle`. */
  async prepareHandover(record: RoomRecord | undefined, caller: Caller, handle: string): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller);
    return isFault(reading) ? reading : reading.room.membership.prepareHandover(reading.reader, handle);
  }

  /** Lets `sender` go, who may be the caller. */
  async removeMember(
    record: RoomRecord | undefined,
    caller: Caller,
    sender: string,
    address: string,
  ): Promise<Fault | undefined> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.membership.remove(reading.reader, sender);
  }

  /** Whether the caller may moderate here, or mute `sender`, and which addresses that takes where theirs are meant, too. */
  async muteTargets(
    record: RoomRecord | undefined,
    caller: Caller,
    address: string,
    sender: string | undefined,
    how: "name" | "address",
  ): Promise<MuteTargets | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.moderation.targets(reading.reader, sender, how);
  }

  /** A page of who did what here, newest first, from before the deed `before`. */
  async deeds(
    record: RoomRecord | undefined,
    caller: Caller,
    address: string,
    before: number | undefined,
    limit: number,
  ): Promise<DeedPage | Fault> {
    const reading = await this.#read(record, caller, address);
    return isFault(reading) ? reading : reading.room.moderation.page(reading.reader, before, limit);
  }

  /** Takes over a row that was just changed, and tells everybody. `deed` is what was done by that. */
  async settle(record: RoomRecord, deed?: Deed): Promise<void> {
    const room = await this.#lifecycle.open(record);
    if (!isFault(room) && deed) room.moderation.note(deed, record.revision);
  }

  /** Closes the sockets that were opened with a key of `principal` that has ended; without a hash, with any key. */
  expel(principal: string, keyHash: string | undefined): void {
    this.#authenticator.keyEnded(principal, keyHash);
    this.#audience.closeAll(CLOSE.unauthorized, "key ended", (kept) => {
      const participant = kept && currentParticipant(kept);
      return participant?.principal === principal && (keyHash === undefined || participant.keyHash === keyHash);
    });
  }

  /** A site has the keys with these thumbprints now: closes what was opened by another one. They come back. */
  siteChanged(site: string, thumbprints: readonly string[]): void {
    this.#authenticator.siteChanged(site);
    this.#audience.closeAll(CLOSE.identifyAgain, "the site's keys have changed", (participant) => {
      if (!participant?.vouched || siteOfSender(participant.sender) !== site) return false;
      return !thumbprints.includes(participant.keyHash ?? "");
    });
  }

  /** Gives a lease back: what of it was used, `undefined` when this room does not know it. */
  recallLease(principal: string, lease: string): LeaseUses | undefined {
    return this.#leases.recall(principal, lease, Date.now());
  }

  /** The room's row is about to go from D1. Should the deletion be cut off, the room looks by itself. */
  prepareEnd(): void {
    this.#lifecycle.prepareEnd();
  }

  /** Ends the room that was made at `createdAt` (ISO 8601), whose row and messages are gone from D1. */
  async destroy(createdAt: string): Promise<void> {
    await this.#lifecycle.endRoomOf(createdAt);
  }

  /** The room, opened for somebody who may read it, and who they are in it. Every call that shows anything begins here. */
  async #read(
    record: RoomRecord | undefined,
    caller: Caller | undefined,
    address = "unknown",
  ): Promise<{ room: OpenRoom; reader: Reader | undefined } | Fault> {
    const room = await this.#lifecycle.open(record);
    if (isFault(room)) return room;
    const participant = await this.#resolve(room, caller, address);
    if (isFault(participant)) return participant;
    const refusal = room.refuseReader(participant);
    return refusal ?? { room, reader: participant && room.reader(participant) };
  }

  /** Why `reader` gets no stream, or a socket is not welcomed before it has said who it is. */
  #refuseStream(room: OpenRoom, reader: Participant | undefined): Fault | undefined {
    return reader && this.#authenticator.hasEnded(reader) ? UNKNOWN_KEY : room.refuseReader(reader);
  }

  /** Who `caller` is. Nobody in particular is `undefined`. */
  async #resolve(
    room: OpenRoom,
    caller: Caller | undefined,
    address: string,
  ): Promise<Participant | Fault | undefined> {
    const known = await this.#authenticator.resolve(caller, address, room.record);
    if (!known || isFault(known)) return known;
    room.noteSiteUser(known.participant, known.name);
    return known.participant;
  }

  /** The room, opened for somebody who wants to change it, and who they are. */
  async #write(
    record: RoomRecord | undefined,
    author: Author,
    address: string,
  ): Promise<{ room: OpenRoom; participant: Participant } | Fault> {
    const room = await this.#lifecycle.open(record);
    if (isFault(room)) return room;
    const participant = await this.#resolve(room, "token" in author ? author : { participant: author }, address);
    if (isFault(participant)) return participant;
    return { room, participant: participant as Participant };
  }

  /** Who comes by what was in the upgrade. */
  #introduce(hello: NonNullable<SocketRequest["hello"]>, address: string): Promise<Introduction | Fault> {
    const { record } = this.#lifecycle.room as OpenRoom;
    if (!("token" in hello)) return this.#authenticator.introduceByKey(hello, address, record.guestPepper);
    return this.#authenticator.introduceByToken(hello, address, record);
  }

  #setAlarm(at: number): Promise<void> {
    usage.count("objectRowsWritten", 1);
    return this.ctx.storage.setAlarm(at);
  }

  #roomDeps(): OpenRoomDeps {
    const { storage } = this.ctx;
    const { env } = this;
    const configuration = configurationOf(env);
    return {
      now: () => Date.now(),
      schedule,
      storage: { sql: meteredSql(storage.sql, usage) as Sql, transaction: (work) => storage.transactionSync(work) },
      records: new RecordStore(meteredKeyValues(storage.kv, usage)),
      stored: () => ({ bytes: storage.sql.databaseSize, limit: configuration.roomBytes }),
      db: metered(env.DB, {
        ...{ usage, gauge, limits: configuration, now: () => Date.now() },
        keepAlive: (work) => this.ctx.waitUntil(work),
      }),
      audience: this.#audience,
      leases: this.#leases,
      // A repeated question is charged once: it has an id.
      ask: ({ principal }, question) =>
        repeatable(async (): Promise<Admission | Fault> => await env.LIMITER.getByName(principal).admit(question)),
      keepAlive: (work) => this.ctx.waitUntil(work),
      wakeIn: (delay) => this.#scheduler.within(delay),
      archiveDelay: configuration.archiveDelay,
      keepDays: configuration.keepDays,
      perMinute: { guest: configuration.guestMessagesPerMinute, key: configuration.keyMessagesPerMinute },
      personExists: async (handle) => (await new KeyTable(env.DB).findHandle(handle)) !== undefined,
      gone: () => this.#lifecycle.end(),
    };
  }

  #tooManyFrom(address: string): Fault | undefined {
    const limit = configurationOf(this.env).socketsPerAddress;
    if (this.#audience.sizeFrom(address) < limit) return undefined;
    return fault("rate_limited", `At most ${limit} connections to a room from one address.`, 60);
  }
}

/** A timer of the runtime's, and what takes it back. */
function schedule(delay: number, run: () => void): () => void {
  const timer = setTimeout(run, delay);
  return () => clearTimeout(timer);
}

const SAY_WHO = fault("unauthorized", "Say who you are: with a key, or as a guest.");

const refused = (refusal: Fault): Response => Response.json(refusal, { status: ERROR_STATUS[refusal.fault] });

const socketHeaders = (socket: SocketRequest) => ({ [SOCKET_HEADER]: encodeURIComponent(JSON.stringify(socket)) });

function socketRequest(request: Request): SocketRequest {
  return JSON.parse(decodeURIComponent(request.headers.get(SOCKET_HEADER) as string)) as SocketRequest;
}
