/** What only the deployment's operator may see: how full it is and how it is, as JSON and for a monitor. */

import { Hono } from "hono";
import { requireOperator } from "../request.ts";
import { readMetrics } from "./metrics.ts";
import { OPEN_METRICS } from "./open-metrics.ts";
import { readOverview } from "./overview.ts";

export const admin = new Hono<{ Bindings: Env }>();

admin.use(async function operatorOnly(c, next) {
  requireOperator(c);
  await next();
});

admin.get("/overview", async (c) => c.json(await readOverview(c.env)));

admin.get("/metrics", async (c) => c.body(await readMetrics(c.env), 200, { "content-type": OPEN_METRICS }));
