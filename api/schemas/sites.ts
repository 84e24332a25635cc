/** What a client may say of its site. */

import * as z from "zod/mini";
import { MOST_SITE_KEYS } from "../../party/sites/site-key.ts";
import { origins } from "./rooms.ts";
import { field } from "./schema.ts";

/** Each key is looked at by `parseSiteKeys`, which has to ask the platform whether it is one. */
const keys = field((value) => value, {
  type: "array",
  minItems: 1,
  maxItems: MOST_SITE_KEYS,
  items: { type: "object" },
  description:
    "The public keys by which the site signs, as JSON Web Keys for ES256 (EC, P-256) or EdDSA (OKP, Ed25519): one, or two while they are changed. `kid` is 1 to 64 characters, and the thumbprint (RFC 7638) when it is absent. Unknown members are passed over; a private key is refused.",
});

/** The body of `PUT /api/sites/:name`. */
export const SiteWish = z.strictObject({ keys, origins });
