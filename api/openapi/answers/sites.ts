/** What the API answers with about sites. */

import * as z from "zod/mini";
import { described, named, time } from "../described.ts";

/** A site's public key, as it is shown. */
const siteKey = z.strictObject({
  kty: z.enum(["EC", "OKP"]),
  crv: z.enum(["P-256", "Ed25519"]),
  x: z.string(),
  y: z.optional(z.string()),
  kid: described(z.string(), "What a token's header calls it: yours, or its thumbprint (RFC 7638)."),
  alg: z.enum(["ES256", "EdDSA"]),
  use: z.literal("sig"),
});

export const Site = named(
  "Site",
  z.strictObject({
    name: described(z.string(), "Stands behind the names of its users: `anna@acme`."),
    keys: z.array(siteKey),
    origins: described(z.array(z.string()), "Whose pages may come with its tokens; empty: any."),
    createdAt: time("ISO 8601 UTC with milliseconds."),
  }),
);
