/** Event streams as a reader of a released version was given them, from a server of today that starts from the same state. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lacks, recorded } from "../recorded/conversation.ts";
import { type Opening, openingOf } from "../recorded/events.ts";
import { QUOTAS } from "../states/live.ts";
import { restore } from "../states/state-folder.ts";
import { Server } from "./server.ts";

it.each(["0.1.0"])("an event stream begins as for a reader of version %s", async (version) => {
  const stateDir = mkdtempSync(join(tmpdir(), `meet-ai-${version}-`));
  restore(join(import.meta.dirname, `../states/${version}.json`), stateDir);
  await using server = await Server.start({ stateDir, vars: QUOTAS });
  const openings = recorded<Opening>(version, "events");
  expect(openings.map(({ path }) => path)).toHaveLength(4);
  const faults: string[] = [];
  for (const opening of openings) {
    const found = await openingOf(server.url, opening);
    const fault = lacks(opening, found);
    if (fault) faults.push(`${opening.path}: ${fault} of ${JSON.stringify(found)}`);
  }
  expect(faults).toEqual([]);
});
