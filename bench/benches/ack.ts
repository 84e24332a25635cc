/** A quiet room: one person writes, waits for the answer, writes again. Here a room has nothing to gather. */

import { compare } from "../compare.ts";
import { atMost, type Bench, medianOf } from "../outcome.ts";
import { bareObject, meetAi, notesRoom, socketIo, storingObject, wsSqlite } from "../systems.ts";

export const ack: Bench = {
  name: "ack",
  work: "1 writer with 1 message in flight, 100 subscribers. Round trip: from the send until the writer has its own message back.",
  remarks: `Here a room has nothing to gather, so this is where its promises cost most. Two things stand between a message and its
answer that a broadcast does without: the message is on disk first, which the storing object pays, too; and the sender's
Limiter, another object, is asked whether the quota allows it. Without that question a message of a room with nobody else
in it took the room's processor 0.65 ms instead of 1.02 (the storing object 0.53, the bare one 0.12; one trial on a busy
machine). It could be spared by lending each room a part of a quota beforehand, and then a quota would no longer be exact.
The room sends to the writer before the others, which brought the round trip of a writer who came before its 100 listeners
from 8.1 to 4.0 ms.`,
  async run(options) {
    const systems = [meetAi, bareObject, storingObject, notesRoom, wsSqlite, socketIo];
    const load = { writers: 1, inFlight: 1, subscribers: 100, warmUp: 500, window: 2_500 };
    const rows = await compare([{ load, systems }], options);
    const over = (peer: string): number =>
      medianOf(rows, meetAi.name, "round trip p50") / medianOf(rows, peer, "round trip p50");
    return {
      rows,
      targets: [
        atMost("round trip p50 over the bare object's", 1.5, over(bareObject.name)),
        atMost("round trip p50 over the storing object's", 1.1, over(storingObject.name)),
      ],
    };
  },
};
