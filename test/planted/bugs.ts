/**
 * All planted bugs, by area. They show that the tests can fail: a promise whose test stays green with its bug planted is
 * not tested.
 */

import { PLANTED_FOR_THE_OPERATOR } from "./admin.ts";
import { PLANTED_FOR_AGENTS } from "./agents.ts";
import { PLANTED_IN_ASKS } from "./asks.ts";
import { PLANTED_IN_AUDIENCE } from "./audience.ts";
import { PLANTED_IN_BACKUP } from "./backup.ts";
import { PLANTED_IN_BRIDGE } from "./bridge.ts";
import { PLANTED_IN_CLIENT } from "./client.ts";
import { PLANTED_IN_ERASURE } from "./erasure.ts";
import { PLANTED_AT_THE_GATE } from "./gate.ts";
import { PLANTED_IN_IMPORT } from "./import.ts";
import { PLANTED_IN_LOG } from "./log.ts";
import { PLANTED_IN_MODERATION } from "./moderation.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { PLANTED_IN_RETENTION } from "./retention.ts";
import { PLANTED_HOLES } from "./security.ts";
import { PLANTED_IN_WRITES } from "./writes.ts";

export const PLANTED: Readonly<
  Record<
    | "log"
    | "gate"
    | "erasure"
    | "writes"
    | "audience"
    | "client"
    | "security"
    | "backup"
    | "import"
    | "retention"
    | "moderation"
    | "asks"
    | "agents"
    | "bridge"
    | "admin",
    readonly PlantedBug[]
  >
> = {
  log: PLANTED_IN_LOG,
  gate: PLANTED_AT_THE_GATE,
  erasure: PLANTED_IN_ERASURE,
  writes: PLANTED_IN_WRITES,
  audience: PLANTED_IN_AUDIENCE,
  client: PLANTED_IN_CLIENT,
  security: PLANTED_HOLES,
  backup: PLANTED_IN_BACKUP,
  import: PLANTED_IN_IMPORT,
  retention: PLANTED_IN_RETENTION,
  moderation: PLANTED_IN_MODERATION,
  asks: PLANTED_IN_ASKS,
  agents: PLANTED_FOR_AGENTS,
  bridge: PLANTED_IN_BRIDGE,
  admin: PLANTED_FOR_THE_OPERATOR,
};

/** Those that break a promise of the room's, which docs/guarantees.md names. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  PLANTED.log,
  PLANTED.gate,
  PLANTED.writes,
  PLANTED.audience,
  PLANTED.retention,
  PLANTED.erasure,
  PLANTED.asks,
].flat();
