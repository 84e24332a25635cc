/** A quiet room: one person writes, waits for the answer, writes again. Here a room has nothing to gather. */

import { compare } from "../compare.ts";
import { atMost, type Bench, medianOf } from "../outcome.ts";
import { bareObject, meetAi, notesRoom, socketIo, storingObject, wsSqlite } from "../systems.ts";

export const ack: Bench = {
  name: "ack",
  work: "1 writer with 1 message in flight, 100 subscribers. Round trip: from the send until the writer has its own message back.",
  async run(options) {
    const systems = [meetAi, bareObject, storingObject, notesRoom, wsSqlite, socketIo];
    const load = { writers: 1, inFlight: 1, subscribers: 100, warmUp: 500, window: 2_500 };
    const rows = await compare([{ load, systems }], options);
    const [own, bare] = [meetAi, bareObject].map(({ name }) => medianOf(rows, name, "round trip p50"));
    return {
      rows,
      targets: [atMost("round trip p50 over the bare object's", 1.5, (own ?? 0) / (bare ?? 1))],
    };
  },
};
