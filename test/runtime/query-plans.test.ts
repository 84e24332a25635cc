/** How D1 carries out the queries that a visitor may repeat at will: by an index, and in the order of one. */

import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { listRooms, roomsToTell } from "../../api/directory.ts";

/** The steps that D1 takes for each query of `work`. */
async function plansOf(work: () => Promise<unknown>): Promise<string[]> {
  const prepare = vi.spyOn(env.DB, "prepare");
  await work();
  const queries = prepare.mock.calls.map(([query]) => query);
  prepare.mockRestore();
  const plans = await Promise.all(
    queries.map((query) => env.DB.prepare(`EXPLAIN QUERY PLAN ${inlined(query)}`).all<{ detail: string }>()),
  );
  return plans.flatMap(({ results }) => results.map(({ detail }) => detail));
}

/** A plan is asked for without bindings, so a number stands in each one's place. */
const inlined = (query: string): string => query.replaceAll(/\?\d*/g, "1");

it("lists rooms in the order of the directory's index: it reads as many as it gives, and sorts none", async () => {
  const plans = await plansOf(() => listRooms(env.DB, "", undefined, 50));
  // From the beginning of an index that has nothing else than what is listed.
  const inOrder = "SCAN rooms USING INDEX rooms_by_activity";
  expect(plans).toContain(inOrder);
  const others = plans.filter((step) => step !== inOrder);
  expect(others.filter((step) => step.includes("SCAN") || step.includes("TEMP B-TREE"))).toEqual([]);
});

it("finds the rooms that do not go by KEEP_DAYS yet by an index, as it looks for them each hour", async () => {
  const plans = await plansOf(() => roomsToTell(env.DB, 30, 200));
  expect(plans.filter((step) => step.includes("SCAN"))).toEqual([]);
  expect(plans.filter((step) => step.includes("rooms_by_known_keep")).length).toBeGreaterThanOrEqual(2);
});
