/** The keyboard shortcuts, in every language: apart from the rest, because only who asks for them loads them. */

import type { Strings } from "./strings.ts";

type Shortcuts = readonly (readonly [keys: string, what: string])[];

const SHORTCUTS: Readonly<Record<string, Shortcuts>> = {
  en: [
    ["Enter", "Send"],
    ["Shift Enter", "New line"],
    ["@", "Complete a name"],
    ["↑ in an empty field", "To the messages"],
    ["↑ ↓ Home End", "From message to message"],
    ["R", "Reply"],
    ["Enter on a reply", "To what it answers"],
    ["C", "Copy the link"],
    ["Delete", "Delete your message"],
    ["Esc", "Back to the field"],
  ],
  de: [
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
  ar: [
    ["Enter", "إرسال"],
    ["Shift Enter", "سطر جديد"],
    ["@", "إكمال اسم"],
    ["↑ في الحقل الفارغ", "إلى الرسائل"],
    ["↑ ↓ Home End", "من رسالة إلى رسالة"],
    ["R", "ردّ"],
    ["Enter على ردّ", "إلى ما يردّ عليه"],
    ["C", "نسخ الرابط"],
    ["Delete", "حذف رسالتك"],
    ["Esc", "العودة إلى الحقل"],
  ],
};

/** Where Enter breaks the line instead. */
const CONTROL: Readonly<Record<string, string>> = { en: "Ctrl", de: "Strg", ar: "Ctrl" };

/** The shortcuts in the language of `strings`; `isTouched`: where the field is written in with an on-screen keyboard. */
export function shortcutsIn({ language }: Strings, isTouched: boolean): Shortcuts {
  const shortcuts = SHORTCUTS[language] ?? [];
  if (!isTouched) return shortcuts;
  const [[enter, send], [, newLine], ...rest] = shortcuts as [Shortcuts[number], Shortcuts[number]];
  return [[`${CONTROL[language]} ${enter}`, send], [enter, newLine], ...rest];
}
