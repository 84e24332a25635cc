import { SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { AUDIENCE, SiteSigner } from "../../test/site-signer.ts";
import { isFault } from "../protocol.ts";
import { parseSiteKeys } from "./site-key.ts";
import type { Site } from "./site-table.ts";
import { issuerOf, LONGEST_TOKEN, type Presentation, verifyToken } from "./token.ts";

const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const HERE: Presentation = { room: { id: "support-1", createdBy: "owner-1" }, audience: AUDIENCE, now: NOW };

let signer: SiteSigner;
let second: SiteSigner;
let stranger: SiteSigner;

async function siteOf(...signers: SiteSigner[]): Promise<Site> {
  const keys = await parseSiteKeys(signers.map(({ jwk }) => jwk));
  if (isFault(keys)) throw new Error(keys.message);
  return {
    name: "acme",
    owner: "owner-1",
    ownerHandle: "swift-otter",
    guestPepper: "",
    keys,
    origins: [],
    createdAt: "2026-11-01T00:00:00.000Z",
    removedAt: null,
  };
}

beforeAll(async () => {
  signer = await SiteSigner.of("acme");
  second = await SiteSigner.of("acme", "EdDSA", "2026");
  stranger = await SiteSigner.of("acme");
});

const sign = (claims: Readonly<Record<string, unknown>> = {}, subject: unknown = "anna") =>
  signer.token(subject, claims, { now: NOW });

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The usual claims under a header of somebody's choice, with this signature. */
const forged = (header: object, signature = "") =>
  `${base64url(header)}.${base64url({ iss: "acme", aud: AUDIENCE, sub: "anna", rooms: ["*"], exp: NOW / 1000 + 600 })}.${signature}`;

describe("a token", () => {
  it("vouches for a user in the rooms that it names, until its end and a minute more", async () => {
    const token = await sign({ name: "  Anna \u202eLind ", role: "moderator", rooms: ["support-*"] });
    expect(issuerOf(token)).toBe("acme");
    expect(await verifyToken(token, await siteOf(signer), HERE)).toEqual({
      site: "acme",
      subject: "anna",
      name: "Anna Lind",
      role: "moderator",
      thumbprint: (await siteOf(signer)).keys[0]?.thumbprint,
      until: NOW + 660_000,
    });
  });

  it("makes a member of who has no role, and needs no name", async () => {
    const vouched = await verifyToken(await sign(), await siteOf(signer), HERE);
    expect(vouched).toMatchObject({ role: "member" });
    expect(vouched).not.toHaveProperty("name");
  });

  it.each([
    ["support-1", ["support-1"]],
    ["support-1", ["other", "sup*"]],
    ["anything", ["*"]],
  ])("counts in %s with the rooms %j", async (id, rooms) => {
    const where = { ...HERE, room: { ...HERE.room, id } };
    expect(await verifyToken(await sign({ rooms }), await siteOf(signer), where)).toMatchObject({ subject: "anna" });
  });

  it.each([
    ["support-1", ["support-2"]],
    ["support-1", ["support"]],
    ["supp", ["support-*"]],
    ["support-1", ["upport-*"]],
  ])("does not count in %s with the rooms %j", async (id, rooms) => {
    const where = { ...HERE, room: { ...HERE.room, id } };
    expect(await verifyToken(await sign({ rooms }), await siteOf(signer), where)).toMatchObject({ fault: "forbidden" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["has ended, and the minute of skew too", { exp: -61 }],
    ["has no end", { exp: undefined }],
    ["is valid for more than a day", { exp: 86_400 + 61 }],
    ["was made to be valid for more than a day", { iat: -50, exp: 86_380 }],
    ["is not valid yet", { nbf: 61 }],
    ["was made in the future", { iat: 120 }],
    ["has an end that is no number", { exp: "tomorrow" }],
    ["is for another server", { aud: "https://other.example" }],
    ["is for a part of this server's address", { aud: "https://meet.exampl" }],
    ["is for nobody in particular", { aud: undefined }],
    ["is of another site", { iss: "acmee" }],
    ["names no rooms", { rooms: undefined }],
    ["names an empty list of rooms", { rooms: [] }],
    ["names rooms by a pattern of another form", { rooms: ["sup*-1"] }],
    ["names rooms by a text", { rooms: "support-1" }],
    ["names too many rooms", { rooms: Array.from({ length: 51 }, (_, index) => `r${index}`) }],
    ["gives the role of an owner", { role: "owner" }],
    ["gives a role that there is not", { role: ["member"] }],
    ["has an empty name", { name: " \u200b " }],
    ["has a name that is too long", { name: "x".repeat(61) }],
    ["has a name that covers other lines", { name: `A${"\u0301".repeat(7)}` }],
    ["has a name that is no text", { name: { first: "Anna" } }],
  ])("is refused when it %s", async (_, claims) => {
    expect(await verifyToken(await sign(claims), await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it.each([
    undefined,
    7,
    "",
    "Anna",
    "anna/claude",
    "anna@acme",
    "-anna",
    ".anna",
    "~anna",
    "ann a",
    "аnna",
    "a".repeat(65),
  ])("is refused with the subject %j", async (subject) => {
    const token = await signer.token(subject, {}, { now: NOW });
    expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it.each([
    ["ended within the minute of skew", { exp: -59 }],
    ["begins within it", { nbf: 59 }],
    ["was made within it", { iat: 59 }],
  ])("is taken when it %s", async (_, claims) => {
    expect(await verifyToken(await sign(claims), await siteOf(signer), HERE)).toMatchObject({ subject: "anna" });
  });

  it("is refused when somebody else has signed", async () => {
    const token = await stranger.token("anna", {}, { now: NOW });
    expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it("is refused when a claim was changed after it was signed", async () => {
    const [header, , signature] = (await sign()).split(".");
    const [, claims] = (await sign({}, "bob")).split(".");
    const token = `${header}.${claims}.${signature}`;
    expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it.each([
    { alg: "none" },
    { alg: "None" },
    { alg: "HS256" },
    { alg: "RS256" },
    { alg: "ES384" },
    { alg: "EdDSA" },
    {},
  ])("is refused with the header %j, whatever its signature", async (header) => {
    const site = await siteOf(signer);
    for (const signature of ["", "AAAA"]) {
      expect(await verifyToken(forged(header, signature), site, HERE)).toMatchObject({ fault: "unauthorized" });
    }
  });

  it("is refused when the site's public key was used as a secret for HMAC", async () => {
    const site = await siteOf(signer);
    for (const secret of [JSON.stringify(signer.jwk), JSON.stringify(site.keys[0]?.jwk), String(signer.jwk.x)]) {
      const token = await new SignJWT({ rooms: ["*"] })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer("acme")
        .setAudience(AUDIENCE)
        .setSubject("anna")
        .setExpirationTime(NOW / 1000 + 600)
        .sign(new TextEncoder().encode(secret.padEnd(32, " ")));
      expect(await verifyToken(token, site, HERE)).toMatchObject({ fault: "unauthorized" });
    }
  });

  it("is refused with a key of its own in its header", async () => {
    const token = await stranger.token("anna", {}, { now: NOW, header: { jwk: stranger.jwk } });
    expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it("is refused with an extension in its header that has to be understood", async () => {
    const token = forged({ alg: "ES256", crit: ["only-for-b"], "only-for-b": true }, "AAAA");
    expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
  });

  it.each(["", "a.b", "a.b.c", "....", "mai_AAAAAAAAAAAAAAAAAAAAAAAA", "e30.e30.e30", "e30.e30.", "☃.☃.☃"])(
    "that is %j is none",
    async (token) => {
      const issuer = issuerOf(token);
      expect(issuer).toMatchObject({ fault: "unauthorized" });
      expect(await verifyToken(token, await siteOf(signer), HERE)).toMatchObject({ fault: "unauthorized" });
    },
  );

  it("that is too long is not even looked at", () => {
    expect(issuerOf(forged({ alg: "ES256" }, "A".repeat(LONGEST_TOKEN)))).toMatchObject({ fault: "too_large" });
  });

  it("counts only in rooms of the site's own owner", async () => {
    const site = await siteOf(signer);
    for (const createdBy of ["owner-2", null]) {
      const where = { ...HERE, room: { id: "support-1", createdBy } };
      expect(await verifyToken(await sign(), site, where)).toMatchObject({ fault: "forbidden" });
    }
  });

  it("comes only from the site's own pages, where it has named them", async () => {
    const site = { ...(await siteOf(signer)), origins: ["https://acme.example"] };
    const from = (origin?: string) => ({ ...HERE, ...(origin && { origin }) });
    expect(await verifyToken(await sign(), site, from("https://evil.example"))).toMatchObject({ fault: "forbidden" });
    for (const where of [from("https://acme.example"), from()]) {
      expect(await verifyToken(await sign(), site, where)).toMatchObject({ subject: "anna" });
    }
  });
});

describe("a site with two keys", () => {
  it("signs by either, with or without its kid, each by its own algorithm", async () => {
    const site = await siteOf(signer, second);
    const tokens = [
      await signer.token("anna", {}, { now: NOW }),
      await second.token("anna", {}, { now: NOW }),
      await second.token("anna", {}, { now: NOW, header: { kid: "2026" } }),
      await signer.token("anna", {}, { now: NOW, header: { kid: String(site.keys[0]?.kid) } }),
    ];
    for (const token of tokens) expect(await verifyToken(token, site, HERE)).toMatchObject({ subject: "anna" });
  });

  it("does not sign by a kid that it has not, nor by the other key's", async () => {
    const site = await siteOf(signer, second);
    for (const kid of ["2025", "2026", 7]) {
      const token = await signer
        .token("anna", {}, { now: NOW, header: { kid } })
        .catch(() => forged({ alg: "ES256", kid }));
      expect(await verifyToken(token, site, HERE)).toMatchObject({ fault: "unauthorized" });
    }
  });

  it("does not sign any more by one that was taken away", async () => {
    const token = await signer.token("anna", {}, { now: NOW });
    expect(await verifyToken(token, await siteOf(second), HERE)).toMatchObject({ fault: "unauthorized" });
  });
});
