/** Dates and times as a reader's language writes them. */

import type { Message } from "../../party/protocol.ts";
import type { Strings } from "./strings/strings.ts";

interface Formats {
  readonly time: Intl.DateTimeFormat;
  readonly day: Intl.DateTimeFormat;
  readonly full: Intl.DateTimeFormat;
}

const formats = new Map<string, Formats>();

function formatsOf(language: string): Formats {
  let found = formats.get(language);
  if (!found) {
    found = {
      time: new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }),
      day: new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
      full: new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" }),
    };
    formats.set(language, found);
  }
  return found;
}

/** 14:05 */
export const shortTime = (iso: string, language: string): string => formatsOf(language).time.format(new Date(iso));

/** Tuesday, 24 November 2026 at 14:05:09 */
export const fullTime = (iso: string, language: string): string => formatsOf(language).full.format(new Date(iso));

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
export function dayName(iso: string, strings: Strings, now: Date): string {
  const day = dayNumber(new Date(iso));
  if (day === dayNumber(now)) return strings.today;
  if (day === dayNumber(new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1))) return strings.yesterday;
  return formatsOf(strings.language).day.format(new Date(iso));
}
