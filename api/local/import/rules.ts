/** What the import does with what it can't take as it is: one rule for each kind of finding. docs/import.md has them as a table. */

export interface Rule {
  /** What became of it. */
  readonly effect: "changed" | "left out";
  /** What was found, and what was done. */
  readonly words: string;
}

export const RULES = {
  "unreadable-rows": { effect: "left out", words: "rows on a broken page; those before and after it are read" },
  "misplaced-row": { effect: "changed", words: "a row whose number is garbled stays where it was found" },
  "unknown-table": { effect: "left out", words: "a table that the previous server did not have" },
  "unknown-column": { effect: "left out", words: "a column that the previous server did not have" },

  "key-without-hash": { effect: "left out", words: "a key whose hash is no SHA-256, so that no key can fit" },
  "key-twice": { effect: "left out", words: "a second row of the same key" },
  "key-hash-form": {
    effect: "changed",
    words: "a hash as bytes, in capitals or with space around it is written as 64 small hex digits",
  },
  "key-id": { effect: "changed", words: "a key's id that is missing, taken or out of form is made from its hash" },
  "key-time": {
    effect: "changed",
    words: "a key's time that can't be used: the day of the import; or, of its last use, none",
  },
  "handle-form": { effect: "changed", words: "a handle out of form is written in small letters, digits and hyphens" },
  "handle-taken": { effect: "changed", words: "a handle that another key has gets an addition" },
  "handle-reserved": { effect: "changed", words: "a handle that reads like the server's own voice becomes two words" },

  "room-id": { effect: "changed", words: "a room's id out of form is written in small letters, digits and hyphens" },
  "room-twice": { effect: "left out", words: "a second row of the same room; its messages are in the first one" },
  "room-name": {
    effect: "changed",
    words: "a room's name is put on one line, cut to 80 characters, or taken from its id",
  },
  "room-time": {
    effect: "changed",
    words: "a room's time that can't be used: that of its first message, or of the import",
  },
  "room-made-anew": { effect: "changed", words: "a room that only its messages speak of is made, and not listed" },
  "room-in-use": {
    effect: "left out",
    words: "a room that is there and not empty, or belongs to somebody, with all its messages",
  },
  "room-woken": { effect: "left out", words: "the rest of a room that was opened before its import was finished" },

  "sender-without-key": {
    effect: "changed",
    words: "a sender that is no key's handle gets a name that nobody can take",
  },
  "message-id": { effect: "changed", words: "a message's id that is missing or out of form is made from its row" },
  "message-id-twice": {
    effect: "changed",
    words: "another message with an id that the room has already gets one of its own",
  },
  "message-twice": { effect: "left out", words: "a message that is there already: same id, sender, text and time" },
  "message-without-room": {
    effect: "changed",
    words: "a message that names no possible room goes into one called without-room",
  },
  blank: { effect: "left out", words: "a message with nothing to see in it" },
  "invalid-utf8": { effect: "changed", words: "bytes that are no text are replaced with U+FFFD" },
  "control-characters": { effect: "changed", words: "control characters are taken out" },
  whitespace: {
    effect: "changed",
    words: "space around a text is taken off, and line ends are written as one character",
  },
  "text-split": { effect: "changed", words: "a text that is too long for one message comes in several" },
  "text-cut": { effect: "left out", words: "what a text has after its first mebibyte" },
  "time-missing": {
    effect: "changed",
    words: "a message without a time has that of the message before it in its room",
  },
  "time-nonsense": {
    effect: "changed",
    words: "a message whose time is none has that of the message before it in its room",
  },
  "time-before-1970": {
    effect: "changed",
    words: "a message from before 1970 has the time of the message before it in its room",
  },
  "time-future": {
    effect: "changed",
    words: "a message from the future has the time of the message before it in its room",
  },
} as const satisfies Record<string, Rule>;

export type FindingKind = keyof typeof RULES;

/** One thing that was changed or left out. */
export interface Finding {
  readonly kind: FindingKind;
  readonly table?: string | undefined;
  readonly rowid?: bigint | undefined;
  /** The room that it is about, as its id is now. */
  readonly room?: string | undefined;
  /** What stood there, where it is a name or a time; never a text, a key or a hash. */
  readonly was?: string | undefined;
  readonly is?: string | undefined;
  /** How many messages it is about, where it is not one row. */
  readonly messages?: number | undefined;
}

/** Characters of what stood there that a finding shows. */
export const SHOWN = 80;
