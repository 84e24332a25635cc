/** Whether the server runs, and whether it can be sent people: for what watches over it. */

import { Hono } from "hono";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { fault, PROTOCOL_VERSION } from "../party/protocol.ts";
import { withPatience } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import type { Call } from "./request.ts";
import { requestIdOf } from "./request-log.ts";

export const health = new Hono<{ Bindings: Env }>();

const NOT_KEPT = { "cache-control": "no-store" };

health.get("/healthz", (c) => c.json({ ok: true, protocol: PROTOCOL_VERSION }, 200, NOT_KEPT));

health.get("/readyz", async (c) => {
  await spendLookup(c);
  await askDatabase(c);
  return c.json({ ok: true, protocol: PROTOCOL_VERSION }, 200, NOT_KEPT);
});

/** How long D1 may take to answer, ms. */
const PATIENCE = 3_000;

async function askDatabase(c: Call): Promise<void> {
  try {
    await withPatience(c.env.DB.prepare("SELECT id FROM rooms LIMIT 1").first(), PATIENCE);
  } catch (error) {
    logEvent("database.not_ready", { request: requestIdOf(c), error });
    throw new Refused(NOT_READY);
  }
}

const NOT_READY = fault("unavailable", "The database does not answer. Rooms that are open go on.", 5);
