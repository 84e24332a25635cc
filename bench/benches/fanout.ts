/** A crowd listens to a few who write as fast as the room takes it. */

import { compare } from "../compare.ts";
import { atLeast, atMost, type Bench, medianOf } from "../outcome.ts";
import { bareObject, meetAi, notesRoom, socketIo, storingObject, wsSqlite } from "../systems.ts";

const WRITERS = { writers: 4, inFlight: 32 };

export const fanout: Bench = {
  name: "fanout",
  work: "4 writers with 32 messages of 100 bytes in flight each, 500 subscribers. A delivery is one message that one connection has received.",
  remarks: `A room's time goes to sending, and a frame costs nearly the same with one message in it as with a hundred. *messages/frame*
says how many came together: with all of the writers' 128 in one frame, one transaction and one serialisation do for all.
The window in which a room gathers begins with the first message that waits; when it began with the flush before, frames
had 46 messages and a message cost 1.7 times as much. No latency can be measured that is longer than warm-up and window
together, 3.5 s: where a peer's p99 is near that, it is longer.`,
  async run(options) {
    const peers = [bareObject, storingObject, notesRoom, wsSqlite, socketIo];
    const load = { ...WRITERS, subscribers: 500, warmUp: 1_000, window: 2_500 };
    const rows = await compare([{ load, systems: [meetAi, ...peers] }], options);
    const faster = (peer: string): number =>
      medianOf(rows, meetAi.name, "deliveries/s") / medianOf(rows, peer, "deliveries/s");
    const slowest = (peer: string): number =>
      medianOf(rows, meetAi.name, "delivery p99") / medianOf(rows, peer, "delivery p99");
    return {
      rows,
      targets: [
        atLeast("deliveries/s over the bare object's", 20, faster(bareObject.name)),
        atLeast("deliveries/s over those of ws + SQLite", 8, faster(wsSqlite.name)),
        atLeast("deliveries/s over those of the notes' room", 20, faster(notesRoom.name)),
        ...peers.map(({ name }) => atMost(`delivery p99 over that of ${name}`, 1, slowest(name))),
      ],
    };
  },
};

/** Subscribers, and how many times the bare object's deliveries there must be. */
const CURVE = [
  [0, 2],
  [10, 4],
  [100, 20],
  [2_000, 20],
] as const;

export const curve: Bench = {
  name: "curve",
  work: "The same writers with no subscriber, 10, 100 and 2,000: how the two rooms grow with their audience.",
  remarks: `Without subscribers there is little to send, and so little to gain by sending together. There the room does more for a
message than the bare object (it checks, orders, stores, archives and asks for the quota) and is still cheaper, but not
by half; and it waits 2 ms for more, in which this closed loop stands still. A third of its processor time there is the
archive's (without it 41 instead of 59 µs a message, the bare object 70); here D1 runs in the same process, on Cloudflare
it does not. Tried: no decoding of attachments (80 → 69 µs, kept); larger copies to D1 (60 → 52 µs, kept); one statement
for all rows of a transaction (2 µs, not kept); longer and shorter windows (nothing without subscribers).`,
  async run(options) {
    const situations = CURVE.map(([subscribers]) => ({
      situation: `${subscribers} subscribers`,
      load: { ...WRITERS, subscribers, warmUp: 800, window: 2_000 },
      systems: [meetAi, bareObject],
    }));
    const rows = await compare(situations, options);
    return {
      rows,
      targets: CURVE.map(([subscribers, wanted]) => {
        const situation = `${subscribers} subscribers`;
        const [own, bare] = [meetAi, bareObject].map(({ name }) => medianOf(rows, name, "deliveries/s", situation));
        return atLeast(`deliveries/s over the bare object's, ${situation}`, wanted, (own ?? 0) / (bare ?? 1));
      }),
    };
  },
};
