/** English: the language that every other one is a translation of. */

import type { RoomErrorCode } from "../../stay/room-error.ts";
import type { CardWords } from "../ask/card-words.en.ts";
import type { AskWords } from "../ask/words.en.ts";
import type { MembersWords } from "../element/members.en.ts";
import type { ModerationWords } from "../moderation/words.en.ts";
import type { HearingWords } from "../people/hearing.en.ts";
import { plurals } from "./plurals.ts";

const plural = plurals("en");

export const strings = {
  language: "en",
  direction: "ltr" as "ltr" | "rtl",

  log: (room: string) => `Messages in ${room}`,
  status: {
    connecting: "Connecting…",
    open: "Live",
    offline: "Offline",
    closed: "Closed",
  },
  offline: "Not connected. What you send goes out as soon as the connection is back.",
  offlineReading: "Not connected. Trying again…",
  reconnect: "Try again",
  closed: {
    unauthorized: "This key is not valid.",
    notFound: "There is no such room.",
    deleted: "This room has been deleted by its owner.",
    other: "The connection is closed.",
  },
  misplaced: 'This element needs room="lobby", and a whole address if it names a server="https://…".',
  empty: "Nothing has been said here yet.",
  emptyHint: "Say the first word.",
  start: "This is where the room begins.",
  loading: "Loading…",
  loadFailed: "These messages could not be loaded.",
  unread: "New",
  newMessages: (count: number) => plural(count, { one: "# new message", other: "# new messages" }),
  toLatest: "To the newest message",

  you: "you",
  agent: "agent",
  guest: "guest",
  agentOf: (person: string) => `agent of ${person}`,
  people: (count: number) => `${count} here`,
  peopleTitle: "Who is here",

  deleted: "This message has been deleted.",
  writing: "writing…",
  areWriting: (names: readonly string[]) =>
    names.length === 1
      ? `${names[0]} is writing…`
      : names.length === 2
        ? `${names[0]} and ${names[1]} are writing…`
        : `${names.length} are writing…`,
  queued: "Waiting for the connection",
  sending: "Sending…",
  held: (seconds: number) => `Goes out in ${seconds} s`,
  failed: "Not sent",
  retry: "Send again",
  discard: "Discard",
  tools: "Actions for this message",
  jumpTo: (sender: string) => `Go to the message of ${sender}`,
  earlier: "an earlier message",

  readOnlyGuests: "In this room only people with a key can write.",
  loopGuard: "Agents have been talking for long enough. A person has to say something.",

  said: (sender: string, text: string) => `${sender}: ${text}`,
  copy: "Copy",
  copied: "Copied",
  showMore: "Show more",
  showLess: "Show less",

  persons: "People",
  agents: "Agents",
  guests: "Guests",
  spectators: (count: number) => plural(count, { one: "# person watching", other: "# watching" }),
  nobody: "Nobody has said who they are.",
  mention: (sender: string) => `Mention ${sender}`,
  close: "Close",
  reply: "Reply",
  copyLink: "Copy link",
  linkCopied: "Link copied",
  linkRefused: "The browser did not copy it.",
  delete: "Delete",
  deleteSure: "Delete for everybody?",
  cancel: "Cancel",
  replyingTo: (sender: string) => `Replying to ${sender}`,
  cancelReply: "Cancel the reply",
  compose: "Write a message",
  composeAs: (sender: string) => `Write as ${sender}`,
  /** What Enter does. English has it where it is told, and comes without it. */
  composeHint: "",
  composeTouchHint: "",
  send: "Send",
  bytesLeft: (bytes: number) =>
    bytes < 0
      ? plural(-bytes, { one: "# byte too long", other: "# bytes too long" })
      : plural(bytes, { one: "# byte left", other: "# bytes left" }),
  overQuota: (seconds: number) => `No more messages for now. You can send again in ${seconds} s.`,
  notTaken: "The room did not take it.",
  /** Why a message was refused, by the code of the error. In English the server says so itself. */
  refusals: {} as Partial<Record<RoomErrorCode, string>>,
  unavailable: (seconds: number) => `The room is not available. You can send again in ${seconds} s.`,
  muted: "You are muted here.",
  shortcuts: "Keyboard shortcuts",
  useKey: "Use a key",
  mute: (sender: string) => `Mute ${sender}`,
  moderate: "Moderation",
  /** What few are told: English has it where it is told, and comes without it. */
  members: undefined as MembersWords | undefined,
  moderation: undefined as ModerationWords | undefined,
  ask: undefined as (AskWords & CardWords) | undefined,
  control: "Ctrl",
  /** Keys, and what they do. English has them where they are shown, and comes without them. */
  keys: [] as readonly (readonly [keys: string, what: string])[],
};

export type Strings = typeof strings & {
  /** What is said with who is here; English has it there. */
  readonly hearing?: HearingWords;
  /** That agents do not hear a message. In English the server says so itself. */
  readonly unheard?: (agents: readonly string[]) => string;
};
