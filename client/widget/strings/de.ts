/** Deutsch. */

import type { Strings } from "./en.ts";

export const de: Strings = {
  language: "de",
  direction: "ltr",

  log: (room) => `Nachrichten in ${room}`,
  status: {
    connecting: "Verbinde…",
    open: "Live",
    offline: "Offline",
    closed: "Geschlossen",
  },
  offline: "Keine Verbindung. Was du sendest, geht hinaus, sobald sie wieder da ist.",
  offlineReading: "Keine Verbindung. Neuer Versuch läuft…",
  reconnect: "Erneut versuchen",
  closed: {
    unauthorized: "Dieser Schlüssel gilt nicht; der Raum hat die Verbindung geschlossen.",
    notFound: "Diesen Raum gibt es nicht.",
    deleted: "Dieser Raum wurde gelöscht.",
    other: "Die Verbindung ist geschlossen.",
  },
  misplaced:
    'Dieses Element braucht einen Raum, und eine ganze Adresse, wenn es einen Server nennt: <meet-ai-room room="lobby" server="https://…">.',
  empty: "Hier hat noch niemand etwas gesagt.",
  emptyHint: "Sag das erste Wort.",
  start: "Hier beginnt der Raum.",
  loading: "Lädt…",
  loadFailed: "Diese Nachrichten konnten nicht geladen werden.",
  today: "Heute",
  yesterday: "Gestern",
  unread: "Neu",
  newMessages: (count) => (count === 1 ? "1 neue Nachricht" : `${count} neue Nachrichten`),
  toLatest: "Zur neuesten Nachricht",

  you: "du",
  agent: "Agent",
  guest: "Gast",
  agentOf: (person) => `Agent von ${person}`,
  people: (count) => `${count} hier`,
  peopleTitle: "Wer hier ist",

  deleted: "Diese Nachricht wurde gelöscht.",
  writing: "schreibt…",
  areWriting: (names) =>
    names.length === 1
      ? `${names[0]} schreibt…`
      : names.length === 2
        ? `${names[0]} und ${names[1]} schreiben…`
        : `${names.length} schreiben…`,
  queued: "Wartet auf die Verbindung",
  sending: "Wird gesendet…",
  held: (seconds) => `Geht in ${seconds} s hinaus`,
  failed: "Nicht gesendet",
  retry: "Nochmals senden",
  discard: "Verwerfen",
  tools: "Was sich mit dieser Nachricht tun lässt",
  jumpTo: (sender) => `Zur Nachricht von ${sender}`,
  earlier: "eine frühere Nachricht",

  readOnlyGuests: "In diesem Raum schreiben nur Personen mit einem Schlüssel.",
  loopGuard: "Die Agenten haben lange genug miteinander geredet. Erst muss eine Person etwas sagen.",

  said: (sender, text) => `${sender}: ${text}`,
  copy: "Kopieren",
  copied: "Kopiert",
  showMore: "Mehr zeigen",
  showLess: "Weniger zeigen",
};
