/**
 * The token by which a site vouches for one of its users: a JWT (RFC 7519) that the site's server has signed. `jose` checks
 * its signature and its times; what it has to say, and where it counts, is checked here.
 *
 * Nothing in the token decides how it is checked (RFC 8725): its algorithm must be that of the site's own key, which is
 * public and never a secret for HMAC.
 */

import type { JWTPayload } from "jose";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import { importJWK } from "jose/key/import";
import { parseVisibleLine } from "../line.ts";
import { type Fault, fault, isFault, type MemberRole } from "../protocol.ts";
import { EXPIRED } from "./expired.ts";
import { areRoomPatterns, nameRoom } from "./room-patterns.ts";
import { algorithmOf, type SiteKey } from "./site-key.ts";
import type { Site } from "./site-table.ts";

/** Characters of a token. */
export const LONGEST_TOKEN = 4_096;

/** Characters of a display name. */
export const LONGEST_NAME = 60;

/** By how much the site's clock and ours may differ, s. */
export const SKEW = 60;

/** For how long a token may be valid, s. */
const LONGEST_LIFE = 24 * 60 * 60;

const SUBJECT = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const ROLES: readonly MemberRole[] = ["reader", "member", "moderator"];

/** For whom a token vouches. */
export interface Vouched {
  readonly site: string;
  /** What the site calls its user. */
  readonly subject: string;
  /** What others are shown; absent when the token has no name. */
  readonly name?: string;
  readonly role: MemberRole;
  /** Which of the site's keys has signed. */
  readonly thumbprint: string;
  /** Until when they are let in by it, ms since 1970: its end, and the skew. */
  readonly until: number;
}

/** Where a token is presented. */
export interface Presentation {
  readonly room: { readonly id: string; readonly createdBy: string | null };
  /** The origin to which the token must have been signed. */
  readonly audience: string;
  /** The page that it comes from, where that is a foreign one. */
  readonly origin?: string | undefined;
  /** ms since 1970. */
  readonly now: number;
}

/** Whether what stands in `Authorization: Bearer` is meant as a token: keys have no dot. */
export const isTokenLike = (text: string): boolean => text.includes(".");

/** The site that a token says it is of; nothing of it is checked. A refusal where it says none. */
export function issuerOf(token: string): string | Fault {
  if (token.length > LONGEST_TOKEN) return fault("too_large", `A token is at most ${LONGEST_TOKEN} characters.`);
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === "string" && iss.length <= 64) return iss;
  } catch {
    return NOT_A_TOKEN;
  }
  return refused("its iss must be the name of the site");
}

/** For whom `token` of `site` vouches in a room, or why it does not. */
export async function verifyToken(token: string, site: Site, where: Presentation): Promise<Vouched | Fault> {
  const verified = await verifySignature(token, site, where);
  if (isFault(verified)) return verified;
  const { claims, key } = verified;
  const { sub, rooms, role = "member", name, exp = 0, iat } = claims;
  const now = where.now / 1000;
  if (exp - now > LONGEST_LIFE + SKEW || (iat !== undefined && exp - iat > LONGEST_LIFE)) {
    return refused("it is valid for more than 24 hours");
  }
  if (iat !== undefined && iat > now + SKEW) return refused("its iat is in the future");
  if (typeof sub !== "string" || !SUBJECT.test(sub)) {
    return refused("its sub must be 1 to 64 characters of a-z, 0-9, ., _ and -, and begin with a letter or digit");
  }
  if (!areRoomPatterns(rooms)) return refused("its rooms must be ids of rooms, or beginnings of ids with a * behind");
  if (!ROLES.includes(role as MemberRole)) return refused(`its role must be one of ${ROLES.join(", ")}`);
  const shown = name === undefined || name === null ? undefined : parseVisibleLine(name, "its name", LONGEST_NAME);
  if (isFault(shown)) return refused(shown.message.replace(/\.$/, ""));
  const refusal = refuseHere(site, rooms, where);
  if (refusal) return refusal;
  return {
    site: site.name,
    subject: sub,
    ...(shown !== undefined && { name: shown }),
    role: role as MemberRole,
    thumbprint: key.thumbprint,
    until: (exp + SKEW) * 1000,
  };
}

/** Why a sound token does not count in this room. */
function refuseHere({ name, owner, origins }: Site, rooms: readonly string[], where: Presentation): Fault | undefined {
  const { room, origin } = where;
  if (room.createdBy !== owner) return fault("forbidden", `Tokens of ${name} count only in rooms of its own owner.`);
  if (!nameRoom(rooms, room.id)) return fault("forbidden", "This token is for other rooms.");
  if (origins.length > 0 && origin !== undefined && !origins.includes(origin)) {
    return fault("forbidden", `Pages of ${origin} may not come with a token of ${name}.`);
  }
  return undefined;
}

async function verifySignature(
  token: string,
  site: Site,
  { audience, now }: Presentation,
): Promise<{ claims: JWTPayload & Record<string, unknown>; key: SiteKey } | Fault> {
  const keys = keysFor(token, site);
  if (isFault(keys)) return keys;
  let refusal = NOT_A_TOKEN;
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, await importJWK({ ...key.jwk }, algorithmOf(key)), {
        algorithms: key.jwk.kty === "OKP" ? ["EdDSA", "Ed25519"] : ["ES256"],
        issuer: site.name,
        audience,
        clockTolerance: SKEW,
        currentDate: new Date(now),
        requiredClaims: ["exp", "sub", "rooms"],
      });
      return { claims: payload, key };
    } catch (error) {
      refusal = whyNot(error, audience);
    }
  }
  return refusal;
}

/** The keys of `site` that may have signed `token`. */
function keysFor(token: string, { name, keys }: Site): readonly SiteKey[] | Fault {
  let header: { alg?: unknown; kid?: unknown };
  try {
    header = decodeProtectedHeader(token);
  } catch {
    return NOT_A_TOKEN;
  }
  const { alg, kid } = header;
  const called = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  if (called.length === 0) return refused(`${name} has no key with this kid`);
  const fitting = called.filter((key) => algorithmOf(key) === (alg === "Ed25519" ? "EdDSA" : alg));
  return fitting.length > 0 ? fitting : refused("its alg must be that of the site's key: ES256 or EdDSA");
}

/** What is said of an error of `jose`'s. */
function whyNot(error: unknown, audience: string): Fault {
  const { code, claim } = error as { code?: unknown; claim?: unknown };
  if (code === "ERR_JWT_EXPIRED") return EXPIRED;
  if (code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") return refused("its signature is not the site's");
  if (code !== "ERR_JWT_CLAIM_VALIDATION_FAILED") return NOT_A_TOKEN;
  if (claim === "aud") return refused(`its aud must be ${audience}`);
  if (claim === "nbf") return refused("it is not valid yet");
  return refused(`its ${String(claim)} is missing or not as it must be`);
}

const refused = (why: string): Fault => fault("unauthorized", `This token is not valid: ${why}.`);

export const NOT_A_TOKEN = fault("unauthorized", "This token is not valid: it is no JWT that could be read.");
export const UNKNOWN_SITE = refused("no site of the name in its iss stands on this server");
