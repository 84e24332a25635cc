/**
 * The public keys by which a site signs for its users: JSON Web Keys (RFC 7517) for ES256 (EC, P-256) or EdDSA (OKP,
 * Ed25519). Nothing else is taken, so a token's own header never decides how it is checked.
 */

import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { importJWK } from "jose/key/import";
import { type Fault, fault } from "../protocol.ts";

/** How a site may sign. */
export type SiteAlgorithm = "ES256" | "EdDSA";

/** A site's public key, as it is kept. */
export interface SiteKey {
  /** What a token's header calls it: chosen by the site, or the thumbprint. */
  readonly kid: string;
  /** Its thumbprint by RFC 7638 (SHA-256, base64url): the same for the same key, whatever it is called. */
  readonly thumbprint: string;
  readonly jwk: PublicJwk;
}

export type PublicJwk =
  | { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string }
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string };

/** Two, so that a new key can be there before the old one goes. */
export const MOST_SITE_KEYS = 2;

/** Members of a JWK that only the one who signs may have (RFC 7518, sections 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** 32 bytes in base64url. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;
const KID = /^[A-Za-z0-9._-]{1,64}$/;

/** The algorithm of a key: a key has one. */
export const algorithmOf = ({ jwk }: SiteKey): SiteAlgorithm => (jwk.kty === "EC" ? "ES256" : "EdDSA");

/** A key as the site's owner is shown it. */
export const shownKey = (key: SiteKey) => ({ ...key.jwk, kid: key.kid, alg: algorithmOf(key), use: "sig" as const });

/** The keys that `values` are, or why they can't be a site's. Members of a JWK that are not known are passed over. */
export async function parseSiteKeys(values: unknown): Promise<SiteKey[] | Fault> {
  if (!Array.isArray(values) || values.length < 1 || values.length > MOST_SITE_KEYS) {
    return fault("invalid", `keys must be one or ${MOST_SITE_KEYS} public keys, as JSON Web Keys.`);
  }
  const keys: SiteKey[] = [];
  for (const [index, value] of values.entries()) {
    const key = await parseSiteKey(value, `keys[${index}]`);
    if ("fault" in key) return key;
    if (keys.some(({ kid, thumbprint }) => kid === key.kid || thumbprint === key.thumbprint)) {
      return fault("invalid", "keys must be different keys, each with a kid of its own.");
    }
    keys.push(key);
  }
  return keys;
}

async function parseSiteKey(value: unknown, where: string): Promise<SiteKey | Fault> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fault("invalid", `${where} must be a JSON Web Key: an object.`);
  }
  const members = value as Readonly<Record<string, unknown>>;
  const secret = PRIVATE_MEMBERS.find((name) => Object.hasOwn(members, name));
  if (secret !== undefined) {
    const words = `${where} is a private key: it has "${secret}". Nothing was kept. Send the public part alone, of a new pair.`;
    return fault("invalid", words);
  }
  const jwk = publicPart(members);
  if (!jwk) return fault("invalid", `${where} must be a public key for ES256 (EC, P-256) or EdDSA (OKP, Ed25519).`);
  const { alg, use, kid } = members;
  const algorithm = jwk.kty === "EC" ? "ES256" : "EdDSA";
  // RFC 9864 gives EdDSA with this curve a name of its own.
  const isOwn = alg === undefined || alg === algorithm || (alg === "Ed25519" && algorithm === "EdDSA");
  if (!isOwn) return fault("invalid", `${where} has an alg that is not its own: it signs by ${algorithm}.`);
  if (use !== undefined && use !== "sig") return fault("invalid", `${where} must have the use "sig", or none.`);
  if (kid !== undefined && (typeof kid !== "string" || !KID.test(kid))) {
    return fault("invalid", `${where} must have a kid of 1 to 64 characters of A-Z, a-z, 0-9, ., _ and -, or none.`);
  }
  try {
    // A point that is not on its curve is found out here.
    await importJWK({ ...jwk }, algorithm);
  } catch {
    return fault("invalid", `${where} is not a point of its curve.`);
  }
  const thumbprint = await calculateJwkThumbprint({ ...jwk });
  return { kid: kid ?? thumbprint, thumbprint, jwk };
}

function publicPart({ kty, crv, x, y }: Readonly<Record<string, unknown>>): PublicJwk | undefined {
  if (typeof x !== "string" || !COORDINATE.test(x)) return undefined;
  if (kty === "OKP" && crv === "Ed25519") return { kty, crv, x };
  if (kty === "EC" && crv === "P-256" && typeof y === "string" && COORDINATE.test(y)) return { kty, crv, x, y };
  return undefined;
}
