/** Times as people read them. */

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

const UNITS = [
  ["minute", 60],
  ["hour", 60 * 60],
  ["day", 24 * 60 * 60],
  ["month", 30 * 24 * 60 * 60],
  ["year", 365 * 24 * 60 * 60],
] as const;

/** "just now", "5 minutes ago", "yesterday". Takes ISO 8601 and a time in ms. */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  const unit = UNITS.findLast(([, length]) => seconds >= length);
  if (!unit) return "just now";
  return relative.format(-Math.floor(seconds / unit[1]), unit[0]);
}

/** "Nov 24, 2026, 11:05 AM" */
export const dateAndTime = (time: string): string => full.format(new Date(time));

/** "Nov 24, 2026" */
export const dateOf = (time: string): string => day.format(new Date(time));

/** "49 minutes left". Takes ISO 8601 and a time in ms. */
export function timeLeft(until: string, now: number): string {
  const seconds = Math.max(0, (Date.parse(until) - now) / 1000);
  // "90 minutes" says more than "2 hours".
  const [unit, length] = UNITS.slice(0, 3).findLast(([, one]) => seconds >= 2 * one) ?? UNITS[0];
  const count = Math.max(1, Math.round(seconds / length));
  return `${count} ${unit}${count === 1 ? "" : "s"} left`;
}
