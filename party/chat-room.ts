/**
 * A room: one Durable Object, the only writer of its order. The platform's hooks stand here, and the Worker's calls in
 * `room-calls.ts`; `open-room.ts` has the parts of the room, `frame-router.ts` what a client's frame leads to, and `audience/`
 * everybody who is connected.
 */

import type { Connection, ConnectionContext, WSMessage } from "partyserver";
import { Audience } from "./audience/audience.ts";
import { listSockets } from "./audience/listed-socket.ts";
import { occupiedRooms } from "./audience/occupied-rooms.ts";
import type { Socket, SocketState } from "./audience/socket-state.ts";
import { configurationOf } from "./configuration.ts";
import { errors } from "./errors/error-tally.ts";
import { WAITED_FOR } from "./follower.ts";
import { FrameRouter } from "./frame-router.ts";
import { Authenticator } from "./identity/authenticator.ts";
import type { Introduction } from "./identity/introduction.ts";
import { UNKNOWN_KEY } from "./identity/key-directory.ts";
import { KeyTable } from "./identity/key-table.ts";
import type { Participant } from "./identity/sender.ts";
import { Leases } from "./limits/leases.ts";
import { type Admission, limiterOf } from "./limits/limiter.ts";
import type { Sql } from "./log/sql.ts";
import { repeatable } from "./object-call.ts";
import type { OpenRoom } from "./open-room.ts";
import type { OpenRoomDeps } from "./open-room-deps.ts";
import { NO_SUCH_ROOM } from "./permissions.ts";
import { CLOSE, ERROR_STATUS, errorFrame, type Fault, fault, isFault, PING, PONG } from "./protocol.ts";
import { RecordStore } from "./record-store.ts";
import { identified, openedFor, RoomCalls, SAY_WHO } from "./room-calls.ts";
import { RoomLifecycle, UNMADE_KEPT, whatIsTold } from "./room-lifecycle.ts";
import type { RoomRecord } from "./room-record.ts";
import { SOCKET_HEADER, type SocketRequest } from "./room-rpc.ts";
import { Scheduler } from "./scheduler.ts";
import { makeSiteRoom } from "./sites/site-room.ts";
import { RoomStorage } from "./storage/room-storage.ts";
import { gauge, metered } from "./usage/metered-database.ts";
import { meteredKeyValues, meteredSql } from "./usage/metered-storage.ts";
import { usage } from "./usage/usage-sampler.ts";

/** A sweep comes a little after the time for which it is asked, so that one does for several peers, ms. */
const SWEEP_SLACK = 1_000;

/** The close code of a client that leaves by itself. */
const GOODBYE = 1000;
/** An end is told with one of these when its client gave no code, or did not say that it ends (RFC 6455 §7.4.1). */
const WITHOUT_CODE = [1005, 1006];

/** So many incoming frames are billed as one request. */
const FRAMES_A_REQUEST = 20;

export class ChatRoom extends RoomCalls {
  static override options = { hibernate: true };

  protected readonly lifecycle: RoomLifecycle;
  protected readonly audience: Audience;
  protected readonly authenticator: Authenticator;
  protected readonly leases = new Leases(this.name, () => crypto.randomUUID());
  readonly #scheduler: Scheduler;
  readonly #frames: FrameRouter;
  /** A site's room of this id, which is not made and which nobody was let into yet. */
  #unmade: RoomRecord | undefined;
  /** The look whether the room is to end, while it is under way. */
  #looking: Promise<void> | undefined;
  /** Settled when the last socket of a room that is restarted has gone. */
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#scheduler = new Scheduler({ room: () => this.name, now: () => Date.now(), set: (at) => this.#setAlarm(at) });
    this.audience = new Audience({
      now: () => Date.now(),
      sockets: () => listSockets(this.getConnections<SocketState>(), ctx.getWebSockets()),
      listed: () => ctx.getWebSockets(),
      lastPing: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
      ...whatIsTold(() => this.lifecycle.room),
      refuseUnknown: () => (this.lifecycle.room ? undefined : NO_SUCH_ROOM),
      presenceChanged: () => this.lifecycle.room?.presenceChanged(),
      left: (sender) => this.lifecycle.room?.left(sender),
      agents: {
        connectionChanged: (sender) => this.lifecycle.room?.reachability.connectionChanged(sender),
        bridgeLost: (participant, within) => this.lifecycle.room?.reachability.bridgeLost(participant, within),
        bridgeEnded: (sender) => this.lifecycle.room?.reachability.bridgeEnded(sender),
        waited: (sender) => this.lifecycle.room?.reachability.waited(sender),
      },
      wakeIn: (delay) => this.#scheduler.within(delay + SWEEP_SLACK),
      schedule,
    });
    this.#frames = new FrameRouter({
      room: this.name,
      audience: this.audience,
      open: () => this.lifecycle.room,
      now: () => Date.now(),
      identify: ({ state }, hello) =>
        this.#letIn((room) => this.authenticator.introduce(hello, state as SocketState, room)),
    });
    this.authenticator = new Authenticator(this.name, env);
    const room = this.#roomDeps();
    this.lifecycle = new RoomLifecycle({
      ...{ id: this.name, room },
      wipe: async () => {
        this.#scheduler.rung();
        await ctx.storage.deleteAlarm();
        await ctx.storage.deleteAll();
        room.storage.wiped();
      },
      ended: () => this.audience.closeAll(CLOSE.deleted, "room deleted", () => true),
      replaced: () => this.audience.closeAll(CLOSE.identifyAgain, "the room was made", () => true),
    });
    void ctx.blockConcurrencyWhile(async () => {
      this.#scheduler.resume(await ctx.storage.getAlarm());
      this.lifecycle.room?.begin();
    });
  }

  /** An upgrade from the Worker. The room is open before the socket is accepted, so that `onConnect` never waits. */
  override async fetch(request: Request): Promise<Response> {
    const socket = socketRequest(request);
    const isUnmade = socket.room?.unmade && !this.lifecycle.room;
    // Who says hello over it has still to show that there is a room for them.
    if (isUnmade) this.#unmade = socket.room;
    const opening = { lifecycle: this.lifecycle, authenticator: this.authenticator };
    const room =
      isUnmade && !socket.stream
        ? undefined
        : await openedFor(opening, socket.room, socket.stream?.caller, socket.address);
    if (isFault(room)) return refused(room);
    // Over a stream nobody can say hello: who reads has to be known before.
    const reader =
      room && socket.stream && (await identified(this.authenticator, room, socket.stream.caller, socket.address));
    if (isFault(reader)) return refused(reader);
    const refusal =
      (room && socket.stream && this.#refuseStream(room, reader)) ??
      this.#tooManyFrom(socket.address) ??
      this.audience.refuseNew(socket.address);
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
    occupiedRooms.add(this.name);
    usage.count("socketsOpened", 1);
    try {
      const { address, origin, audience, cursor, hello, uncounted, stream, reader, knowsErasures } =
        socketRequest(request);
      const newcomer = { address, origin, audience, uncounted, reader, knowsErasures };
      // Asked again: the room may have become another since the answer above.
      const refusal = this.lifecycle.room ? this.#refuseStream(this.lifecycle.room, reader) : SAY_WHO;
      if (!refusal) this.audience.enter(socket, newcomer, cursor);
      else if (!stream) this.audience.enterUnknown(socket, newcomer, cursor);
      else {
        socket.send(JSON.stringify(errorFrame(refusal)));
        socket.close(refusal.fault === "forbidden" ? CLOSE.forbidden : CLOSE.unauthorized, refusal.fault);
        return;
      }
      if (reader) this.lifecycle.room?.readers.watch(reader);
      if (hello) this.#frames.enter(socket, () => this.#introduce(hello, address));
    } catch (error) {
      // Thrown from here, an error would reach the client with its stack.
      this.#frames.failed(socket, error);
      this.audience.close(socket, CLOSE.serverError, "server error");
    }
  }

  /**
   * partyserver decodes what is attached to a socket for each of its messages, which costs more than the message. The
   * audience knows its sockets, so a message goes straight to the hook.
   */
  override async webSocketMessage(socket: WebSocket, data: WSMessage): Promise<void> {
    usage.count("objectRequests", 1 / FRAMES_A_REQUEST);
    if (this.audience.has(socket)) this.onMessage(socket, data);
    else await super.webSocketMessage(socket, data);
  }

  /** A room that was never made is not kept for those who have gone. */
  #watchUnmade(): void {
    if (this.audience.size === 0 && (this.#unmade || this.lifecycle.room?.record.unmade)) {
      this.#scheduler.within(UNMADE_KEPT);
    }
  }

  override onMessage(connection: Connection, data: WSMessage): void {
    this.#frames.take(connection as Socket, data);
  }

  override onClose(connection: Connection, code: number): void {
    this.#gone(connection as Socket, code === GOODBYE);
    // Nobody else answers an end without a code: the runtime would keep the server's half open until the room sleeps.
    if (WITHOUT_CODE.includes(code)) this.audience.close(connection as Socket, CLOSE.goingAway, "gone");
    this.#watchUnmade();
  }

  override onError(connection: Connection): void {
    this.#gone(connection as Socket);
  }

  #gone(socket: Socket, isGoodbye = false): void {
    this.audience.leave(socket, isGoodbye);
    // The list is as long as the audience: of a crowd that leaves, only the last one has it made.
    if (this.audience.size > 0) return;
    // What is closing stands in it until its close is confirmed.
    if (this.ctx.getWebSockets().every((other) => other === (socket as WebSocket))) {
      occupiedRooms.delete(this.name);
      this.#empty?.resolve();
    }
  }

  /** Places what waits for its place, and asks everybody to come back to the server that follows. */
  async restart(): Promise<void> {
    await this.lifecycle.room?.allPlaced();
    this.#empty ??= Promise.withResolvers();
    this.audience.closeAll(CLOSE.restarting, "the server is being restarted", () => true);
    if (occupiedRooms.has(this.name)) await this.#empty.promise;
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
    this.#keepDeadlines();
    if (this.audience.size === 0 && (await this.#forgetUnmade())) return;
    await this.lifecycle.room?.followers.run();
    await this.#lookForEnd();
  }

  /** What has a time at which it is due, and waits for nobody. */
  #keepDeadlines(): void {
    const { room } = this.lifecycle;
    for (const next of [this.audience.sweep(), room?.readers.sweep()]) {
      if (next !== undefined) this.#scheduler.within(next + SWEEP_SLACK);
    }
    room?.keepDeadlines();
  }

  /** Ends the room where it is to end. D1 is asked for that, and no deadline waits for it. */
  async #lookForEnd(): Promise<void> {
    const { lifecycle } = this;
    this.#looking ??= lifecycle
      .endIfGone()
      .then(async (isGone) => void (isGone || (await lifecycle.endIfSilent())))
      .finally(() => {
        this.#looking = undefined;
      });
    this.ctx.waitUntil(this.#looking);
    const late = Promise.withResolvers<void>();
    const cancel = schedule(WAITED_FOR, late.resolve);
    await Promise.race([this.#looking, late.promise]);
    cancel();
  }

  async #forgetUnmade(): Promise<boolean> {
    if (await this.lifecycle.endIfUnmade()) return true;
    if (!this.#unmade || this.lifecycle.room) return false;
    // Nobody has shown that there is a room: nothing is left of those who tried.
    this.#unmade = undefined;
    await this.lifecycle.end();
    return true;
  }

  /** Why `reader` gets no stream, or a socket is not welcomed before it has said who it is. */
  #refuseStream(room: OpenRoom, reader: Participant | undefined): Fault | undefined {
    return reader && this.authenticator.hasEnded(reader) ? UNKNOWN_KEY : room.readers.refuse(reader);
  }

  /** Who comes by what was in the upgrade. */
  #introduce(hello: NonNullable<SocketRequest["hello"]>, address: string): Promise<Introduction | Fault> {
    return this.#letIn((room) => {
      if ("token" in hello) return this.authenticator.introduceByToken(hello, address, room);
      return this.authenticator.introduceByKey(hello, address, room.guestPepper);
    });
  }

  /** Asks who somebody is in the room; in one that is not made yet only those for whom its site vouches are anybody. */
  async #letIn(introduced: (room: RoomRecord) => Promise<Introduction | Fault>): Promise<Introduction | Fault> {
    const known = this.lifecycle.room?.record;
    const record = known ?? this.#unmade;
    if (!record) return NO_SUCH_ROOM;
    const introduction = await introduced(record);
    if (known || isFault(introduction)) return introduction;
    if (!introduction.participant.vouched) return NO_SUCH_ROOM;
    const room = await this.lifecycle.openUnmade(record);
    return isFault(room) ? room : introduction;
  }

  #setAlarm(at: number): Promise<void> {
    usage.count("objectRowsWritten", 1);
    return this.ctx.storage.setAlarm(at);
  }

  #roomDeps(): OpenRoomDeps {
    const { storage } = this.ctx;
    const { env } = this;
    const configuration = configurationOf(env);
    const db = metered(env.DB, {
      ...{ usage, gauge, errors, limits: configuration, now: () => Date.now() },
      keepAlive: (work) => this.ctx.waitUntil(work),
    });
    return {
      now: () => Date.now(),
      schedule,
      storage: new RoomStorage({
        sql: meteredSql(storage.sql, usage) as Sql,
        transaction: (work) => storage.transactionSync(work),
      }),
      records: new RecordStore(meteredKeyValues(storage.kv, usage)),
      stored: () => ({ bytes: storage.sql.databaseSize, limit: configuration.roomBytes }),
      db,
      audience: this.audience,
      leases: this.leases,
      // A repeated question is charged once: it has an id.
      ask: ({ principal }, question) =>
        repeatable(async (): Promise<Admission | Fault> => await limiterOf(env, principal).admit(question)),
      keepAlive: (work) => this.ctx.waitUntil(work),
      wakeIn: (delay) => this.#scheduler.within(delay),
      archiveDelay: configuration.archiveDelay,
      copiesPerSecond: configuration.copiesPerSecond,
      keepDays: configuration.keepDays,
      perMinute: { guest: configuration.guestMessagesPerMinute, key: configuration.keyMessagesPerMinute },
      keyHasEnded: (participant) => this.authenticator.hasEnded(participant),
      personExists: async (handle) => (await new KeyTable(env.DB).findHandle(handle)) !== undefined,
      lobbyRules: configuration.lobbyRules,
      gone: () => this.lifecycle.end(),
      makeRoom: (record) => makeSiteRoom({ QUOTA: env.QUOTA, DB: db }, record),
    };
  }

  #tooManyFrom(address: string): Fault | undefined {
    const limit = configurationOf(this.env).socketsPerAddress;
    if (this.audience.sizeFrom(address) < limit) return undefined;
    return fault("rate_limited", `At most ${limit} connections to a room from one address.`, 60);
  }
}

/** A timer of the runtime's, and what takes it back. */
function schedule(delay: number, run: () => void): () => void {
  const timer = setTimeout(run, delay);
  return () => clearTimeout(timer);
}

const refused = (refusal: Fault): Response => Response.json(refusal, { status: ERROR_STATUS[refusal.fault] });

const socketHeaders = (socket: SocketRequest) => ({ [SOCKET_HEADER]: encodeURIComponent(JSON.stringify(socket)) });

function socketRequest(request: Request): SocketRequest {
  return JSON.parse(decodeURIComponent(request.headers.get(SOCKET_HEADER) as string)) as SocketRequest;
}
