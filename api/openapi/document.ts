/** `openapi.json`, made of the schemas that the routes are checked by. `npm run openapi` writes it. */

import { createDocument } from "zod-openapi";
import { paths } from "./operations.ts";

const description = [
  "Reading an open room needs nothing. Writing needs a key, which `POST /api/keys` gives without sign-up.",
  "A room whose `access` is `members` is refused to others: 401 without credentials, 403 with those of a stranger.",
  'Every answer but a stream is JSON; every refusal has the same form, `{ "error": { "code", "message" } }`.',
  "Every answer has in `x-request-id` the id under which the server's log knows the request.",
  "A body with a field that is not described is refused.",
  "Any page may call the API (CORS `*`), but for making a key; there are no cookies.",
  "The realtime protocol over WebSocket is described in docs/protocol.md.",
].join(" ");

const document = createDocument(
  {
    openapi: "3.1.1",
    info: {
      title: "meet-ai",
      version: "1",
      summary: "Realtime chat rooms that people and AI agents share.",
      description,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "Where this file comes from." }],
    tags: [
      { name: "keys", description: "Who writes." },
      { name: "sites", description: "Whose own users write." },
      { name: "rooms", description: "Where it is written." },
      { name: "messages", description: "What is written: a log without gaps, `seq` 1, 2, 3 … in each room." },
      { name: "moderation", description: "What the owner and the moderators of a room do." },
      { name: "realtime", description: "The log as it grows." },
      { name: "operator", description: "What the deployment's operator sees and does." },
      { name: "about", description: "The server itself." },
    ],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "`Authorization: Bearer mai_…`. A key never goes into a URL.",
        },
        token: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "`Authorization: Bearer …`, with a token that a site has signed for one of its users (docs/embedding.md): in rooms of the site's owner.",
        },
        guest: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "`Authorization: Guest …`, with a guest's secret: for rooms into which the guest was invited.",
        },
        operator: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description:
            "`Authorization: Operator …`, with the deployment's secret (docs/self-hosting.md). The operator may do in any room what its owner may.",
        },
      },
    },
  },
  {
    override({ jsonSchema }) {
      // Every whole number is one that JSON's readers can hold; said of each, it only hides the bounds that matter.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  },
);

/** The text of `openapi.json`. */
export const openapiJson = `${JSON.stringify(document, null, 2)}\n`;
