/** What a socket costs a server that has many, while nothing happens. */

import { setTimeout } from "node:timers/promises";
import { Generator } from "../load/generators.ts";
import { atMost, type Bench, figure, medianOf, type Row } from "../outcome.ts";
import { residentBytes } from "../processes.ts";
import { bareObject, meetAi, type Running, socketIo, wsSqlite } from "../systems.ts";

const SPECTATORS = 5_000;
/** Connected before the counting begins, so that what a server allocates once is not divided among sockets. */
const WARM_UP = 500;
/** An object hibernates after ten quiet seconds; the figure is for a room that could. */
const QUIET = 12_000;

export const memory: Bench = {
  name: "memory",
  work: `${SPECTATORS.toLocaleString("en")} spectators in one room beside ${WARM_UP} earlier ones, ${QUIET / 1_000} s after the last has come: what the server's processes have grown by, divided by the sockets.`,
  remarks: `Each round starts the servers anew: what one round left allocated would be the next one's gift. Nearly all of the bytes of
both objects are the runtime's, on a socket's way from the network through the Worker to the object; on Cloudflare's
network most of that is not the object's. Node has no such way.`,
  async run(options) {
    const systems = [meetAi, bareObject, wsSqlite, socketIo];
    const bytes = new Map(systems.map((system) => [system, [] as number[]]));
    for (let round = 1; round <= options.rounds; round++) {
      options.progress(`round ${round} of ${options.rounds}: opening sockets`);
      await using stack = new AsyncDisposableStack();
      const crowds: { running: Running; before: number }[] = [];
      for (const system of systems) {
        const running = stack.use(await system.start());
        const room = await running.room();
        const to = { origin: running.origin, dialect: system.dialect, room, writers: [] };
        await stack.use(new Generator()).tell("open", { ...to, subscribers: WARM_UP });
        const before = residentBytes(running.group);
        await stack.use(new Generator()).tell("open", { ...to, subscribers: SPECTATORS });
        crowds.push({ running, before });
      }
      options.progress(`round ${round} of ${options.rounds}: waiting until the rooms are quiet`);
      await setTimeout(QUIET);
      for (const { running, before } of crowds) {
        bytes.get(running.system)?.push((residentBytes(running.group) - before) / SPECTATORS);
      }
    }
    const rows = [...bytes].map(
      ([{ name }, each]): Row => ({ system: name, figures: { "bytes a socket": figure(each, "bytes") }, faults: [] }),
    );
    const [own, bare] = [meetAi, bareObject].map(({ name }) => medianOf(rows, name, "bytes a socket"));
    return {
      rows,
      targets: [atMost("resident bytes a socket over the bare object's", 1.15, (own ?? 0) / (bare ?? 1))],
    };
  },
};
