/** The rooms that a token names: ids, and beginnings of ids with a `*` behind them. */

/** Patterns that one token may have. */
export const MOST_PATTERNS = 50;

/** An id, a beginning of one and `*`, or `*` alone: every room of the site's owner. */
const PATTERN = /^(?:[a-z0-9-]{1,63}|[a-z0-9-]{0,62}\*)$/;

/** Whether `value` is a list of patterns. */
export const areRoomPatterns = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= MOST_PATTERNS &&
  value.every((pattern) => typeof pattern === "string" && PATTERN.test(pattern));

/** Whether one of `patterns` names the room `id`. */
export const nameRoom = (patterns: readonly string[], id: string): boolean =>
  patterns.some((pattern) => (pattern.endsWith("*") ? id.startsWith(pattern.slice(0, -1)) : pattern === id));
