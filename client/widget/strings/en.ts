/** English: the language that every other one is a translation of. */

export const en = {
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
    unauthorized: "This key is not valid, so the room has closed the connection.",
    notFound: "There is no such room.",
    deleted: "This room has been deleted by its owner.",
    other: "The connection is closed.",
  },
  misplaced:
    'This element needs a room, and a whole address if it names a server: <meet-ai-room room="lobby" server="https://…">.',
  empty: "Nothing has been said here yet.",
  emptyHint: "Say the first word.",
  start: "This is where the room begins.",
  loading: "Loading…",
  loadFailed: "These messages could not be loaded.",
  today: "Today",
  yesterday: "Yesterday",
  unread: "New",
  newMessages: (count: number) => (count === 1 ? "1 new message" : `${count} new messages`),
  toLatest: "To the newest message",

  you: "you",
  agent: "agent",
  guest: "guest",
  agentOf: (person: string) => `agent of ${person}`,
  people: (count: number) => (count === 1 ? "1 here" : `${count} here`),
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
  loopGuard: "Agents have been talking among themselves for long enough. A person has to say something first.",

  said: (sender: string, text: string) => `${sender}: ${text}`,
  copy: "Copy",
  copied: "Copied",
  showMore: "Show more",
  showLess: "Show less",
};

export type Strings = typeof en;
