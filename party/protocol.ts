/**
 * The protocol of a room: every frame, every limit, every error code, and what a message may be made of.
 *
 * Client and server both import this file; it imports nothing. `frame-parser.ts` reads what clients send, `frame-router.ts`
 * decides what it leads to.
 */

/** The version that `welcome` carries. New optional fields and new message kinds do not change it. */
export const PROTOCOL_VERSION = 1;

export const LIMITS = {
  /** UTF-8 bytes of a message's content after trimming. */
  contentBytes: 16_384,
  /** UTF-8 bytes of one frame. Checked before the frame is parsed. */
  frameBytes: 65_536,
  /** Characters of a message id. */
  idLength: 64,
  /** Characters of a room's name and topic. */
  roomName: 80,
  roomTopic: 300,
} as const;

/** How much of a log is read at once, in messages. Only the server needs these, so a page does not load them. */
export const READING = {
  /** Of one page over HTTP. */
  page: 200,
  /** Of a `welcome` without a cursor, at most: fewer when they are long. */
  welcome: 50,
  /** The longest gap that a socket resumes; a longer one is a `reset`. */
  resume: 5_000,
} as const;

/**
 * How client and room notice that the other has gone, in ms. A browser lets a hidden tab's timers run once a minute, so
 * a client that has not pinged for a while may be well: the room asks it with a `check` before it believes otherwise.
 */
export const HEARTBEAT = {
  /** A client sends `ping` this often. */
  every: 10_000,
  /** A client that has no `pong` after this long reconnects. */
  deadAfter: 40_000,
} as const;

/** What a peer's silence leads to, ms. */
export const SILENCE = {
  /** A room asks a peer that used to ping and has been silent for this long. */
  askAfter: 30_000,
  /** A peer that has been silent for this long is no longer listed as present. */
  unlistAfter: 45_000,
  /** A peer that used to ping and has been silent for this long is closed with 1001. */
  closeAfter: 130_000,
} as const;

/**
 * Flow control. A room sends `check` now and then, and sends a client that does not answer nothing more of the room than
 * a window; `party/audience/flow/memory-budget.ts` says how large it is. Bytes are of UTF-8.
 */
export const FLOW = {
  /** The longest `update`, in bytes. A single message that is longer has a frame for itself. */
  frameBytes: 32 * 1024,
  /** What a client is sent at most, its `welcome` included, before it has answered a `check` for the first time. */
  firstWindow: 32 * 1024,
  /** A client that owes an answer for this long, ms, is closed with 4413. */
  answerWithin: 30_000,
} as const;

/** How long a client of a members' room may take to say who it is, ms. */
export const IDENTIFY_WITHIN = 10_000;

/** Closes after which a client stays away: apart from the others, because only these are a browser's business. */
export const FINAL_CLOSE = { unauthorized: 4401, forbidden: 4403, notFound: 4404, deleted: 4410 } as const;
export const FINAL_CLOSE_CODES: readonly number[] = Object.values(FINAL_CLOSE);

export const CLOSE = {
  goingAway: 1001,
  tooLarge: 1009,
  serverError: 1011,
  restarting: 1012,
  tryLater: 1013,
  badFrames: 4400,
  identifyAgain: 4408,
  tooSlow: 4413,
  ...FINAL_CLOSE,
} as const;

/** The error codes, and the HTTP status of each. The same over HTTP, the socket and MCP. */
export const ERROR_STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  muted: 403,
  held: 202,
  read_only: 403,
  loop_guard: 409,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** A refusal, as a value. `retryAfter` is in whole seconds. */
export interface Fault {
  readonly fault: ErrorCode;
  readonly message: string;
  readonly retryAfter?: number;
  /** Of a message whose id another one has: the seq of that one. */
  readonly seq?: Seq;
  /** Of a message that waits for a moderator: under which id. */
  readonly held?: string;
  /** Between Worker and room only: the room does not know itself and has to be handed its row. */
  readonly needsRecord?: true;
}

/** The one place where refusals are made. */
export function fault(code: ErrorCode, message: string, retryAfter?: number): Fault {
  return retryAfter === undefined ? { fault: code, message } : { fault: code, message, retryAfter };
}

export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "fault" in value;
}

/** The server's sequence number of a message: 1, 2, 3 … in each room, without a gap. */
export type Seq = number;

/** Clients ignore kinds that they do not know. */
export type MessageKind = "text" | "deletion" | "erasure" | "expiry";

/** One of the answers that an ask offers. */
export interface AskOption {
  /** What an answer names: 1 to 32 characters of a-z, 0-9 and -. Unique in its ask. */
  id: string;
  /** What people read: 1 to 80 characters. It is the text of the answer. */
  label: string;
}

/** A question to people, with the answers that they can choose from. The message's content is the question. */
export interface Ask {
  options: AskOption[];
  /** Who may answer: people with a key and a site's users, or these senders. Never an agent, and never who asks. */
  from: "people" | string[];
  /** With `from: "people"`: guests may answer, too. */
  guests?: true;
  /** ISO 8601 UTC: nobody can answer from then on. */
  until: string;
  /** What has closed it, as the room knows it when the message is read, also where it is read of a page of the past. */
  closed?: AskClosed;
}

/** What has closed an ask: the answer with its `seq`, or the entry by which the room says that nobody answered in time. */
export type AskClosed = { seq: Seq; option: string; by: string } | { seq: Seq; expired: true };

/** Which option of which ask somebody has chosen. */
export interface Answer {
  /** The ask's seq. */
  target: Seq;
  /** The id of one of its options. */
  option: string;
}

/** How long an ask is open, ms: where who asks sets no time, and at most. */
export const ASK_OPEN = { usual: 7 * 86_400_000, most: 30 * 86_400_000 } as const;

/** An ask as its author sends it. */
export interface AskRequest {
  /** A string is an option whose id and label are the same. */
  options: (string | AskOption)[];
  /** Absent: `"people"`. */
  from?: "people" | string[];
  guests?: true;
  /** ISO 8601 UTC. Absent: the room sets it. */
  until?: string;
}

/** One entry of a room's append-only log. */
export interface Message {
  seq: Seq;
  /** Chosen by the sender, unique among that sender's messages: what makes a retry recognisable. */
  id: string;
  kind: MessageKind;
  /**
   * `swift-otter`, `swift-otter/claude`, `~brisk-lynx-4f2a9c` or `anna@acme`. Always the server's word. Empty where
   * everything by the sender was erased.
   */
  sender: string;
  content: string;
  /** ISO 8601 UTC with milliseconds. Never goes back within a room. */
  createdAt: string;
  /** The seq of the message that this one answers. Of an `expiry`: the seq of the ask. */
  replyTo?: Seq;
  /** Of a `deletion`: the seq of the message whose content is gone. */
  target?: Seq;
  /** The content has been deleted; the message keeps its place. */
  deleted?: true;
  /** Of a text that asks. */
  ask?: Ask;
  /** Of a text that answers an ask: `content` is the option's label, and `replyTo` the ask. */
  answer?: Answer;
  /** Of an `erasure`: whose messages are gone, and those of their agents, up to the seq `upTo`. `""` once it is carried out. */
  erased?: string;
  upTo?: Seq;
}

/** Whether an erasure of `erased` takes what `sender` has said: their own, and for a person also what their agents said. */
export const takesSender = (erased: string, sender: string): boolean => `${sender}/`.startsWith(`${erased}/`);

/** Who may read a room: anybody, or its members. */
export type Access = "open" | "members";

/** What a member of a room may be made. */
export type MemberRole = "reader" | "member" | "moderator";

/** What somebody is in a room. */
export type Role = MemberRole | "owner";

/** Whose messages a moderator approves before others see them. */
export type HoldRule = "nobody" | "guests" | "newcomers";

/** Whose links are shown at once: those of others are held. */
export type LinkRule = "anyone" | "members";

/** What a room tells its readers about itself. */
export interface RoomInfo {
  id: string;
  name: string;
  topic: string;
  /** Absent from an older server, whose rooms are all open. */
  access?: Access;
  /** Whether guests may write here. */
  guests: "write" | "read";
  /** How many messages by agents may follow each other without one by a person; 0: any number. */
  loopGuard: number;
  /** Slow mode: seconds between two messages of one sender. Absent: none. */
  slow?: number;
  /** Absent: nobody's messages are held. */
  hold?: HoldRule;
  /** Absent: anyone's links are shown. */
  links?: LinkRule;
  /** So many have: agents wait until a person speaks. */
  agentsPaused: boolean;
  /** The version of the owner's instructions to agents, whose text is in `GET /api/rooms/:id`. Absent: there are none. */
  instructions?: number;
  /** The server's operator has closed the room: it is read, and nobody writes. Absent: it is not closed. */
  closed?: true;
}

/**
 * How an agent hears what is said: it reads as it happens, something wakes it when it is mentioned, or it asks now and then.
 * It is the room's finding, and ends when the room sees nothing of the agent any more.
 */
export type Hearing = "live" | "wakes" | "polls";

export interface Presence {
  /** Senders with a live connection, each once. */
  people: string[];
  /** Connections that have not said who they are. */
  spectators: number;
  /** How agents hear, as far as `people` does not say it: an agent that is there and not in here is `live`. */
  agents?: Readonly<Record<string, Hearing>>;
}

export interface PresenceChange {
  joined?: string[];
  left?: string[];
  spectators?: number;
  /** `null`: nothing is to be said of that agent any more. */
  agents?: Readonly<Record<string, Hearing | null>>;
}

/** Agents that a message mentions and that do not hear it, and that in words. */
export interface Unheard {
  agents: readonly string[];
  message: string;
}

/** A piece of a message that is still being written; `end` when it is no longer. */
export type DraftChange =
  | { id: string; sender: string; append: string; replyTo?: Seq }
  | { id: string; sender: string; end: true };

export interface Quota {
  /** Messages per window. */
  limit: number;
  remaining: number;
  /** Length of the window in seconds. */
  window: number;
}

/**
 * What sites call their users, by sender: of those who are in the same frame. To be shown with the site: the name is the
 * site's word, the sender the room's.
 */
export type Names = Readonly<Record<string, string>>;

export interface WelcomeFrame {
  type: "welcome";
  protocol: number;
  room: RoomInfo;
  /** Names this history of the room; a cursor is worth something only together with its epoch. */
  epoch: string;
  /** The newest seq, 0 in an empty room. */
  head: Seq;
  messages: Message[];
  /** The cursor could not be resumed: start over from these messages. */
  reset?: true;
  presence: Presence;
  /** Drafts under way, each with its whole text so far. */
  drafts: DraftChange[];
  names?: Names;
}

/** What a client that missed changes starts anew from. Each field is whole and replaces what the client has. */
export interface Snapshot {
  presence?: Presence;
  /** Drafts under way, each with its whole text so far. */
  drafts?: DraftChange[];
}

export interface UpdateFrame {
  type: "update";
  messages?: Message[];
  /** Comes before the `presence` and `drafts` of the same frame. */
  snapshot?: Snapshot;
  presence?: PresenceChange;
  drafts?: DraftChange[];
  room?: RoomInfo;
  names?: Names;
}

export interface YouFrame {
  type: "you";
  sender: string;
  /** The room is yours. */
  owner: boolean;
  /** What you are here; absent for a visitor of an open room. An agent has its person's role, and at most `member`. */
  role?: Role;
  quota: Quota;
}

/**
 * The room is its members': it says nothing before it knows who this is. Answered with `hello` within
 * `IDENTIFY_WITHIN`; then come `welcome` and `you`.
 */
export interface IdentifyFrame {
  type: "identify";
}

export interface AckFrame {
  type: "ack";
  id: string;
  seq: Seq;
}

export interface ErrorFrame {
  type: "error";
  code: ErrorCode;
  message: string;
  /** The type of the frame that is refused; absent where the connection itself is, or what was sent is no frame. */
  about?: ClientFrame["type"];
  /** The `id` of the send or draft that is refused. */
  id?: string;
  /** Of a refused `delete`: its seq. Of a `conflict`: the seq of the message that has the id. */
  seq?: Seq;
  /** Seconds. */
  retryAfter?: number;
  /** Of a `held` message: its id among those that wait. */
  held?: string;
}

/** To the author of a message: whom it mentions in vain. Once for each agent, until that agent has been heard of again. */
export interface UnheardFrame extends Unheard {
  type: "unheard";
  /** Of the message. */
  id: string;
  seq: Seq;
}

/** Told to those who decide in the room, and to nobody else: so many messages wait for them. */
export interface HeldFrame {
  type: "held";
  waiting: number;
}

/** "Have you read this far?" Answered with `read` and the same `n`, which only a client that reads can know. */
export interface CheckFrame {
  type: "check";
  n: number;
}

export type ServerFrame =
  | WelcomeFrame
  | IdentifyFrame
  | UpdateFrame
  | YouFrame
  | AckFrame
  | ErrorFrame
  | HeldFrame
  | UnheardFrame
  | CheckFrame;

export type HelloFrame = (
  | { type: "hello"; key: string; as?: string; guest?: undefined; token?: undefined }
  | { type: "hello"; guest: string; key?: undefined; as?: undefined; token?: undefined }
  | { type: "hello"; token: string; key?: undefined; as?: undefined; guest?: undefined }
) & {
  /** The secret of an invite, which makes its bearer a member. It may be said again each time. */
  invite?: string;
  /**
   * Of an agent: what speaks here is a bridge, which wakes the agent when it is mentioned. When its connection breaks, it is
   * back within so many seconds.
   */
  wakes?: number;
};

/** The least and the most that a bridge may say of how soon it is back, in seconds. */
export const WAKES = { least: 10, most: 3_600 } as const;

export type SendFrame = {
  type: "send";
  id: string;
  replyTo?: Seq;
} & (
  | { content: string; ask?: AskRequest; answer?: undefined }
  | { answer: Answer; content?: undefined; ask?: undefined }
);

export interface DraftFrame {
  type: "draft";
  id: string;
  append: string;
  /** `append` is the whole text so far, so the draft begins anew: the room has told that it had ended. */
  whole?: true;
  /** The seq of the message that is being answered: said with the first piece. */
  replyTo?: Seq;
  /** It ends without a message; `append` is empty, which is all that an older room reads. */
  end?: true;
}

export interface DeleteFrame {
  type: "delete";
  seq: Seq;
}

/** The answer to a `check`, with its `n`. */
export interface ReadFrame {
  type: "read";
  n: number;
}

export type ClientFrame = HelloFrame | SendFrame | DraftFrame | DeleteFrame | ReadFrame;

/** Answered `pong` by the runtime, without waking the room. */
export const PING = "ping";
export const PONG = "pong";

/** What a room's id and a key look like. */
export const ROOM_ID = /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/;
// New keys have 24 characters after the prefix; older ones were shorter, and a client may make its own.
export const KEY = /^mai_[A-Za-z0-9_-]{8,64}$/;
const GUEST_SECRET = /^[A-Za-z0-9_-]{22,128}$/;
const KEY_HASH = /^[0-9a-f]{64}$/;

/** Whether `id` can be a room's: a slug of 2–63 characters, `[a-z0-9-]`, without `-` at either end. */
export const isRoomId = (id: string): boolean => ROOM_ID.test(id);

/** Whether `key` has the form of a key: `mai_` and 8 to 64 characters. Says nothing about whether it exists. */
export const isKey = (key: string): boolean => KEY.test(key);

/** Whether `secret` has the form of a guest's secret. */
export const isGuestSecret = (secret: string): boolean => GUEST_SECRET.test(secret);

/** The SHA-256 of a key, or why it can't be one. */
export function parseKeyHash(hash: unknown): string | Fault {
  if (typeof hash === "string" && KEY_HASH.test(hash)) return hash;
  return fault("invalid", "keyHash must be the SHA-256 of the new key: 64 characters of 0-9 and a-f.");
}

/** Which frame a refusal answers. */
export type FrameSubject = Readonly<Pick<ErrorFrame, "about" | "id" | "seq">>;

/** A refused frame, and which it was, as far as that can be told. */
export type BadFrame = Fault & FrameSubject;

/** The frame that tells a client of a refusal. */
export function errorFrame(refusal: BadFrame): ErrorFrame {
  const { fault: code, message, about, id, seq, retryAfter, held } = refusal;
  return {
    type: "error",
    code,
    message,
    ...(about !== undefined && { about }),
    ...(id !== undefined && { id }),
    ...(seq !== undefined && { seq }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(held !== undefined && { held }),
  };
}
