/** A server whose clock is set while it runs. Without a C compiler there is no such clock, and this is left out. */

import { expect, it } from "vitest";
import { ClockWitness, ROOMS_A_DAY } from "../chaos/clock-witness.ts";
import { FalseClock } from "../chaos/false-clock.ts";
import { Server } from "./server.ts";

it("goes on, and locks nobody out, when its clock is set ahead by hours and back", async ({ skip }) => {
  const made = FalseClock.make();
  if ("skipped" in made) return skip(made.skipped);
  using clock = made;
  const vars = { ...clock.environment, ROOMS_PER_DAY: String(ROOMS_A_DAY) };
  await using server = await Server.start({ vars });
  const witness = await ClockWitness.begin(server, clock);
  expect(await witness.watch(5 * 3_600)).toEqual([]);
  expect(server.output).toContain('"event":"clock.set_back"');
});
