/** What the operator sees and does. */

import type { ZodOpenApiPathsObject } from "zod-openapi";
import * as answers from "./admin-answers.ts";
import { byOperator, json, text } from "./operation.ts";
import { refusals } from "./refusals.ts";

const { unauthorized, rateLimited, unavailable } = refusals;

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
};
