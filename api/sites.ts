/**
 * Sites: registered by a key's owner, who gives the public keys by which the site's server vouches for its own users. What
 * their tokens are worth is decided in `party/sites`.
 */

import { type Context, Hono } from "hono";
import type * as z from "zod/mini";
import { configurationOf } from "../party/configuration.ts";
import { refuseHandle } from "../party/identity/handle.ts";
import { siteName } from "../party/identity/principal.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { fault } from "../party/protocol.ts";
import { siteDirectory } from "../party/sites/site-directory.ts";
import { parseSiteKeys, type SiteKey, shownKey } from "../party/sites/site-key.ts";
import { parseSiteName } from "../party/sites/site-name.ts";
import { type SiteRow, SiteTable } from "../party/sites/site-table.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import type * as answers from "./openapi/answers/sites.ts";
import { forgetQuota, takeDaily } from "./quota.ts";
import { accept, authenticate, bodyOf, type Call, isOperator } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { SiteWish } from "./schemas/sites.ts";

export const sites = new Hono<{ Bindings: Env }>();

/** Sites that one person may have at a time. */
const MOST_SITES = 20;

sites.get("/:name", async (c) => c.json(shown(await ownSite(c))));

sites.put("/:name", async (c) => {
  const name = nameOf(c);
  await spendLookup(c);
  const { owner, person } = await authenticate(c);
  const wish = await bodyOf(c, SiteWish);
  const keys = accept(await parseSiteKeys(wish.keys));
  const table = new SiteTable(c.env.DB);
  const earlier = await table.find(name);
  if (earlier && earlier.owner !== owner.id) throw new Refused(taken(name));
  if (earlier && earlier.removedAt === null) return c.json(shown(await change(c, earlier, keys, wish.origins)));
  // A new one, or one that was removed.
  const refusal = refuseHandle(name, configurationOf(c.env).reservedHandles);
  if (refusal) throw new Refused(refusal);
  if (await table.isHandleOfAnother(name, owner.id)) throw new Refused(taken(name));
  if ((await table.countOf(owner.id)) >= MOST_SITES) {
    throw new Refused(fault("conflict", `A key has at most ${MOST_SITES} sites; remove one first.`));
  }
  const { at } = await takeDaily(c, person, "sites");
  let made: SiteRow | undefined;
  try {
    if (earlier) made = await change(c, earlier, keys, wish.origins);
    else {
      const createdAt = new Date().toISOString();
      await table.insert({ name, owner: owner.id, keys, origins: wish.origins, createdAt });
      made = await table.find(name);
    }
    // Somebody else may have been first.
    if (made?.owner !== owner.id) throw new Refused(taken(name));
    // A token that came too early may have had it looked up.
    siteDirectory.forget(name);
    return c.json(shown(made), 201, { location: `/api/sites/${name}` });
  } catch (error) {
    await person.giveBackDaily("sites", at);
    forgetQuota(c);
    throw error;
  }
});

sites.delete("/:name", async (c) => {
  const { name } = await ownSite(c);
  await new SiteTable(c.env.DB).remove(name, new Date().toISOString());
  await tellRooms(c, name, []);
  return c.body(null, 204);
});

/** The site in the path, which must be the caller's; the operator may have any. */
async function ownSite(c: Context<{ Bindings: Env }>): Promise<SiteRow> {
  const name = nameOf(c);
  await spendLookup(c);
  const owner = isOperator(c) ? undefined : (await authenticate(c)).owner;
  const site = await new SiteTable(c.env.DB).find(name);
  if (!site || site.removedAt !== null) throw new Refused(fault("not_found", "There is no such site."));
  if (owner && site.owner !== owner.id) throw new Refused(fault("forbidden", "Only the site's owner may do that."));
  return site;
}

async function change(c: Call, site: SiteRow, keys: readonly SiteKey[], origins: readonly string[]): Promise<SiteRow> {
  await new SiteTable(c.env.DB).change(site.name, keys, origins);
  await tellRooms(c, site.name, keys);
  return { ...site, keys, origins, removedAt: null };
}

/**
 * Lets the rooms close what was opened by a key that is none any more. What this does not reach ends by itself, within a
 * minute: nobody remembers a site's keys for longer.
 */
async function tellRooms(c: Call, name: string, keys: readonly SiteKey[]): Promise<void> {
  const thumbprints = keys.map(({ thumbprint }) => thumbprint);
  try {
    await repeatable(async () => await c.env.QUOTA.getByName(siteName(name)).siteChanged(thumbprints));
  } catch (error) {
    logEvent("site.rooms_not_told", { request: requestIdOf(c), site: name, error });
  }
}

const nameOf = (c: Call): string => accept(parseSiteName(c.req.param("name") ?? ""));

const taken = (name: string) => fault("conflict", `"${name}" is taken; choose another name.`);

const shown = ({ name, keys, origins, createdAt }: SiteRow): z.output<typeof answers.Site> => ({
  name,
  keys: keys.map(shownKey),
  origins: [...origins],
  createdAt,
});
