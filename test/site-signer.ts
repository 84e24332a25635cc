/** A site's server, as far as it signs: a pair of keys, and tokens for its users. It can also sign what no site should. */

import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** Where the tests' Worker is reached, and so to whom is signed. */
export const AUDIENCE = "https://meet.example";

export class SiteSigner {
  readonly name: string;
  readonly jwk: JWK;
  readonly #key: CryptoKey;
  readonly #alg: "ES256" | "EdDSA";

  private constructor(name: string, alg: "ES256" | "EdDSA", jwk: JWK, key: CryptoKey) {
    this.name = name;
    this.#alg = alg;
    this.jwk = jwk;
    this.#key = key;
  }

  static async of(name: string, alg: "ES256" | "EdDSA" = "ES256", kid?: string): Promise<SiteSigner> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const jwk = { kty, crv, x, ...(y !== undefined && { y }), ...(kid !== undefined && { kid }) } as JWK;
    return new SiteSigner(name, alg, jwk, privateKey);
  }

  /** The private key as a JWK, which no site should send. */
  async secret(): Promise<JWK> {
    return exportJWK(this.#key);
  }

  /**
   * A token for `subject`. `claims` go over the usual ones, and `undefined` leaves one out; times are in seconds from
   * `now`, which is in ms since 1970.
   */
  token(
    subject: unknown,
    claims: Readonly<Record<string, unknown>> = {},
    { now = Date.now(), header = {} }: { now?: number; header?: Readonly<Record<string, unknown>> } = {},
  ): Promise<string> {
    const seconds = Math.floor(now / 1000);
    const usual = { iss: this.name, aud: AUDIENCE, sub: subject, rooms: ["*"], exp: 600 };
    const all: Record<string, unknown> = { ...usual, ...claims };
    for (const time of ["exp", "nbf", "iat"])
      if (typeof all[time] === "number") all[time] = seconds + Number(all[time]);
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(given).setProtectedHeader({ alg: this.#alg, ...header }).sign(this.#key);
  }
}
