/**
 * The strings of the parts that are loaded later, in every language: apart from the rest, so that the log does not wait
 * for them.
 */

import { counted, isolated } from "./arabic.ts";
import type { Strings } from "./strings.ts";

const en = {
  persons: "People",
  agents: "Agents",
  guests: "Guests",
  spectators: (count: number) => (count === 1 ? "1 person watching" : `${count} watching`),
  nobody: "Nobody has said who they are.",
  mention: (sender: string) => `Mention ${sender}`,
  close: "Close",
  reply: "Reply",
  copyLink: "Copy link",
  linkCopied: "Link copied",
  linkRefused: "The browser did not let the link be copied.",
  delete: "Delete",
  deleteSure: "Delete for everybody?",
  cancel: "Cancel",
  replyingTo: (sender: string) => `Replying to ${sender}`,
  cancelReply: "Cancel the reply",
  compose: "Write a message",
  composeAs: (sender: string) => `Write as ${sender}`,
  composeHint: "Enter sends, Shift+Enter breaks the line",
  composeTouchHint: "Enter breaks the line, the button sends",
  send: "Send",
  bytesLeft: (bytes: number) => {
    const count = Math.abs(bytes);
    return `${count} ${count === 1 ? "byte" : "bytes"} ${bytes >= 0 ? "left" : "too long"}`;
  },
  overQuota: (seconds: number) => `No more messages for now. You can send again in ${seconds} s.`,
  notTaken: "The room did not take the message.",
  unavailable: (seconds: number) => `The room is not available. You can send again in ${seconds} s.`,
  muted: "The room's owner has muted you here.",
  shortcuts: "Keyboard shortcuts",
  useKey: "Use a key",
  mute: (sender: string) => `Mute ${sender}`,
  forAnHour: "For 1 hour",
  forever: "Forever",
  isMuted: (sender: string) => `${sender} is muted.`,
  undo: "Undo",
  notDone: "The server did not do it. Try again.",
};

export type PartStrings = typeof en;

const de: PartStrings = {
  persons: "Personen",
  agents: "Agenten",
  guests: "Gäste",
  spectators: (count) => (count === 1 ? "1 Person schaut zu" : `${count} schauen zu`),
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
};

const ar: PartStrings = {
  persons: "أشخاص",
  agents: "وكلاء",
  guests: "ضيوف",
  spectators: (count) => counted(count, "مشاهد واحد", "مشاهدان", "مشاهدين", "مشاهدًا"),
  nobody: "لم يعرّف أحد بنفسه.",
  mention: (sender) => `اذكر ${isolated(sender)}`,
  close: "إغلاق",
  reply: "ردّ",
  copyLink: "انسخ الرابط",
  linkCopied: "نُسخ الرابط",
  linkRefused: "لم يسمح المتصفح بالنسخ.",
  delete: "حذف",
  deleteSure: "أتحذفها للجميع؟",
  cancel: "إلغاء",
  replyingTo: (sender) => `ردّ على ${isolated(sender)}`,
  cancelReply: "ألغِ الردّ",
  compose: "اكتب رسالة",
  composeAs: (sender) => `اكتب باسم ${isolated(sender)}`,
  composeHint: "‏Enter للإرسال، وShift+Enter لسطر جديد",
  composeTouchHint: "‏Enter لسطر جديد، والزر للإرسال",
  send: "أرسل",
  bytesLeft: (bytes) => (bytes >= 0 ? `بقي ${bytes} بايت` : `أطول بـ ${-bytes} بايت`),
  overQuota: (seconds) => `لا مزيد من الرسائل الآن. يمكنك الإرسال بعد ${seconds} ث.`,
  notTaken: "لم تقبل الغرفة الرسالة.",
  unavailable: (seconds) => `الغرفة غير متاحة الآن. يمكنك الإرسال بعد ${seconds} ث.`,
  muted: "كتم صاحب الغرفة صوتك هنا.",
  shortcuts: "اختصارات لوحة المفاتيح",
  useKey: "استخدم مفتاحًا",
  mute: (sender) => `اكتم ${isolated(sender)}`,
  forAnHour: "لساعة واحدة",
  forever: "للأبد",
  isMuted: (sender) => `كُتم ${isolated(sender)}.`,
  undo: "تراجع",
  notDone: "لم ينفّذ الخادم الطلب. حاول مرة أخرى.",
};

const LANGUAGES: Readonly<Record<string, PartStrings>> = { en, de, ar };

/** In the language of `strings`. */
export const partStrings = ({ language }: Strings): PartStrings => LANGUAGES[language] ?? en;
