import { expect, it } from "vitest";
import { describeViolations } from "../chaos/history.ts";
import { Random } from "../chaos/random.ts";
import { SCENARIOS, type ScenarioName } from "../chaos/scenarios.ts";

/** A taste of `npm run chaos`: the same trials, with fewer people and fewer faults. */
const TASTES: readonly { scenario: ScenarioName; faults: number; promise: string }[] = [
  { scenario: "kill", faults: 3, promise: "loses, doubles and reorders nothing when it is killed" },
  { scenario: "d1", faults: 1, promise: "goes on talking without D1, and archives everything afterwards" },
  { scenario: "proxy", faults: 25, promise: "resumes exactly over a network that cuts, stalls, half-closes and drips" },
];

it.each(TASTES)("a room $promise", async ({ scenario, faults }) => {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
  console.log(`${scenario}: CHAOS_SEED=${seed}`);
  const outcome = await SCENARIOS[scenario]({
    random: new Random(seed),
    faults,
    writers: 8,
    watchers: 2,
    report: () => undefined,
  });
  if ("skipped" in outcome) throw new Error(outcome.skipped);
  expect(describeViolations(outcome.violations)).toBe("");
  expect(outcome.surprises).toEqual([]);
  expect(outcome.resets).toBe(0);
  expect(outcome.acknowledged).toBeGreaterThan(0);
});
