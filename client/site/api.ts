/** The HTTP API as the site's pages use it: each call gives what was asked for, or throws an `ApiError`. */

import type { Access, ErrorCode, HoldRule, LinkRule } from "../../party/protocol.ts";

export interface Identity {
  id: string;
  handle: string;
  createdAt: string;
  lastUsed?: string | null;
}

export interface NewKey extends Identity {
  key: string;
}

export interface Room {
  id: string;
  name: string;
  topic: string;
  access: Access;
  createdBy: string | null;
  createdAt: string;
  lastSeq: number;
  lastMessageAt: string | null;
  guests: "write" | "read";
  loopGuard: number;
  /** Messages go after so many days; `null`: as on the server. */
  keepDays: number | null;
  /** On this server messages go after so many days at the latest; `null`: never. */
  keepDaysLimit: number | null;
  /** The room goes after so many days in which nothing was said; `null`: never. */
  endAfterDays: number | null;
  /** The operator of the server has closed it: nobody writes. */
  closed?: true;
}

/** A room as its owner sees it. */
export interface OwnRoom extends Room {
  /** What the owner asks of agents, in Markdown; `null`: nothing. */
  instructions: { version: number; text: string } | null;
  listed: boolean;
  /** The operator of the server has taken it out of the lists. */
  hidden?: true;
  origins: string[];
  /** Seconds between two messages of one sender. */
  slow: number;
  hold: HoldRule;
  links: LinkRule;
  blocked: string[];
}

/** How the room's archive in D1 is. Times are ISO 8601. */
export interface ArchiveState {
  /** A limit that D1 has reached. */
  hold: {
    limit: "full" | "day";
    since: string;
    nextTry: string;
    /** About so many more messages the room can keep by itself; null: not known. */
    placesLeft: number | null;
    lastsUntil: string | null;
  } | null;
  /** The part of its limit that D1 has used, from 0.8 on. */
  databaseShare: number | null;
  /** An estimate: the part of the plan's nearest daily limit that is used, from 0.8 on. */
  dayShare: number | null;
}

export interface RoomListPage {
  rooms: Room[];
  /** The cursor of the next page; null on the last. */
  next: string | null;
}

export interface RoomChange {
  name?: string;
  topic?: string;
  listed?: boolean;
  access?: Access;
  guests?: "write" | "read";
  loopGuard?: number;
  origins?: string[];
  slow?: number | null;
  hold?: HoldRule | null;
  links?: LinkRule | null;
  blocked?: string[];
  keepDays?: number | null;
  endAfterDays?: number | null;
  /** Empty: none. */
  instructions?: string;
}

export interface Mute {
  sender: string;
  /** ISO 8601; null: for good. */
  until: string | null;
  /** From their addresses nobody writes, either. */
  address?: true;
}

/** Something that somebody who decides in a room has done. */
export interface Deed {
  id: number;
  /** ISO 8601. */
  at: string;
  by: string;
  deed: string;
  target?: string;
  /** The role that was given. */
  role?: string;
}

export interface DeedPage {
  entries: Deed[];
  /** The cursor of the next page; null on the last. */
  next: number | null;
}

/** A call that was refused or did not arrive; `message` is written for the person at the page. */
export class ApiError extends Error {
  readonly code: ErrorCode | "unreachable";
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode | "unreachable", message: string, retryAfter?: number) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** The server has refused the call, so it has done nothing. */
  get isAnswer(): boolean {
    return this.code !== "unreachable" && this.code !== "unavailable";
  }
}

/** What to show for anything that a call threw. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong on this page. Reload it and try again.";
  if (error.retryAfter === undefined) return error.message;
  return `${error.message} Try again in ${waitingTime(error.retryAfter)}.`;
}

/** Whether `error` is a refusal with this code. */
export const isRefusal = (error: unknown, code: ApiError["code"]): boolean =>
  error instanceof ApiError && error.code === code;

/** A new key, with the handle that was chosen or with one of two words. With `keyHash` the answer has no `key`. */
export const createKey = (wish: { handle?: string | undefined; keyHash?: string | undefined }) =>
  call<Identity & { key?: string }>("POST", "/api/keys", { body: wish });
export const identify = (key: string) => call<Identity>("GET", "/api/keys/me", { key });
export const rotateKey = (key: string) => call<NewKey>("POST", "/api/keys/me/rotate", { key });
export const revokeKey = (key: string) => call<void>("DELETE", "/api/keys/me", { key });

export function listRooms(query: { q?: string; cursor?: string; limit?: number }, signal?: AbortSignal) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value) search.set(name, String(value));
  }
  return call<RoomListPage>("GET", `/api/rooms?${search}`, { signal });
}

/** A room; with what one has to show, where only its members read it. */
export const getRoom = (id: string, credentials?: Credentials) => call<Room>("GET", roomPath(id), { ...credentials });

/** The room with what only its owner sees of it. */
export const getOwnRoom = (key: string, id: string) =>
  call<OwnRoom & { archive: ArchiveState }>("GET", roomPath(id), { key });

export const createRoom = (
  key: string,
  room: { name: string; id?: string | undefined; topic?: string; listed?: boolean },
) => call<Room>("POST", "/api/rooms", { key, body: room });

export const changeRoom = (key: string, id: string, change: RoomChange) =>
  call<OwnRoom>("PATCH", roomPath(id), { key, body: change });

export const deleteRoom = (key: string, id: string) => call<void>("DELETE", roomPath(id), { key });

export const listMutes = (key: string, id: string) =>
  call<{ mutes: Mute[] }>("GET", `${roomPath(id)}/mutes`, { key }).then(({ mutes }) => mutes);

/** Mutes `sender` until then, or for good; with `address` also whoever else writes from where they do. */
export const mute = (
  key: string,
  id: string,
  sender: string,
  { until, address }: { until?: Date; address: boolean },
) => {
  const body = { ...(until && { until: until.toISOString() }), ...(address && { address }) };
  return call<void>("PUT", mutePath(id, sender), { key, body });
};

/** Who did what, newest first. */
export const listDeeds = (key: string, id: string, cursor?: number | null) =>
  call<DeedPage>("GET", `${roomPath(id)}/moderation?limit=30${cursor ? `&cursor=${cursor}` : ""}`, { key });

export const unmute = (key: string, id: string, sender: string) => call<void>("DELETE", mutePath(id, sender), { key });

/** Erases everything that `sender` has said in the room. `pending`: 1 while some of it is still to be overwritten. */
export const eraseSender = (key: string, id: string, sender: string) =>
  call<{ pending: number }>("DELETE", `${roomPath(id)}/messages?sender=${encodeURIComponent(sender)}`, { key });

/** The room's log as a file: as data, or to be read. Rejects when it has not come whole. */
export const exportRoom = (key: string, id: string, format: "ndjson" | "md") =>
  ask("GET", `${roomPath(id)}/export?format=${format}`, { key }, (response) => response.blob());

export const roomPath = (id: string) => `/api/rooms/${encodeURIComponent(id)}`;
const mutePath = (id: string, sender: string) => `${roomPath(id)}/mutes/${encodeURIComponent(sender)}`;

/** A key, or the secret of a guest. */
export interface Credentials {
  readonly key?: string | undefined;
  readonly guest?: string | undefined;
  /** The secret of the deployment's operator. */
  readonly operator?: string | undefined;
}

interface CallOptions extends Credentials {
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** Asks the server, and reads its answer as JSON. */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  return ask(method, path, options, async (response) => {
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  });
}

/** Asks the server; `read` reads a good answer to its end. */
async function ask<T>(
  method: string,
  path: string,
  { key, guest, operator, body, signal }: CallOptions,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (key !== undefined) headers.set("Authorization", `Bearer ${key}`);
  else if (operator !== undefined) headers.set("Authorization", `Operator ${operator}`);
  else if (guest !== undefined) headers.set("Authorization", `Guest ${guest}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");

  let response: Response;
  let refusal: { error?: { code: ErrorCode; message: string } } | undefined;
  try {
    response = await fetch(path, {
      method,
      headers,
      cache: "no-store",
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    if (response.ok) return await read(response);
    const text = await response.text();
    if (text !== "") refusal = JSON.parse(text);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("unreachable", "The server can't be reached. Check the connection and try again.");
  }

  const retryAfter = response.headers.get("Retry-After");
  throw new ApiError(
    refusal?.error?.code ?? "unavailable",
    refusal?.error?.message ?? `The server answered with status ${response.status}.`,
    retryAfter === null ? undefined : Number(retryAfter),
  );
}

function waitingTime(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} minutes`;
  return `${Math.round(seconds / 3600)} hours`;
}
