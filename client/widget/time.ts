/** Dates and times as a reader's language writes them. */

import type { Message } from "../../party/protocol.ts";

const FORMATS = {
  time: { hour: "numeric", minute: "2-digit" },
  day: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  full: { dateStyle: "full", timeStyle: "medium" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

const formats = new Map<string, Intl.DateTimeFormat>();

/** `iso` as `language` writes it. A format takes milliseconds to make, so each is made once and only when it is used. */
function write(iso: string, language: string, name: keyof typeof FORMATS): string {
  const key = `${language} ${name}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, FORMATS[name]);
    formats.set(key, format);
  }
  return format.format(new Date(iso));
}

/** 14:05 */
export const shortTime = (iso: string, language: string): string => write(iso, language, "time");

/** Tuesday, 24 November 2026 at 14:05:09 */
export const fullTime = (iso: string, language: string): string => write(iso, language, "full");

const days = new WeakMap<Message, number>();

/** The local day of a message, as a number that two messages of one day share. */
export function dayOf(message: Message): number {
  let day = days.get(message);
  if (day === undefined) {
    day = dayNumber(new Date(message.createdAt));
    days.set(message, day);
  }
  return day;
}

const dayNumber = (date: Date): number => date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();

/** Today, Yesterday, or the date in full. */
export function dayName(iso: string, language: string, now: Date): string {
  const day = dayNumber(new Date(iso));
  const ago = [0, 1].find(
    (days) => day === dayNumber(new Date(now.getFullYear(), now.getMonth(), now.getDate() - days)),
  );
  if (ago === undefined) return write(iso, language, "day");
  const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
  return name.replace(/^./u, (letter) => letter.toLocaleUpperCase(language));
}
