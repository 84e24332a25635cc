/** What owners and the operator ask for: exports, backups, and how full the database is. */

import * as z from "zod/mini";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { ExportQuery } from "../schemas/export.ts";
import { DirectoryQuery } from "../schemas/operator.ts";
import { DirectoryPage } from "./answers/backup.ts";
import { DeploymentUsage } from "./answers/usage.ts";
import { described } from "./described.ts";
import { byOperator, byOwner, inRoom, json, text } from "./operation.ts";
import { refusals, refusedAtTheDoor } from "./refusals.ts";

const { invalid, unauthorized, conflict, rateLimited, unavailable } = refusals;

export const backupPaths: ZodOpenApiPathsObject = {
  "/api/rooms/{id}/export": {
    get: {
      operationId: "exportRoom",
      tags: ["messages"],
      summary: "The room's log as a file",
      description:
        "The owner's and the operator's. Whole, or after a seq, up to the head at the beginning. `ndjson` is a part of a room's file as docs/backup.md describes it: one without its last line, `sum`, was cut off, and `after` goes on.",
      ...byOwner,
      requestParams: { ...inRoom, query: ExportQuery },
      responses: {
        200: {
          description: "The file.",
          headers: z.object({ "content-disposition": described(z.string(), "A name for the file.") }),
          content: { ...text("application/x-ndjson"), ...text("text/markdown") },
        },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...rateLimited,
      },
    },
  },
  "/api/operator/usage": {
    get: {
      operationId: "readUsage",
      tags: ["about"],
      summary: "How full the database is, and what was used",
      description: "The operator's. What was used is the deployment's own estimate.",
      ...byOperator,
      responses: {
        200: { description: "The usage.", content: json(DeploymentUsage) },
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/operator/directory": {
    get: {
      operationId: "readDirectory",
      tags: ["rooms"],
      summary: "The whole directory, for a backup",
      description:
        "The operator's. Secrets, then keys (as hashes), then rooms, then what they know of their members, invites and moderation, then whom the operator has erased, and what they have done and say, a page at a time; docs/backup.md describes the records.",
      ...byOperator,
      requestParams: { query: DirectoryQuery },
      responses: {
        200: { description: "A page.", content: json(DirectoryPage) },
        ...invalid,
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
};
