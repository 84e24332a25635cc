/** Looks a token's site up and verifies the token. */

import { type Fault, fault, isFault } from "../protocol.ts";
import { siteDirectory } from "./site-directory.ts";
import { SiteTable } from "./site-table.ts";
import { issuerOf, type Presentation, UNKNOWN_SITE, type Vouched, verifyToken } from "./token.ts";

/** For whom `token`, which came from `address`, vouches where it is presented; or why it does not. */
export async function vouchedBy(
  env: Pick<Env, "DB">,
  token: string,
  address: string,
  where: Presentation,
): Promise<Vouched | Fault> {
  const name = issuerOf(token);
  if (isFault(name)) return name;
  const site = await siteDirectory.find(name, address, new SiteTable(env.DB));
  if (isFault(site)) return site;
  return site ? verifyToken(token, site, where) : UNKNOWN_SITE;
}

/** Whether a key of this thumbprint is still one of the site's, as far as this isolate knows; a refusal when it can't be said. */
export async function isKeyOfSite(env: Pick<Env, "DB">, name: string, thumbprint: string): Promise<boolean | Fault> {
  const site = await siteDirectory.find(name, undefined, new SiteTable(env.DB));
  if (isFault(site)) return site;
  return site?.keys.some((key) => key.thumbprint === thumbprint) ?? false;
}

export const NOT_ITS_KEY = fault("unauthorized", "The key that has signed this token is not the site's any more.");
