/** The times of the previous server's file: `datetime('now')`, and what else has got into such columns. */

import { type Encoding, type SourceValue, textOf } from "./source-value.ts";

/** Why a time can't be used. */
export type TimeFault = "time-missing" | "time-nonsense" | "time-before-1970" | "time-future";

/** `YYYY-MM-DD HH:MM:SS` with or without its parts from the minutes on, a fraction, and a zone. Without a zone it is UTC. */
const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(?:Z|UTC|GMT|([+-])(\d\d):?(\d\d)?)?$/i;
const NUMBER = /^-?\d{1,20}(?:\.\d{1,20})?$/;

/** Numbers from here on are ms since 1970, and smaller ones seconds: these seconds are in the year 5138. */
const LEAST_MS = 100_000_000_000;
/** Smaller numbers are no times: as seconds since 1970 this is in 1973. */
const LEAST_SECONDS = 100_000_000;

/** A time in ms since 1970, or why it is none. What is later than `now` can't be: the file was written before. */
export function parseTime(value: SourceValue, encoding: Encoding, now: number): number | TimeFault {
  const at = instantOf(value, encoding);
  if (at === null) return "time-missing";
  if (at === undefined) return "time-nonsense";
  if (at < 0) return "time-before-1970";
  return at > now ? "time-future" : at;
}

/** In ms since 1970; `null` when nothing stands there, `undefined` when it is no time. */
function instantOf(value: SourceValue, encoding: Encoding): number | null | undefined {
  if (typeof value === "number" || typeof value === "bigint") return fromNumber(Number(value));
  const text = textOf(value, encoding)?.text.trim() ?? "";
  if (text === "") return null;
  return NUMBER.test(text) ? fromNumber(Number(text)) : fromText(text);
}

function fromNumber(number: number): number | undefined {
  if (number < 0) return number;
  if (!(number >= LEAST_SECONDS)) return undefined;
  return Math.floor(number < LEAST_MS ? number * 1_000 : number);
}

function fromText(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * 1_000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, fraction);
  // The 30th of February is another day by now.
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  const [zoneHours, zoneMinutes] = [part(9), part(10)];
  if (!isReal || zoneHours > 23 || zoneMinutes > 59) return undefined;
  const offset = (zoneHours * 60 + zoneMinutes) * 60_000;
  return date.getTime() - (match[8] === "-" ? -offset : offset);
}
