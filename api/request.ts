/** Reading what a client sends: bodies, numbers, keys. Everything is validated and replaced, never patched. */

import type { Context } from "hono";
import type * as z from "zod/mini";
import { configurationOf } from "../party/configuration.ts";
import { UNKNOWN_KEY } from "../party/identity/key-directory.ts";
import { findPerson } from "../party/identity/person-of-key.ts";
import { sha256Hex } from "../party/identity/sender.ts";
import { parseSeq } from "../party/message-parser.ts";
import { repeatable } from "../party/object-call.ts";
import { type Fault, fault, isFault, isKey, isRoomId, LIMITS, type Seq } from "../party/protocol.ts";
import type { PresentedToken } from "../party/room-rpc.ts";
import { isTokenLike } from "../party/sites/token.ts";
import { clientAddress } from "./address.ts";
import { Refused } from "./errors.ts";
import { checkOperator } from "./guards/operator.ts";
import { isOwnOrigin } from "./guards/same-site.ts";
import { requestIdOf } from "./request-log.ts";
import { conform } from "./schemas/schema.ts";

/** Hono's context of one request to this Worker. */
export type Call = Context<{ Bindings: Env }>;

/** Bytes of a request body. */
const BODY_BYTES = LIMITS.frameBytes;

/** `value`, or its refusal as an exception. */
export function accept<T>(value: T): Exclude<T, Fault> {
  if (isFault(value)) throw new Refused(value);
  return value as Exclude<T, Fault>;
}

/** The request's body, as `schema` has it. It must be a JSON object. */
export async function bodyOf<Schema extends z.ZodMiniType>(c: Call, schema: Schema): Promise<z.output<Schema>> {
  requireJson(c);
  return conform(schema, jsonObject(await bodyText(c.req.raw)));
}

/** The same of a request that may come without a body, which is then an empty object. */
export async function bodyIfAny<Schema extends z.ZodMiniType>(c: Call, schema: Schema): Promise<z.output<Schema>> {
  const text = await bodyText(c.req.raw);
  if (text === "") return conform(schema, {});
  requireJson(c);
  return conform(schema, jsonObject(text));
}

/** Any page may send a form's types to any server without a preflight, so only JSON is taken. */
function requireJson(c: Call): void {
  const type = c.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Refused(fault("invalid", "content-type must be application/json."));
}

function jsonObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(fault("invalid", "The body must be JSON."));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused(fault("invalid", "The body must be a JSON object."));
  }
  return value;
}

const bodyText = (request: Request): Promise<string> => boundedText(request, BODY_BYTES);

/** The body of a request. Reads no more of it than `most` bytes, whatever its header says. */
export async function boundedText({ body }: Request, most: number): Promise<string> {
  if (!body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > most) throw new Refused(fault("too_large", `A body is at most ${most} bytes.`));
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    // The client has gone, or has closed its side too early: nothing has failed here.
    throw error instanceof Refused ? error : new Refused(BROKEN_OFF);
  }
  return text + decoder.decode();
}

const BROKEN_OFF = fault("invalid", "The body broke off.");

/** The room's id in the path. A percent-encoded id is another id, which no room has. */
export function roomIdOf(c: Call): string {
  const id = c.req.param("id") ?? "";
  const segments = new URL(c.req.url).pathname.split("/");
  if (isRoomId(id) && segments.includes(id)) return id;
  throw new Refused(NO_SUCH_ROOM);
}

export const NO_SUCH_ROOM = fault("not_found", "There is no such room.");

/** What a browser's origin can be: a scheme, a host of 253 characters, a port. */
const LONGEST_ORIGIN = 300;

/**
 * The origin of the foreign page that calls; `undefined` for this server's own pages, which may always post, and for
 * programs, which have none. It is kept with a socket, where there is little room: one that no browser would send is
 * `null`, as that of a page which may not say.
 */
export function foreignOrigin({ headers, url }: Request): string | undefined {
  const origin = headers.get("origin");
  if (origin === null) return undefined;
  if (origin.length > LONGEST_ORIGIN) return "null";
  // A proxy may have renamed the host. The browser, which no script can overrule here, knows better.
  const isOwn = isOwnOrigin(origin, url) || headers.get("sec-fetch-site") === "same-origin";
  return isOwn ? undefined : origin;
}

/** The query, as `schema` has it. What it does not describe is passed over. */
export function queryOf<Schema extends z.ZodMiniType>(c: Call, schema: Schema): z.output<Schema> {
  return conform(schema, c.req.query());
}

/** The seq in the path. */
export function seqParam(c: Call): Seq {
  return accept(parseSeq(/^\d{1,15}$/.test(c.req.param("seq") ?? "") ? Number(c.req.param("seq")) : undefined, "seq"));
}

export const NO_KEY = fault("unauthorized", "A key is needed: Authorization: Bearer mai_…");

export const NO_CREDENTIALS = fault("unauthorized", "Say who you are: Authorization: Bearer mai_…, or Guest …");

/** A key that a request came with, and whose it is. */
export interface PresentedKey {
  /** The name of its person, whose object says whether the key is still valid. */
  readonly principal: string;
  /** SHA-256 of the key, in hex. */
  readonly keyHash: string;
}

/** The key in `Authorization`; `undefined` when there is no such header. Refuses a key that does not exist. */
export async function presentedKey(c: Call): Promise<PresentedKey | undefined> {
  const { env, req } = c;
  const keyHash = await presentedHash(req.raw.headers);
  if (keyHash === undefined) return undefined;
  return { principal: accept(await findPerson(env, keyHash, clientAddress(req.raw.headers), requestIdOf(c))), keyHash };
}

/** The site's token in `Authorization`, and the way that it has come; `undefined` where there is none. Nothing is checked. */
export function presentedToken(c: Call): PresentedToken | undefined {
  const token = /^bearer +(\S+)$/i.exec(c.req.header("authorization")?.trim() ?? "")?.[1];
  if (token === undefined || !isTokenLike(token)) return undefined;
  return { token, audience: publicOriginOf(c), origin: foreignOrigin(c.req.raw) };
}

/** The origin under which people reach this deployment: sites sign their tokens to it, and invites lead there. */
export const publicOriginOf = ({ env, req }: Call): string =>
  configurationOf(env).publicOrigin ?? new URL(req.url).origin;

/** The SHA-256 of the key in `Authorization`, whether there is such a key or not. */
export async function presentedHash(headers: Headers): Promise<string | undefined> {
  const header = headers.get("authorization");
  if (header === null) return undefined;
  const key = /^bearer +(\S+)$/i.exec(header.trim())?.[1] ?? "";
  // A malformed key is hashed as well: every refusal takes the same way.
  const hash = await sha256Hex(key);
  if (!isKey(key)) throw new Refused(UNKNOWN_KEY);
  return hash;
}

/** Whether the caller is the deployment's operator. Refuses a caller who says so and does not prove it. */
export function isOperator({ env, req }: Call): boolean {
  const { headers } = req.raw;
  const secret = /^operator +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "")?.[1];
  if (secret === undefined) return false;
  accept(checkOperator(secret, configurationOf(env).operatorSecret, clientAddress(headers), Date.now()));
  return true;
}

const NEEDS_OPERATOR = fault("unauthorized", "The operator's secret is needed: Authorization: Operator …");

/** Refuses a caller who is not the deployment's operator. */
export function requireOperator(c: Call): void {
  if (!isOperator(c)) throw new Refused(NEEDS_OPERATOR);
}

/** Who calls, by their key: its SHA-256, whose it is, and their object. Refuses without one. */
export async function authenticate(c: Call) {
  const presented = await presentedKey(c);
  if (presented === undefined) throw new Refused(NO_KEY);
  const { principal, keyHash } = presented;
  const person = () => c.env.PERSON.getByName(principal);
  const owner = accept(await repeatable(async () => await person().identify(keyHash)));
  return { keyHash, person: person(), owner };
}
