/** What the API answers with about how full the deployment is. */

import * as z from "zod/mini";
import { count, described } from "../described.ts";

const estimate = (description: string) => count(`An estimate: ${description}`);

/** What is measured by the day. */
const limited = (count: (description: string) => z.ZodMiniNumber) => ({
  workerRequests: count("requests to the Worker."),
  objectRequests: count("calls, alarms and twentieths of frames of rooms and Limiters."),
  objectMs: count("how long such calls and alarms took, in ms."),
  objectRowsWritten: count("rows written in rooms and Limiters."),
  databaseRowsRead: count("rows read in D1."),
  databaseRowsWritten: count("rows written in D1."),
});

const measures = {
  ...limited(estimate),
  socketsOpened: estimate("WebSockets and streams of rooms that were opened."),
};

export const dailyLimits = described(
  z.nullable(z.strictObject(limited((description) => count(`The free plan's limit a day: ${description}`)))),
  "null where `DAILY_LIMITS` is false.",
);

/** How full D1 is. */
export const DatabaseSize = z.strictObject({
  bytes: count("What D1 holds, as it says itself."),
  limit: described(z.nullable(z.int()), "`DATABASE_LIMIT_MB` in bytes; null: no limit but the disk."),
  share: described(z.nullable(z.number()), "The part of the limit that is used; null where there is none."),
});

export const estimatedByDay = described(
  z.array(
    z.strictObject({
      day: described(z.string(), "Of UTC."),
      ...measures,
    }),
  ),
  "The deployment's own estimates, newest day first; docs/operations.md says how good they are. Cloudflare's dashboard has what is billed.",
);

export const DeploymentUsage = z.strictObject({ database: DatabaseSize, estimatedByDay, dailyLimits });
