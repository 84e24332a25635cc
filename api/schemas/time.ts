/** A time as a client gives it. */

import { type Fault, fault } from "../../party/protocol.ts";

/** As `toISOString` has it: `Date.parse` alone would also take `"7"` and `"March"`. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** `value` in ISO 8601, UTC, or a refusal with this message. */
export function parseTime(value: unknown, message: string): string | Fault {
  const at = typeof value === "string" && TIME.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? fault("invalid", message) : new Date(at).toISOString();
}
