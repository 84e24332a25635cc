/** What the Worker and a room say to each other: the arguments and the answers of a room's calls. */

import type { HoldReport } from "./archive/hold.ts";
import type { Participant } from "./identity/sender.ts";
import type { Ask, Fault, MemberRole, Message, Presence, Quota, Role, Seq, Unheard } from "./protocol.ts";
import { fault } from "./protocol.ts";
import type { RoomRecord } from "./room-record.ts";

/** How the Worker hands a socket to the room: in headers of its own making. Everything is JSON, URI-encoded. */
export const SOCKET_HEADER = "x-meet-socket";

/**
 * Who calls through the Worker, which has checked what only needs D1 and a Limiter: a key, the operator's secret. What
 * needs the room's own row (a guest's name, a site's token) is worked out by the room's `Authenticator`.
 */
export type Caller = { readonly participant: Participant } | { readonly guest: string } | PresentedToken;

/** A site's token, with what the Worker knows of the way that it has come. */
export interface PresentedToken {
  readonly token: string;
  /** The origin to which it must have been signed. */
  readonly audience: string;
  /** The page that it comes from, where that is a foreign one. */
  readonly origin?: string | undefined;
}

/** What the Worker knows of a socket that it hands on. */
export interface SocketRequest {
  /** Absent when D1 was not asked, or could not be: a room that knows itself does without. */
  readonly room?: RoomRecord | undefined;
  /** The client's address, as it is counted. */
  readonly address: string;
  readonly origin?: string | undefined;
  /** The origin to which a site's token must have been signed. */
  readonly audience?: string | undefined;
  readonly cursor?: Cursor | undefined;
  /** It applies erasures. One that does not, as an older client, starts over when there is one. */
  readonly knowsErasures?: true | undefined;
  /** Whose key came with the upgrade (the name of their Limiter), its SHA-256 in hex, and for which agent; or a token. */
  readonly hello?:
    | PresentedToken
    | { readonly principal: string; readonly keyHash: string; readonly as?: string | undefined }
    | undefined;
  /** It waits for one answer and is nobody who watches. */
  readonly uncounted?: true | undefined;
  /**
   * The Worker reads it for a caller who can't say hello over it: an event stream, or a request that waits. Who calls has
   * to be known before it opens.
   */
  readonly stream?: { readonly caller?: Caller | undefined } | undefined;
  /** Who calls, of a `stream`, once the room knows. */
  readonly reader?: Participant | undefined;
}

/** The last seq that a client has seen, and of which history. */
export interface Cursor {
  readonly after: Seq;
  readonly epoch?: string | undefined;
}

/** What has become of a message: `repeated` when it was there already, with the quota that is left otherwise. */
export interface Sent {
  readonly message: Message;
  readonly repeated: boolean;
  readonly quota?: Quota | undefined;
  /** Agents that it mentions and that do not hear it. */
  readonly unheard?: Unheard | undefined;
}

/** How an ask stands. */
export type AskState =
  /** `until`: ISO 8601. */
  | { readonly state: "open"; readonly until: string }
  /** `seq` is the answer's, and `by` empty where its author was erased. */
  | {
      readonly state: "answered";
      readonly option: string;
      readonly label: string;
      readonly by: string;
      readonly seq: Seq;
    }
  /** `seq` is that of the entry which says so. */
  | { readonly state: "expired"; readonly seq: Seq }
  | { readonly state: "deleted" };

/** How an ask stands at the head of a log. */
export interface AskStanding {
  readonly ask: AskState;
  readonly head: Seq;
  readonly epoch: string;
}

/** A page of messages, oldest first. */
export interface Page {
  readonly messages: Message[];
  readonly head: Seq;
  readonly epoch: string;
  /** There are more in the direction that was asked for. */
  readonly more: boolean;
  /** What sites call those of the senders who are their users. */
  readonly names?: Readonly<Record<string, string>>;
  /** The server's operator has closed the room: nobody writes. */
  readonly closed?: true;
  /** The cursor is of another history or ahead of this one, or what follows it is gone: these are the newest messages instead. */
  readonly reset?: true;
}

/** A member as others are told of them. */
export interface Member {
  readonly sender: string;
  readonly role: Role;
  /** ISO 8601. */
  readonly since: string;
}

/** A page of a room's members, in the order of their names. */
export interface MemberPage {
  readonly members: Member[];
  /** After whom the next page begins; `null` on the last. */
  readonly next: string | null;
}

/** How far an erasure is. */
export interface ErasureProgress {
  /** Nobody is shown any of it, and some of it is still stored. */
  readonly pending: boolean;
}

/** An invite as those who moderate see it. */
export interface Invite {
  readonly id: string;
  readonly role: MemberRole;
  /** How many people may use it, and how many have. */
  readonly uses: number;
  readonly used: number;
  readonly createdBy: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601; `null`: never. */
  readonly expires: string | null;
}

/** Something that somebody who decides in a room has done. */
export interface Deed {
  /** Who has. */
  readonly by: string;
  readonly deed: DeedKind;
  /** Whom it was done to. */
  readonly target?: string;
  readonly detail?: {
    /** Until when, ISO 8601; `null`: for good. */
    readonly until?: string | null;
    /** The address, too. */
    readonly address?: true;
    /** Of which message. */
    readonly seq?: Seq;
    readonly role?: Role;
    /** Which of the room's settings have changed. */
    readonly settings?: readonly string[];
  };
}

/** What is written down. */
export const DEEDS = [
  "mute",
  "unmute",
  "delete",
  "erase",
  "approve",
  "refuse",
  "role",
  "remove",
  "settings",
  "owner",
] as const;
export type DeedKind = (typeof DEEDS)[number];

/** A page of deeds, newest first. */
export interface DeedPage {
  readonly entries: (Pick<Deed, "by" | "deed" | "target"> &
    NonNullable<Deed["detail"]> & {
      /** Later ones have a higher one. */
      readonly id: number;
      /** ISO 8601. */
      readonly at: string;
    })[];
  /** From before which `id` the next page is; `null` on the last. */
  readonly next: number | null;
}

/** Why a message is held: a guest's, a newcomer's, or because of a link. */
export type HeldReason = "guest" | "newcomer" | "link";

/** What an ask that waits offers, and to whom. */
export type HeldAsk = Omit<Ask, "until" | "closed"> & { readonly until?: string };

/** A message that waits, as moderators and its author are shown it. */
export interface Held {
  readonly id: string;
  /** The id that its author gave it. */
  readonly messageId: string;
  readonly sender: string;
  readonly content: string;
  /** Of an ask. Without `until` its time begins when it is approved. */
  readonly ask?: HeldAsk;
  readonly replyTo?: Seq;
  /** ISO 8601. */
  readonly at: string;
  readonly why: HeldReason;
}

/** Who mutes, and the tags of the addresses that are muted with the name. */
export interface MuteTargets {
  readonly by: string;
  readonly tags: readonly string[];
}

/** Where a room's log ends. */
export interface LogEnd {
  /** When the room was made, ISO 8601. */
  readonly createdAt: string;
  readonly head: Seq;
  /** Messages with a lower seq are gone. */
  readonly first: Seq;
  readonly epoch: string;
}

/** How a room is, beyond its row. */
export interface RoomState {
  readonly head: Seq;
  /** ISO 8601; `null` when nothing has been said. */
  readonly lastMessageAt: string | null;
  readonly presence: Presence;
  readonly agentsPaused: boolean;
  readonly archive: {
    lag: number;
    failures: number;
    /** Packs that D1 refuses, by their first seq. */
    refused: { first: Seq; reason: string }[];
    /** What is to be said of a D1 that has reached a limit. */
    hold: HoldReport | null;
  };
}

/** How a room is, as the operator is shown it: numbers, no names. */
export interface RoomGlance {
  /** When the room was made, ISO 8601. */
  readonly createdAt: string;
  readonly head: Seq;
  /** ISO 8601; `null` when nothing has been said. */
  readonly lastMessageAt: string | null;
  /** What the room's own storage holds. */
  readonly bytes: number;
  /** Who is there, each once, and connections of which nobody has said who they are. */
  readonly connections: { readonly people: number; readonly agents: number; readonly spectators: number };
  readonly archive: {
    /** Messages that D1 does not have yet. */
    readonly lag: number;
    /** Attempts in a row that have failed. */
    readonly failures: number;
    /** Packs of messages that D1 refuses. */
    readonly refused: number;
    readonly hold: HoldReport | null;
  };
}

/** The room's history can't be reached, so neither can the room. */
export const NOT_STARTED = fault("unavailable", "The room's history can't be reached at the moment.", 5);

/** The same, from a room that was not handed its row and does not know itself. */
export const NEEDS_RECORD: Fault = { ...NOT_STARTED, needsRecord: true };
