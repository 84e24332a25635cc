/** Everybody writes. What a durable room commits in a second when there is always more to commit. */

import { compare } from "../compare.ts";
import { atLeast, type Bench, medianOf } from "../outcome.ts";
import { meetAi, notesRoom, storingObject, wsSqlite } from "../systems.ts";

export const writers: Bench = {
  name: "writers",
  work: "100 writers with 8 messages in flight each and no other subscriber. All systems have a message on disk before its sender hears of it.",
  remarks: `Each of the 100 writers also receives what all of them write, so even here a room that sends message by message spends most
of its time on sending.`,
  async run(options) {
    const peers = [storingObject, notesRoom, wsSqlite];
    const load = { writers: 100, inFlight: 8, subscribers: 0, warmUp: 1_500, window: 3_000 };
    const rows = await compare([{ load, systems: [meetAi, ...peers] }], options);
    const own = medianOf(rows, meetAi.name, "messages/s");
    return {
      rows,
      targets: peers.map(({ name }) =>
        atLeast(`messages/s over ${name}`, 10, own / medianOf(rows, name, "messages/s")),
      ),
    };
  },
};
