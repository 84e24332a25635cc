/** What the operator sees and does. */

import * as z from "zod/mini";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { AuditQuery, NewNotice, RoomHold } from "../schemas/admin.ts";
import * as answers from "./answers/admin.ts";
import { byOperator, inRoom, json, takes, text } from "./operation.ts";
import { refusals } from "./refusals.ts";

const { invalid, unauthorized, notFound, tooLarge, rateLimited, unavailable } = refusals;

export const adminPaths: ZodOpenApiPathsObject = {
  "/api/admin/overview": {
    get: {
      operationId: "readOverview",
      tags: ["operator"],
      summary: "How the deployment is",
      description:
        "Storage, what was used, the largest and the busiest rooms, and errors. What was used is the deployment's own estimate. Reads about five rows in D1 for each room, up to 10,000 rooms, at most every 15 s.",
      ...byOperator,
      responses: {
        200: { description: "The overview.", content: json(answers.Overview) },
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/admin/metrics": {
    get: {
      operationId: "readMetrics",
      tags: ["operator"],
      summary: "The same for a monitor, as OpenMetrics",
      description: "Reads some twenty rows in D1, and asks at most five rooms every five minutes.",
      ...byOperator,
      responses: {
        200: { description: "The metrics.", content: text("application/openmetrics-text") },
        ...unauthorized,
        ...rateLimited,
      },
    },
  },
  "/api/admin/audit": {
    get: {
      operationId: "readAudit",
      tags: ["operator"],
      summary: "What the operator has done",
      description:
        "Everything that was done with the operator's secret, by every path: the newest 1,000 entries of a year.",
      ...byOperator,
      requestParams: { query: AuditQuery },
      responses: {
        200: { description: "A page.", content: json(answers.Audit) },
        ...invalid,
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/admin/rooms/{id}": {
    patch: {
      operationId: "holdRoom",
      tags: ["operator"],
      summary: "Closes or hides a room, or takes that back",
      description: "Its owner can't change either. A room that is shown again is not listed until its owner lists it.",
      ...byOperator,
      requestParams: inRoom,
      ...takes(RoomHold),
      responses: {
        200: { description: "How it is now.", content: json(answers.HeldRoom) },
        ...invalid,
        ...unauthorized,
        ...notFound,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/admin/keys/{handle}": {
    delete: {
      operationId: "revokeKeyOf",
      tags: ["operator"],
      summary: "Revokes a person's key",
      description: "At once and for good, as its holder would. Their handle stays theirs.",
      ...byOperator,
      requestParams: { path: z.object({ handle: z.string() }) },
      responses: {
        204: { description: "It is not valid any more." },
        ...unauthorized,
        ...notFound,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
  "/api/admin/notice": {
    put: {
      operationId: "setNotice",
      tags: ["operator"],
      summary: "Says something on every page",
      description: "And in a room as text. Pages that are open show it when they are loaded again.",
      ...byOperator,
      ...takes(NewNotice),
      responses: {
        200: { description: "What is said.", content: json(answers.Notice) },
        ...invalid,
        ...unauthorized,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
      },
    },
    delete: {
      operationId: "removeNotice",
      tags: ["operator"],
      summary: "Says nothing any more",
      ...byOperator,
      responses: {
        204: { description: "Nothing is said." },
        ...unauthorized,
        ...rateLimited,
        ...unavailable,
      },
    },
  },
};
