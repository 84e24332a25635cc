/**
 * One room as an element shows it: the connection, the state that its events add up to, and what the reader does. The
 * element renders it and tells it which room; what is only needed later is loaded later, with the renderer or the field.
 */

import type { Message, Seq } from "../../../party/protocol.ts";
import { systemClock } from "../../stay/clock.ts";
import { Connection } from "../../stay/connection.ts";
import { type Credentials, guestAt, knownGuest } from "../../stay/credentials.ts";
import { RoomError } from "../../stay/room-error.ts";
import type { RoomEvent } from "../../stay/room-event.ts";
import {
  decides,
  EMPTY_ROOM,
  messageAt,
  type ReaderEvent,
  type RoomState,
  reduceRoom,
  waitsUntil,
} from "../../view/room-state.ts";
import { Unread } from "../../view/unread.ts";
import type { RoomActions } from "../actions.ts";
import { deviceMemory, memoryOf } from "../browser-memory.ts";
import type { Author, MeetAiComposer } from "../composer/composer.ts";
import {
  MeetAiErrorEvent,
  MeetAiMessageEvent,
  MeetAiPresenceEvent,
  MeetAiSendEvent,
  MeetAiStatusEvent,
  MeetAiUnreadEvent,
} from "../events.ts";
import type { MeetAiFeed } from "../feed/feed.ts";
import { painted } from "../feed/painted.ts";
import { idle, lazily } from "../lazy.ts";
import { loadRenderer } from "../lazy-renderer.ts";
import type { LogReader } from "../log-reader.ts";
import { loadTools } from "../message/message.ts";
import { nameText } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import { Speech } from "./speech.ts";
import { endWarmUp } from "./warm-up.ts";

/** What a controller needs of its element. */
export interface RoomHost extends HTMLElement {
  readonly updateComplete: Promise<unknown>;
  readonly key: string | undefined;
  readonly getToken: (() => Promise<string>) | undefined;
  readonly invite: string | undefined;
  readonly readonly: boolean;
  /** What it says, in the reader's language. */
  readonly texts: Strings;
  readonly feed: MeetAiFeed | undefined;
  readonly field: MeetAiComposer | undefined;
  requestUpdate(): void;
}

export class RoomController {
  state: RoomState = EMPTY_ROOM;
  /** The message that the next one replies to. */
  replyTo: Message | undefined;
  /** The time that the countdown of a quota is rendered for, ms since 1970. */
  now = systemClock.now();
  unread = new Unread({ storage: deviceMemory, name: "", isVisible });
  /** Writes as the person here, once the field has come and there is a connection. */
  author: Author | undefined;

  readonly #host: RoomHost;
  #connection: Connection | undefined;
  /** Reads beyond the window, once a reader has asked for that. */
  #reader: LogReader | undefined;
  #speech: Speech;
  #ticking: ReturnType<typeof setInterval> | undefined;
  /** The message to go to once the room is open. */
  #wanted: Seq | undefined;
  /** The reader is on the way to a message. */
  #going: object | undefined;
  /** Who the person here is, if that is known. Without it, one who begins to write becomes a guest. */
  #person: Credentials | undefined;

  constructor(host: RoomHost) {
    this.#host = host;
    this.#speech = new Speech(host);
  }

  /** What a screen reader is to say. */
  get spoken(): string {
    return this.#speech.text;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get loadFailed(): LogReader["failed"] | undefined {
    return this.#reader?.failed;
  }

  /** Why the room has closed the connection for good, if it has. */
  get error(): RoomError | undefined {
    return this.#connection?.error;
  }

  /** Whether the reader may write here. */
  get canWrite(): boolean {
    const { readonly, key, getToken } = this.#host;
    const { status, room, you } = this.state;
    if (readonly || status === "closed" || room?.closed || (room?.access === "members" && you?.role === "reader"))
      return false;
    return room?.guests !== "read" || key !== undefined || !!getToken;
  }

  /** Whether it is connected to this room. */
  isAt(server: string, room: string): boolean {
    return this.#connection?.room === room && this.#connection.server === server;
  }

  connect(server: string, room: string): void {
    this.disconnect();
    this.unread = new Unread({
      storage: deviceMemory,
      name: memoryOf("read", server, room),
      isVisible,
      changed: (unread) => this.#tell(new MeetAiUnreadEvent({ unread })),
    });
    const { key, invite, readonly, getToken } = this.#host;
    // An invite lets a person in, who has to be somebody for that.
    const known = key === undefined ? (invite ? guestAt : knownGuest)(deviceMemory, server) : { key };
    // The page may give another function by then.
    const user = getToken && { token: () => this.#host.getToken?.() as Promise<string> };
    const person = user || known;
    this.#person = person;
    const credentials = readonly && !invite ? undefined : person;
    // Who only watches says no name, unless the room asks for one.
    const connection = new Connection({ server, room, credentials, ifAsked: person, invite });
    this.#connection = connection;
    const isHere = this.#here();
    connection.subscribe((event) => isHere() && this.#onEvent(event));
    if (!readonly) this.#beginWriting();
  }

  disconnect(): void {
    const connection = this.#connection;
    this.unread.remember(this.state);
    this.unread.caughtUp();
    // What was wanted was of that room.
    if (connection) this.#wanted = undefined;
    // First what is kept for the next visit: it would be refused otherwise.
    this.author?.close();
    this.author = this.#connection = this.#reader = this.replyTo = undefined;
    connection?.close();
    this.#speech = new Speech(this.#host);
    this.#stopTicking();
    this.state = EMPTY_ROOM;
    this.#host.requestUpdate();
  }

  reconnect(): void {
    this.#connection?.reconnect();
  }

  /** Goes to a message and marks it; loads it if need be. In a room that is not open yet: when it is. */
  async goTo(seq: Seq): Promise<void> {
    if (!this.state.room) {
      this.#wanted = seq;
      return;
    }
    const isHere = this.#here();
    const going = {};
    this.#going = going;
    // In another room the same seq is another message, and of two messages the later is wanted.
    const isWanted = () => isHere() && going === this.#going;
    await (await this.#readLog())?.loadAround(seq, isWanted);
    if (!isWanted() || messageAt(this.state, seq)?.kind !== "text") return;
    this.#dispatch({ type: "following", following: false });
    await this.#host.updateComplete;
    if (isWanted()) this.#host.feed?.goTo(seq);
  }

  async send(content: string, replyTo: Seq | undefined): Promise<Seq> {
    const author = await this.actions.author();
    if (!author) throw new RoomError("unavailable", "The room was left before it had the message.");
    return author.send(content, { replyTo });
  }

  /** Loads the field, after the first messages are on the screen: they are what a page is waiting for. */
  async openComposer(): Promise<void> {
    await this.#host.updateComplete;
    // One that came for another element can be written in by now.
    if (!composer) {
      await painted();
      await idle();
      await loadComposer();
    }
    // Not of an element that was taken out meanwhile: its next render would only come here again.
    if (this.#beginWriting()) this.#host.requestUpdate();
    await idle();
    // They are here when the connection is not, and when the server has newer files than this page knows of.
    void loadTools();
  }

  /** Why what is written can't go out, once the field has come. */
  get notice(): string | undefined {
    return composer?.notice(this.state, this.#host.texts, this.now);
  }

  /** What the parts of the log and the list of people ask for. */
  readonly actions: RoomActions = {
    load: (where) => void this.#readLog().then((reader) => reader?.load(where)),
    quote: (seq) => void this.#readLog().then((reader) => reader?.quote(seq)),
    follow: (following) => {
      this.#dispatch({ type: "following", following });
      if (following) this.unread.caughtUp();
    },
    latest: () => this.#latest(),
    goTo: (seq) => void this.goTo(seq).catch(() => {}),
    reply: (message) => this.canWrite && this.#reply(message),
    nameOf: (sender) => nameText(sender, this.state.names[sender]),
    say: (text) => this.#speech.say(text),
    moderation: async () => new (await loadModeration()).Moderation(this.#connection as Connection),
    author: async () => {
      const isHere = this.#here();
      await loadComposer();
      return isHere() ? this.#beginWriting() : undefined;
    },
    mention: (sender) => this.#host.field?.insert(`@${sender} `),
    compose: () => this.#host.focus(),
  };

  /** What the person here says goes through this, once the field has come. What an earlier visit has left goes out. */
  #beginWriting(): Author | undefined {
    const connection = this.#connection;
    if (!composer || !connection) return undefined;
    const isHere = this.#here();
    this.author ??= new composer.Author(connection, {
      person: this.#person,
      hear: (event) => isHere() && this.#onEvent(event),
      room: () => this.state,
      replyTo: () => this.replyTo,
      reply: (message) => this.#reply(message),
      mayGo: (content) => this.#tell(new MeetAiSendEvent({ content, replyTo: this.replyTo?.seq })),
      gone: () => {
        this.replyTo = undefined;
        this.unread.answered();
        this.#latest();
      },
      toMessages: () => this.#host.feed?.focusRow(),
    });
    return this.author;
  }

  /** What reads the log beyond the window. It comes with the renderer: there is no beyond before there are messages. */
  async #readLog(): Promise<LogReader | undefined> {
    const connection = this.#connection;
    const isHere = this.#here();
    const { LogReader } = await loadRenderer();
    if (!connection || !isHere()) return undefined;
    this.#reader ??= new LogReader(connection, {
      state: () => this.state,
      show: (state) => isHere() && this.#show(state),
      changed: () => this.#host.requestUpdate(),
    });
    return this.#reader;
  }

  /** Tells later whether the element is still where it is now: it may have moved to another room meanwhile. */
  #here(): () => boolean {
    const connection = this.#connection;
    return () => connection === this.#connection;
  }

  #reply(message: Message | undefined): void {
    this.replyTo = message;
    this.#host.requestUpdate();
    this.#host.field?.focus();
  }

  #latest(): void {
    this.#going = undefined;
    this.#dispatch({ type: "latest" });
    this.unread.caughtUp();
    this.#host.feed?.follow();
  }

  /** Tells the page. Whether it has not been prevented. */
  #tell(event: Event): boolean {
    return this.#host.dispatchEvent(event);
  }

  #dispatch(event: RoomEvent | ReaderEvent): void {
    this.#show(reduceRoom(this.state, event));
  }

  #show(state: RoomState): void {
    this.state = state;
    this.#host.requestUpdate();
  }

  #onEvent(event: RoomEvent | ReaderEvent): void {
    this.#dispatch(event);
    switch (event.type) {
      case "status": {
        const isHere = this.#here();
        this.#tell(new MeetAiStatusEvent({ status: event.status, code: event.code }));
        if (event.error && isHere()) this.#onError(event.error);
        break;
      }
      case "welcome":
        if (!event.resumed) this.#begin(event);
        this.#tellPresence();
        break;
      case "messages":
        this.#onMessages(event.messages, event.history);
        break;
      case "you":
        void this.#readLog().then((reader) => reader?.stand(this.#host.invite));
        break;
      case "presence":
      case "snapshot":
        this.#tellPresence();
        break;
      case "pending":
        this.#tick();
        break;
      case "unheard":
        this.#speech.say(this.notice ?? "");
        break;
      case "error":
        this.#onError(event.error);
        break;
    }
  }

  #tellPresence(): void {
    this.#tell(new MeetAiPresenceEvent({ people: this.state.people, spectators: this.state.spectators }));
  }

  #begin({ welcome }: Extract<RoomEvent, { type: "welcome" }>): void {
    this.unread.begin(welcome, this.state.you?.sender);
    this.#host.feed?.follow();
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#wanted = undefined;
    // With the event that follows at once come the messages: it may be among them.
    const isHere = this.#here();
    void this.#host.updateComplete.then(() => isHere() && this.actions.goTo(wanted));
  }

  #onMessages(messages: readonly Message[], history: boolean): void {
    endWarmUp();
    const me = this.state.you?.sender;
    const isHere = this.#here();
    for (const message of messages) {
      if (message.kind !== "text") {
        if (message.kind !== "expiry") this.#speech.forget();
        continue;
      }
      const isNews = this.#tell(new MeetAiMessageEvent({ message: Object.freeze(message), history }));
      // The page may have left the room for it.
      if (!isHere()) return;
      if (history) continue;
      if (message.sender === me) {
        // An answer is not slowed down, and slows nothing down.
        if (!message.answer) this.#slowDown();
        continue;
      }
      if (isNews) this.#speech.announce(message);
      this.#host.feed?.hold();
      this.unread.add(message, this.state.following);
    }
  }

  #onError(error: RoomError): void {
    this.now = systemClock.now();
    const { about } = error;
    if (this.#tell(new MeetAiErrorEvent({ error, id: about && "id" in about ? about.id : undefined })))
      this.#speech.say(this.notice ?? "");
  }

  /** In slow mode what comes next waits for a while. */
  #slowDown(): void {
    const { slow } = this.state.room ?? {};
    if (!slow || decides(this.state)) return;
    this.#dispatch({ type: "slow", until: systemClock.now() + slow * 1000 });
    this.#tick();
  }

  /** Counts down while a quota holds something. */
  #tick(): void {
    this.now = systemClock.now();
    this.#host.requestUpdate();
    if (waitsUntil(this.state) <= this.now) this.#stopTicking();
    else this.#ticking ??= setInterval(() => this.#tick(), 1000);
  }

  #stopTicking(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }
}

/** The field is a part of its own: a reader does without, and everybody sees the log sooner. */
let composer: typeof import("../composer/composer.ts") | undefined;
export const loadComposer = lazily(
  () => import("../composer/composer.ts"),
  (part) => {
    composer = part;
  },
);
const loadModeration = lazily(() => import("../moderation/moderation.ts"));

const isVisible = (): boolean => document.visibilityState === "visible";
