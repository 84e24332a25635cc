/**
 * What a deployment may set: the variables of `wrangler.toml`, read and checked in one place. Each is explained in
 * `docs/self-hosting.md`.
 *
 * A variable that is misspelt must not become a quota of `NaN`, which refuses every message without saying why: so
 * everything is checked before anybody is served, on one machine at the start and on Cloudflare at the first request.
 */

import { SLOWEST } from "./moderation/pace.ts";
import { HOLD_RULES, LINK_RULES, type LobbyRules } from "./moderation/rules.ts";
import { LONGEST_KEEP_DAYS } from "./room-record.ts";

/** How much anyone may do, and how this deployment behaves. */
export interface Configuration {
  /** Messages that the guests of one address may send in a minute. */
  readonly guestMessagesPerMinute: number;
  /** Messages that one key may send in a minute, over all rooms and transports. */
  readonly keyMessagesPerMinute: number;
  /** Rooms that one key may make in 24 hours. */
  readonly roomsPerDay: number;
  /** Keys that one address may make in 24 hours. */
  readonly keysPerDay: number;
  /** Rotations of a key that one person may ask for in 24 hours. */
  readonly rotationsPerDay: number;
  /** Sites that one key may register in 24 hours. */
  readonly sitesPerDay: number;
  /** Users whom one site may bring in 24 hours that it has not brought before. */
  readonly siteUsersPerDay: number;
  /** Rooms that the users of one site may make by writing in them, in 24 hours. */
  readonly siteRoomsPerDay: number;
  /** The origin under which people reach this deployment, to which sites sign; `undefined`: that of each request. */
  readonly publicOrigin: string | undefined;
  /** Sockets of one room that one address may hold. */
  readonly socketsPerAddress: number;
  /** Look-ups that cost a query, by one address in a minute. */
  readonly lookupsPerMinute: number;
  /** Searches and far resumptions, each of which reads many rows, by one address in a minute. */
  readonly scansPerMinute: number;
  /** How far D1's copy of a quiet room may be behind, ms. */
  readonly archiveDelay: number;
  /** Copies to D1 that all rooms of one process together begin in a second. */
  readonly copiesPerSecond: number;
  /** What D1 and a room may hold, in bytes; `undefined`: as much as the disk. */
  readonly databaseBytes: number | undefined;
  readonly roomBytes: number | undefined;
  /** Whether the daily limits of Cloudflare's free plan hold. */
  readonly dailyLimits: boolean;
  /** Words that no chosen handle may have. */
  readonly reservedHandles: readonly string[];
  /** How many days of messages a room keeps at most; 0: all. */
  readonly keepDays: number;
  /** What is so in the lobby unless its moderators settle something else. */
  readonly lobbyRules: LobbyRules;
  /** Whether browsers are told to reach every subdomain of this host by HTTPS alone. */
  readonly hstsIncludesSubdomains: boolean;
  /** Whether the log has a line for every request, and not only for those that fail. */
  readonly logRequests: boolean;
  /** What proves that a caller is the operator; `undefined`: this deployment has none. */
  readonly operatorSecret: string | undefined;
}

/** A variable has a value that can't be used. The message is one line that names both. */
export class InvalidVariable extends Error {
  override readonly name = "InvalidVariable";
}

type Variables = Readonly<Record<string, unknown>>;

/** Configurations by the environment that they were read from, which lives as long as its isolate. */
const known = new WeakMap<object, Configuration>();

/** The configuration that `variables` give, which are the bindings of a Worker. Throws `InvalidVariable`. */
export function configurationOf(variables: object): Configuration {
  const earlier = known.get(variables);
  if (earlier) return earlier;
  const configuration = read(variables as Variables);
  known.set(variables, configuration);
  return configuration;
}

function read(variables: Variables): Configuration {
  const count = (name: string, least = 0) => wholeNumber(variables, name, { least, most: GREATEST });
  const countOr = (name: string, otherwise: number) => (variables[name] === undefined ? otherwise : count(name));
  return {
    guestMessagesPerMinute: count("GUEST_MESSAGES_PER_MINUTE"),
    keyMessagesPerMinute: count("KEY_MESSAGES_PER_MINUTE"),
    roomsPerDay: count("ROOMS_PER_DAY"),
    keysPerDay: count("KEYS_PER_DAY"),
    rotationsPerDay: count("ROTATIONS_PER_DAY"),
    sitesPerDay: countOr("SITES_PER_DAY", 5),
    siteUsersPerDay: countOr("SITE_USERS_PER_DAY", 1_000),
    siteRoomsPerDay: countOr("SITE_ROOMS_PER_DAY", 100),
    publicOrigin: origin(variables, "PUBLIC_URL"),
    socketsPerAddress: count("SOCKETS_PER_ADDRESS", 1),
    lookupsPerMinute: count("LOOKUPS_PER_MINUTE", 1),
    scansPerMinute: count("SCANS_PER_MINUTE", 1),
    archiveDelay: count("ARCHIVE_DELAY_MS"),
    copiesPerSecond: count("COPIES_PER_SECOND", 1),
    databaseBytes: megabytes(variables, "DATABASE_LIMIT_MB"),
    roomBytes: megabytes(variables, "ROOM_LIMIT_MB"),
    dailyLimits: trueOrFalse(variables, "DAILY_LIMITS"),
    reservedHandles: words(variables, "RESERVED_HANDLES"),
    keepDays: variables.KEEP_DAYS === undefined ? 0 : days(variables, "KEEP_DAYS"),
    lobbyRules: {
      slow: variables.LOBBY_SLOW === undefined ? 0 : wholeNumber(variables, "LOBBY_SLOW", { least: 0, most: SLOWEST }),
      hold: oneOf(variables, "LOBBY_HOLD", HOLD_RULES),
      links: oneOf(variables, "LOBBY_LINKS", LINK_RULES),
    },
    hstsIncludesSubdomains: trueOrFalse(variables, "HSTS_INCLUDE_SUBDOMAINS"),
    logRequests: variables.LOG_REQUESTS === undefined ? false : trueOrFalse(variables, "LOG_REQUESTS"),
    operatorSecret: secret(variables, "OPERATOR_SECRET"),
  };
}

/** What goes into a header and, with so many different characters, can't be guessed. */
const SECRET = /^[\x21-\x7e]{22,}$/;
const DIFFERENT = 8;

/** A secret, which may be left out. No refusal shows it. */
function secret(variables: Variables, name: string): string | undefined {
  const value = variables[name];
  if (value === undefined) return value;
  if (typeof value === "string" && SECRET.test(value) && new Set(value).size >= DIFFERENT) return value;
  throw new InvalidVariable(
    `${name} must have 22 or more characters of ASCII without spaces, ${DIFFERENT} of them different.`,
  );
}

/** An origin, such as `https://chat.example.com`; a slash at its end is passed over. `undefined` when it is left out. */
function origin(variables: Variables, name: string): string | undefined {
  const value = variables[name] ?? "";
  if (value === "") return undefined;
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new InvalidVariable(`${name} must be an address such as https://chat.example.com, not ${shown(value)}.`);
}

const WORD = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** Words with commas or spaces between them; none when the variable is left out. */
function words(variables: Variables, name: string): string[] {
  const value = variables[name] ?? "";
  const all = typeof value === "string" ? value.split(/[\s,]+/).filter((word) => word !== "") : [value];
  const wrong = all.find((word) => typeof word !== "string" || !WORD.test(word));
  if (wrong === undefined) return all as string[];
  throw new InvalidVariable(
    `${name} must have words of a-z, 0-9 and hyphens, with commas between them, not ${shown(wrong)}.`,
  );
}

/** A limit of so many is none. */
const GREATEST = 1_000_000_000;

const days = (variables: Variables, name: string): number =>
  wholeNumber(variables, name, { least: 0, most: LONGEST_KEEP_DAYS });

interface Range {
  readonly least: number;
  readonly most: number;
}

function wholeNumber(variables: Variables, name: string, { least, most }: Range): number {
  const value = variables[name];
  // Digits alone: `Number` would take an empty text for 0, and `1e3` for a thousand.
  if (typeof value === "string" && /^\d{1,10}$/.test(value)) {
    const number = Number(value);
    if (number >= least && number <= most) return number;
  }
  throw new InvalidVariable(`${name} must be a whole number from ${least} to ${most}, not ${shown(value)}.`);
}

/** A limit in bytes of a variable in megabytes, of which 0 is none. */
function megabytes(variables: Variables, name: string): number | undefined {
  return wholeNumber(variables, name, { least: 0, most: GREATEST }) * 1_000_000 || undefined;
}

function trueOrFalse(variables: Variables, name: string): boolean {
  const value = variables[name];
  if (value === "true" || value === "false") return value === "true";
  throw new InvalidVariable(`${name} must be "true" or "false", not ${shown(value)}.`);
}

/** One of some words; the first when the variable is left out. */
function oneOf<Word extends string>(variables: Variables, name: string, known: readonly [Word, ...Word[]]): Word {
  const value = variables[name];
  if (value === undefined) return known[0];
  const word = known.find((word) => word === value);
  if (word !== undefined) return word;
  throw new InvalidVariable(`${name} must be one of ${known.join(", ")}, not ${shown(value)}.`);
}

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}
