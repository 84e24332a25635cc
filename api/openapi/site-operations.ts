/** What is said of sites, which vouch for their own users. */

import * as z from "zod/mini";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { HANDLE_LENGTH } from "../../party/identity/handle.ts";
import { SiteWish } from "../schemas/sites.ts";
import * as answers from "./answers/sites.ts";
import { described } from "./described.ts";
import { byKey, byOwner, json, takes } from "./operation.ts";
import { quotaHeaders, refusals, refusedAtTheDoor } from "./refusals.ts";

const { invalid, unauthorized, conflict, tooLarge, rateLimited, unavailable } = refusals;

const name = described(
  z.string().check(z.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)),
  `The site's name: ${HANDLE_LENGTH.shortest} to ${HANDLE_LENGTH.longest} characters.`,
);
const ofSite = { path: z.object({ name }) };

export const sitePaths: ZodOpenApiPathsObject = {
  "/api/sites/{name}": {
    get: {
      operationId: "getSite",
      tags: ["sites"],
      summary: "A site of yours",
      ...byOwner,
      requestParams: ofSite,
      responses: {
        200: { description: "The site.", content: json(answers.Site) },
        ...refusedAtTheDoor,
        ...invalid,
        ...rateLimited,
      },
    },
    put: {
      operationId: "putSite",
      tags: ["sites"],
      summary: "Registers a site, or changes its keys",
      description:
        "The first time it takes one of the day's sites. A name is one person's for ever, also after the site was removed. What was opened by a key that is not in the list any more is closed with 4408.",
      ...byKey,
      requestParams: ofSite,
      ...takes(SiteWish),
      responses: {
        200: { description: "The site, which was there.", content: json(answers.Site) },
        201: {
          description: "The site, which is new.",
          headers: z.object({ location: described(z.string(), "Where the site is."), ...quotaHeaders }),
          content: json(answers.Site),
        },
        ...invalid,
        ...unauthorized,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
    delete: {
      operationId: "deleteSite",
      tags: ["sites"],
      summary: "Removes a site",
      description:
        "Its tokens are refused, and what was opened by them is closed. Its users' messages stay, and its rooms.",
      ...byOwner,
      requestParams: ofSite,
      responses: {
        204: { description: "Removed." },
        ...refusedAtTheDoor,
        ...invalid,
        ...rateLimited,
      },
    },
  },
};
