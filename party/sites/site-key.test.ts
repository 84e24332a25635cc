import { beforeAll, describe, expect, it } from "vitest";
import { SiteSigner } from "../../test/site-signer.ts";
import { isFault } from "../protocol.ts";
import { parseSiteKeys, shownKey } from "./site-key.ts";

let es256: SiteSigner;
let eddsa: SiteSigner;
beforeAll(async () => {
  es256 = await SiteSigner.of("acme", "ES256");
  eddsa = await SiteSigner.of("acme", "EdDSA", "2026");
});

/** Why `values` are no keys; fails when they are. */
async function refusalOf(...values: unknown[]): Promise<string> {
  const keys = await parseSiteKeys(values);
  if (isFault(keys) && keys.fault === "invalid") return keys.message;
  throw new Error("The keys were taken.");
}

describe("a site's keys", () => {
  it("are kept without what is not known, and shown with what they are for", async () => {
    const keys = await parseSiteKeys([{ ...es256.jwk, use: "sig", alg: "ES256", x5t: "…", ext: true }, eddsa.jwk]);
    if (isFault(keys)) throw new Error(keys.message);
    const [first, second] = keys;
    expect(first?.kid).toBe(first?.thumbprint);
    expect(second?.kid).toBe("2026");
    expect(keys.map(shownKey)).toEqual([
      { ...es256.jwk, kid: first?.thumbprint, alg: "ES256", use: "sig" },
      { ...eddsa.jwk, kid: "2026", alg: "EdDSA", use: "sig" },
    ]);
  });

  it("are refused with a private one among them, by what makes it private", async () => {
    for (const signer of [es256, eddsa])
      expect(await refusalOf(await signer.secret())).toContain('private key: it has "d"');
    expect(await refusalOf({ kty: "oct", k: "c2VjcmV0" })).toContain('private key: it has "k"');
    expect(await refusalOf({ ...es256.jwk, d: null })).toContain('"d"');
  });

  it("are one or two, and different", async () => {
    expect(await refusalOf()).toContain("one or 2");
    expect(await refusalOf(es256.jwk, eddsa.jwk, (await SiteSigner.of("acme")).jwk)).toContain("one or 2");
    expect(await refusalOf(es256.jwk, { ...es256.jwk, kid: "again" })).toContain("different");
    expect(await refusalOf({ ...es256.jwk, kid: "2026" }, eddsa.jwk)).toContain("different");
  });

  it.each<[string, (good: SiteSigner["jwk"]) => unknown]>([
    ["no object", () => "key"],
    ["a list", () => []],
    ["nothing", () => null],
    ["RSA", () => ({ kty: "RSA", n: "AQAB", e: "AQAB" })],
    ["another curve", (good) => ({ ...good, crv: "P-384" })],
    ["secp256k1", (good) => ({ ...good, crv: "secp256k1" })],
    ["X25519, which signs nothing", (good) => ({ kty: "OKP", crv: "X25519", x: good.x })],
    ["without a coordinate", ({ kty, crv, x }) => ({ kty, crv, x })],
    ["with a coordinate that is too short", (good) => ({ ...good, x: "AQAB" })],
    ["no point of its curve", (good) => ({ ...good, y: "A".repeat(43) })],
    ["for another algorithm", (good) => ({ ...good, alg: "ES384" })],
    ["for encryption", (good) => ({ ...good, use: "enc" })],
    ["with a kid that is too long", (good) => ({ ...good, kid: "k".repeat(65) })],
    ["with a kid that is no text", (good) => ({ ...good, kid: 7 })],
  ])("are refused when one is %s", async (_, change) => {
    expect(await refusalOf(change(es256.jwk))).toContain("keys[0]");
  });
});
