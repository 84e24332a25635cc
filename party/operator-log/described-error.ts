/**
 * What the log has of an error. The words of an error may quote what a visitor has sent: a parser quotes its input, and a
 * request that fails its address. So what is quoted is left out, and what looks like a secret or an address, too.
 */

export interface DescribedError {
  readonly name: string;
  readonly message: string;
  /** Where it was thrown, innermost first. */
  readonly stack?: string;
  /** Why, where the message does not say so. */
  readonly cause?: string;
  /** What the platform says of a failed call to an object. */
  readonly retryable?: true;
  readonly overloaded?: true;
}

/** Characters of a text in the log; a longer one is cut. */
const TEXT_LENGTH = 300;

/** Characters of which anything is told at all. */
const LOOKED_THROUGH = 1_000;

/** Frames of a stack. */
const STACK_FRAMES = 6;

export function describedError(error: unknown): DescribedError {
  // D1's words may come without their error.
  if (typeof error !== "object" || error === null) return { name: "Error", message: unquoted(String(error)) };
  const { name, message, stack, cause, retryable, overloaded } = error as Partial<Error> &
    Pick<DescribedError, "retryable" | "overloaded">;
  // It is about what was parsed, and need not put that in quotes.
  const said = name === "SyntaxError" ? "…" : unquoted(typeof message === "string" ? message : "");
  const why = cause instanceof Error ? unquoted(cause.message) : undefined;
  const at = framesOf(stack);
  return {
    name: withoutSecrets(typeof name === "string" ? name : "object"),
    message: said,
    ...(at && { stack: at }),
    ...(why && !said.includes(why) && { cause: why }),
    ...(retryable && { retryable }),
    ...(overloaded && { overloaded }),
  };
}

/** The frames of a stack alone: before them it repeats the message. */
function framesOf(stack: unknown): string | undefined {
  if (typeof stack !== "string") return undefined;
  const frames = stack.split("\n").filter((line) => /^\s+at \S.*:\d+:\d+\)?$/.test(line));
  const told = frames.slice(0, STACK_FRAMES).map((frame) => frame.trim().slice(0, TEXT_LENGTH));
  return told.length > 0 ? withoutKeys(told.join("\n")) : undefined;
}

/** Parsers' words that come under another name: `Unexpected token 'h', ..."what was said"... is not valid JSON`. */
const PARSERS = /\bJSON\b|regular expression|\bURL\b|header/i;

/** An error's words without what they quote. A single name in single quotes is one of ours: `reading 'seq'`. */
function unquoted(text: string): string {
  // Where it is cut, a quotation may have begun: it ends there.
  const message = text.length > LOOKED_THROUGH ? `${text.slice(0, LOOKED_THROUGH)}"'\`` : text;
  const without = PARSERS.test(message)
    ? message.replace(/["'`/].*["'`/]/s, "…")
    : message.replaceAll(/"[^"]*"|`[^`]*`/g, '"…"').replaceAll(/'(?![A-Za-z_$][\w$]{0,40}')[^']*'/g, "'…'");
  return withoutSecrets(without.replaceAll(/(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}/g, "…"));
}

/** `text`, cut, without what looks like a key, a token, another secret, or an address. */
export function withoutSecrets(text: string): string {
  const clean = withoutKeys(text.slice(0, LOOKED_THROUGH))
    .replaceAll(/\b(https?|wss?):\/\/[^\s"'<>]+/gi, "$1://…")
    .replaceAll(GROUPS, (groups) => (isIpv6(groups) ? "…" : groups))
    .replaceAll(IPV4, "…");
  return clean.length > TEXT_LENGTH ? `${clean.slice(0, TEXT_LENGTH)}…` : clean;
}

const withoutKeys = (text: string): string =>
  text
    // Keys, invites and the operator's secret.
    .replaceAll(/(?<![A-Za-z0-9])(mai|inv|mop)_[\w-]+/g, "$1_…")
    // Tokens of sites.
    .replaceAll(/(?<![A-Za-z0-9])eyJ[\w-]+(\.[\w-]*)*/g, "eyJ…")
    .replaceAll(/\b(bearer|guest|operator) +[^\s"']{8,}/gi, "$1 …");

const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)/g;
/** Groups and colons; which of them are an address says `isIpv6`. */
const GROUPS = /(?<![\w:])[\da-f]{0,4}(?::[\da-f]{0,4}){2,8}(?:(?:\.\d{1,3}){3})?(?!\w)/gi;

const isIpv6 = (groups: string): boolean => groups.includes("::") || groups.split(":").length === 8;
