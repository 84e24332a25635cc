/**
 * The connection of one stay: it comes back by itself, resumes exactly where it stopped, and hands the log on in order,
 * nothing twice and nothing left out (promise 4 of docs/guarantees.md). What is written over it is the `Writer`'s subject,
 * what the log looks like the view's.
 */

import type {
  ClientFrame,
  ErrorCode,
  ErrorFrame,
  Message,
  Names,
  Seq,
  ServerFrame,
  UpdateFrame,
  WelcomeFrame,
  YouFrame,
} from "../../party/protocol.ts";
import { FINAL_CLOSE, PING, PONG } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import { type Credentials, type Token, tokenOf } from "./credentials.ts";
import { Emitter } from "./emitter.ts";
import { Heartbeat } from "./heartbeat.ts";
import { followPage } from "./page-cache.ts";
import { isFinal, openSocket, type ReconnectingSocket, type ReconnectingSocketOptions } from "./reconnecting-socket.ts";
import { apiOf, type RoomAddress } from "./room-address.ts";
import { passes, passesAfter, RoomError, refusedByRoom } from "./room-error.ts";
import type { ConnectionEvent, Status } from "./room-event.ts";

/** What a connection takes from its surroundings. */
export interface ConnectionDeps {
  /** Opens a socket that comes back by itself. */
  openSocket(options: ReconnectingSocketOptions): ReconnectingSocket;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  clock: Clock;
}

export interface ConnectionOptions extends RoomAddress {
  /** Without them the connection only watches, until `identify`. */
  readonly credentials?: Credentials | undefined;
  /** Credentials for a room that nobody may watch without: they are said when it asks. */
  readonly ifAsked?: Credentials | undefined;
  /** The secret of an invite, which makes a member of who has credentials. It is said each time, and counted once. */
  readonly invite?: string | undefined;
  /** Where an earlier stay stopped: the room then tells what came after. */
  readonly from?: { readonly after: Seq; readonly epoch: string } | undefined;
  readonly deps?: Partial<ConnectionDeps> | undefined;
}

/** So many resumes in a row may leave the same hole in the log; then the log begins anew, visibly. */
const RESUMES = 3;

export class Connection extends Emitter<ConnectionEvent> implements RoomAddress {
  readonly server: string;
  readonly room: string;
  readonly deps: ConnectionDeps;

  readonly #socket: ReconnectingSocket;
  readonly #heartbeat: Heartbeat;

  #credentials: Credentials | undefined;
  readonly #ifAsked: Credentials | undefined;
  readonly #invite: string | undefined;
  #status: Status = "connecting";
  #error: RoomError | undefined;
  #you: YouFrame | undefined;
  /** There is a connection, and it can be spoken to. */
  #connected = false;
  #identified = false;
  #suspended = false;
  /** The newest seq that has been handed on, within `#epoch`. */
  #cursor: Seq = 0;
  #epoch: string | undefined;
  /** Resumes in a row that brought nothing new and had a hole. */
  #holes = 0;
  #stopHello = () => {};
  /** A token that was asked for and has not come yet. */
  #asked: Promise<string> | undefined;
  /** The same, of a connection for which it has taken too long: it serves the next one, should it come first. */
  #late: Promise<string> | undefined;
  #stopFollowing: () => void;

  constructor({ server, room, credentials, ifAsked, invite, from, deps }: ConnectionOptions) {
    super();
    this.server = server.replace(/\/+$/, "");
    this.room = room;
    this.#credentials = credentials;
    this.#ifAsked = ifAsked;
    this.#invite = invite;
    this.#cursor = from?.after ?? 0;
    this.#epoch = from?.epoch;
    this.deps = { openSocket, fetch: (url, init) => fetch(url, init), clock: systemClock, ...deps };
    this.#socket = this.deps.openSocket({
      url: () => this.#socketUrl(),
      onopen: () => this.#onOpen(),
      onmessage: ({ data }) => this.#onData(data),
      onclose: ({ code }) => this.#onClose(code),
      onimpossible: (error) => this.#end("closed", undefined, new RoomError("unavailable", error.message)),
    });
    this.#heartbeat = new Heartbeat({
      clock: this.deps.clock,
      ping: () => this.#socket.send(PING),
      onDead: () => this.#retry(),
    });
    this.#stopFollowing = followPage(this);
  }

  get status(): Status {
    return this.#status;
  }

  /** Why the room has closed the connection for good; `undefined` as long as it has not. */
  get error(): RoomError | undefined {
    return this.#error;
  }

  /** Who one is in the room, once the room has said so. */
  get you(): YouFrame | undefined {
    return this.#you;
  }

  /** Who one is by one's own account; `undefined` for who only watches. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** The history that the log belongs to, once the room has said so. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Whether the room takes messages: it has welcomed this connection and said who it is. */
  get isReady(): boolean {
    return this.#status === "open" && this.#identified;
  }

  /** Becomes a participant, or another one: a connection keeps its name, so that takes a new connection. */
  identify(credentials: Credentials): void {
    const before = this.#credentials;
    this.#credentials = credentials;
    this.#you = this.#asked = this.#late = undefined;
    if (before) this.reconnect();
    else if (this.#connected) this.#sayHello();
  }

  /** Sends a frame. It is lost where the connection is: the caller says it again when the connection is `ready`. */
  say(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /**
   * Drops the connection, if there is one, and connects again at once, also after it was closed for good. Until then the
   * status is `offline`: so it also serves to say that the network has gone.
   */
  reconnect(): void {
    if (this.#status === "closed") this.#stopFollowing = followPage(this);
    this.#suspended = false;
    this.#error = undefined;
    this.#socket.reconnect();
    this.#end(this.#status === "closed" ? "connecting" : "offline");
  }

  /** Drops the connection and stays away until `resume`: a page that nobody sees keeps no socket. */
  suspend(): void {
    if (this.#status === "closed") return;
    this.#suspended = true;
    this.#socket.close();
    this.#end("offline");
  }

  /** Comes back from `suspend`. Without one it does nothing. */
  resume(): void {
    if (this.#suspended) this.reconnect();
  }

  /** Leaves the room. */
  close(): void {
    this.#suspended = false;
    this.#socket.close();
    this.#end("closed", 1000);
  }

  #socketUrl(): string {
    const url = `${apiOf(this).replace(/^http/, "ws")}/ws?knows=erasure`;
    return this.#epoch === undefined ? url : `${url}&after=${this.#cursor}&epoch=${encodeURIComponent(this.#epoch)}`;
  }

  #onOpen(): void {
    this.#connected = true;
    this.#heartbeat.start();
    this.#sayHello();
  }

  #onData(data: unknown): void {
    this.#heartbeat.heard();
    if (data === PONG) {
      this.#heartbeat.answered();
      return;
    }
    const frame = parseFrame(data);
    // What a broken frame said is lost, as in a hole.
    if (frame) this.#onFrame(frame);
    else this.#mend();
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        this.#onWelcome(frame);
        break;
      // Who has credentials has said hello already.
      case "identify":
        if (this.#credentials) break;
        if (this.#ifAsked) this.identify(this.#ifAsked);
        else this.#giveUp(new RoomError("unauthorized", "This room is for members."));
        break;
      case "update":
        this.#onUpdate(frame);
        break;
      case "you":
        this.#onYou(frame);
        break;
      case "ack":
        this.emit({ type: "answer", answer: frame });
        break;
      case "error":
        this.#onError(frame);
        break;
      case "unheard":
        this.emit(frame);
        break;
      case "held":
        this.emit({ type: "waiting", waiting: frame.waiting });
        break;
      // Flow control: only a client that reads can answer, so the room sees one that does not.
      case "check":
        this.say({ type: "read", n: frame.n });
        break;
    }
  }

  #onWelcome(welcome: WelcomeFrame): void {
    this.#onNames(welcome);
    const resumed = !welcome.reset && welcome.epoch === this.#epoch;
    this.#epoch = welcome.epoch;
    if (!resumed) this.#cursor = (welcome.messages[0]?.seq ?? welcome.head + 1) - 1;
    this.emit({ type: "welcome", welcome, resumed });
    this.#take(welcome.messages, !resumed);
    // A listener, or a hole in it, may have ended this connection.
    if (!this.#connected) return;
    this.#setStatus("open");
    this.#tellReady();
  }

  #onUpdate(update: UpdateFrame): void {
    const { messages, presence, drafts, room, snapshot } = update;
    this.#onNames(update);
    if (messages) this.#take(messages, false);
    if (snapshot) this.emit({ type: "snapshot", snapshot });
    if (presence) this.emit({ type: "presence", change: presence });
    if (drafts) this.emit({ type: "drafts", drafts });
    if (room) this.emit({ type: "room", room });
  }

  /** Before that in which they are needed. */
  #onNames({ names }: { readonly names?: Names }): void {
    if (names) this.emit({ type: "names", names });
  }

  #onYou(you: YouFrame): void {
    this.#you = you;
    const before = this.#identified;
    this.#identified = true;
    this.emit({ type: "you", you });
    if (!before) this.#tellReady();
  }

  #tellReady(): void {
    if (this.isReady) this.emit({ type: "ready" });
  }

  #onError(frame: ErrorFrame): void {
    // Until the room has said who one is, nothing but the hello can be refused, or the visit as a whole.
    if (this.#identified ? frame.about !== "hello" : frame.id !== undefined) {
      this.emit({ type: "answer", answer: frame });
      return;
    }
    this.#stopHello();
    const error = refusedByRoom(frame, { type: "hello" });
    this.#late = this.#asked;
    // The room has waited for long enough: it has refused nobody.
    if (this.#late && error.code === "unauthorized") this.#retry();
    else if (passes(error.code)) {
      this.#stopHello = this.deps.clock.after(passesAfter(error), () => this.#sayHello());
      this.emit({ type: "delayed", error });
    } else this.#giveUp(error);
  }

  #giveUp(error: RoomError): void {
    this.#socket.close();
    this.#end("closed", codeFor(error), error);
  }

  #onClose(code: number): void {
    if (isFinal(code)) this.#end("closed", code, errorFor(code));
    else this.#end("offline", code === 1000 ? undefined : code);
  }

  /** Hands on the messages after the cursor. A hole means that this connection can't be trusted: it starts over. */
  #take(messages: readonly Message[], history: boolean): void {
    const fresh = messages.filter(({ seq }) => seq > this.#cursor);
    const gap = fresh.findIndex(({ seq }, index) => seq !== this.#cursor + 1 + index);
    const contiguous = gap === -1 ? fresh : fresh.slice(0, gap);
    this.#cursor += contiguous.length;
    if (contiguous.length > 0) {
      this.#holes = 0;
      this.emit({ type: "messages", messages: contiguous, history });
    }
    if (gap !== -1 && this.#connected) this.#mend();
  }

  /** Resumes from before a hole. One that is always there can't be mended so: then the log begins anew. */
  #mend(): void {
    if (++this.#holes >= RESUMES) {
      this.#holes = 0;
      this.#epoch = undefined;
    }
    this.#retry();
  }

  #retry(): void {
    this.#socket.retry();
    this.#end("offline");
  }

  #sayHello(): void {
    const credentials = this.#credentials;
    const invite = this.#invite;
    if (!credentials) return;
    if ("token" in credentials) void this.#sayToken(credentials.token);
    else this.say({ type: "hello", ...credentials, ...(invite && { invite }) });
  }

  /** Without a token one reads on, where the room is open, and it is asked for again. */
  async #sayToken(token: Token): Promise<void> {
    let over = false;
    this.#stopHello();
    this.#stopHello = () => {
      over = true;
    };
    const fresh = tokenOf(token);
    const asked = this.#late ? Promise.race([this.#late, fresh]) : fresh;
    this.#asked = asked;
    try {
      const given = await asked;
      if (!over) this.say({ type: "hello", token: given });
    } catch (reason) {
      if (over) return;
      const error = new RoomError("unavailable", String(reason), { about: { type: "hello" } });
      this.emit({ type: "delayed", error });
      if (this.#status === "open") this.#stopHello = this.deps.clock.after(passesAfter(error), () => this.#sayHello());
      else this.#retry();
    } finally {
      if (this.#asked === asked) this.#asked = this.#late = undefined;
    }
  }

  /** The connection is over. The listeners hear of it last: they may begin the next one. */
  #end(status: Status, code?: number, error?: RoomError): void {
    if (status === "closed") this.#stopFollowing();
    this.#heartbeat.stop();
    this.#stopHello();
    this.#connected = this.#identified = false;
    // A view drops what its reader may not see any more. Let in again, they start over.
    if (error?.code === "forbidden") this.#epoch = undefined;
    this.#error = error;
    this.#setStatus(status, code);
  }

  #setStatus(status: Status, code?: number): void {
    if (this.#status === status) return;
    this.#status = status;
    this.emit({ type: "status", status, code, error: this.#error });
  }
}

function parseFrame(data: unknown): ServerFrame | undefined {
  try {
    return JSON.parse(data as string) as ServerFrame;
  } catch {
    return undefined;
  }
}

/** The final closes that say the same as a refusal, by its code. */
const CLOSES: Readonly<Record<string, number | undefined>> = {
  unauthorized: FINAL_CLOSE.unauthorized,
  forbidden: FINAL_CLOSE.forbidden,
  not_found: FINAL_CLOSE.notFound,
};

/** The reason behind a final close, where the room has given no other. */
const errorFor = (close: number): RoomError => {
  const code = Object.keys(CLOSES).find((known) => CLOSES[known] === close) as ErrorCode | undefined;
  return new RoomError(code ?? "not_found", "The room refused you.");
};

/** The close code that says the same as a refusal before the room has sent one. */
const codeFor = ({ code }: RoomError): number | undefined => CLOSES[code];
