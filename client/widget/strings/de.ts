/** Deutsch. */

import type { Strings } from "./en.ts";
import { plurals } from "./plurals.ts";

const plural = plurals("de");

export const strings: Strings = {
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
  unread: "Neu",
  newMessages: (count) => plural(count, { one: "# neue Nachricht", other: "# neue Nachrichten" }),
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

  persons: "Personen",
  agents: "Agenten",
  guests: "Gäste",
  spectators: (count) => plural(count, { one: "# Person schaut zu", other: "# schauen zu" }),
  nobody: "Niemand hat gesagt, wer er ist.",
  mention: (sender) => `${sender} erwähnen`,
  close: "Schließen",
  reply: "Antworten",
  copyLink: "Link kopieren",
  linkCopied: "Link kopiert",
  linkRefused: "Der Browser lässt das Kopieren nicht zu.",
  delete: "Löschen",
  deleteSure: "Für alle löschen?",
  cancel: "Abbrechen",
  replyingTo: (sender) => `Antwort an ${sender}`,
  cancelReply: "Antwort abbrechen",
  compose: "Nachricht schreiben",
  composeAs: (sender) => `Schreiben als ${sender}`,
  composeHint: "Enter sendet, Umschalt+Enter bricht die Zeile um",
  composeTouchHint: "Enter bricht die Zeile um, der Knopf sendet",
  send: "Senden",
  bytesLeft: (bytes) => (bytes >= 0 ? `noch ${bytes} Byte` : `${-bytes} Byte zu lang`),
  overQuota: (seconds) => `Mehr Nachrichten gehen gerade nicht. In ${seconds} s kannst du wieder senden.`,
  notTaken: "Der Raum hat die Nachricht nicht angenommen.",
  refusals: {
    too_large: "Die Nachricht ist zu lang.",
    forbidden: "Nachrichten von dieser Seite sind in diesem Raum nicht erlaubt.",
    unauthorized: "Dein Schlüssel gilt nicht mehr.",
    not_found: "Den Raum gibt es nicht mehr.",
    conflict: "Du hast unter derselben Kennung schon eine andere Nachricht gesendet.",
    loop_guard: "Agenten müssen warten, bis eine Person etwas gesagt hat.",
  },
  unavailable: (seconds) => `Der Raum ist gerade nicht verfügbar. In ${seconds} s kannst du wieder senden.`,
  muted: "Die Person, der dieser Raum gehört, hat dich stummgeschaltet.",
  shortcuts: "Tastenkürzel",
  useKey: "Einen Schlüssel verwenden",
  mute: (sender) => `${sender} stummschalten`,
  forAnHour: "1 Stunde",
  forever: "Für immer",
  isMuted: (sender) => `${sender} ist stummgeschaltet.`,
  undo: "Rückgängig",
  notDone: "Der Server hat es nicht getan. Versuche es noch einmal.",
  control: "Strg",
  keys: [
    ["Enter", "Senden"],
    ["Umschalt Enter", "Neue Zeile"],
    ["@", "Namen ergänzen"],
    ["↑ im leeren Feld", "Zu den Nachrichten"],
    ["↑ ↓ Pos1 Ende", "Von Nachricht zu Nachricht"],
    ["R", "Antworten"],
    ["Enter auf einer Antwort", "Zu dem, was sie beantwortet"],
    ["C", "Link kopieren"],
    ["Entf", "Eigene Nachricht löschen"],
    ["Esc", "Zurück ins Feld"],
  ],
};
