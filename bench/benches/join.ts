/** Opening a room that has a long history. */

import { Generator } from "../load/generators.ts";
import { atMost, type Bench, figure, median, medianOf, quantile, type Row } from "../outcome.ts";
import { archived, bareObject, fillRoom, meetAi, type Running } from "../systems.ts";

/** Joins of one turn, and turns of a round: short turns, so that a disturbance meets all cases alike. */
const JOINS = 60;
const TURNS = 5;

const LONG = "100,000 messages";
const SHORT = "100 messages";
/** What two measurements of the same thing may differ by on a machine that does other things, too. */
const NOISE = 1.15;

export const join: Bench = {
  name: "join",
  work: `Opening ${JOINS} sockets a turn, one after the other, to a room with 100,000 messages and to one with 100, each until its welcome with the last 50 messages is there; and to the bare object, until the upgrade is answered. ${TURNS} turns a round.`,
  remarks: `Beyond what the bare object does, the Worker reads the request and hands on who asks, and the room reads the last 50 messages
from its storage, tells who is here, and sends some 10 KB. It asks D1 nothing: a room that the Worker has found within
the last minute is asked at once. The length of the history does not matter, because nothing of it but those 50 is read.`,
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const generator = stack.use(new Generator());
    options.progress("filling the rooms");
    const [own, bare] = [stack.use(await meetAi.start()), stack.use(await bareObject.start())];
    const cases = [
      { running: own, situation: LONG, room: await fillRoom(own, generator, 100_000) },
      { running: own, situation: SHORT, room: await fillRoom(own, generator, 100) },
      { running: bare, situation: undefined, room: await bare.room() },
    ].map((each) => ({ ...each, p50: [] as number[], p99: [] as number[] }));
    for (const { running, room } of cases.slice(0, 2)) await archived(running, room);
    for (let turn = 1; turn <= options.rounds * TURNS; turn++) {
      for (const { running, situation, room, p50, p99 } of cases) {
        options.progress(
          `turn ${turn} of ${options.rounds * TURNS}: ${[running.system.name, situation].filter(Boolean).join(", ")}`,
        );
        const durations = await joins(generator, running, room);
        p50.push(median(durations));
        p99.push(quantile(durations, 0.99));
      }
    }
    const rows = cases.map(
      ({ running, situation, p50, p99 }): Row => ({
        system: running.system.name,
        ...(situation && { situation }),
        figures: { "join p50": figure(p50, "ms"), "join p99": figure(p99, "ms") },
        faults: [],
      }),
    );
    const long = medianOf(rows, meetAi.name, "join p50", LONG);
    return {
      rows,
      targets: [
        atMost(
          "join p50 with 100,000 messages over opening a bare socket",
          2,
          long / medianOf(rows, bareObject.name, "join p50"),
        ),
        atMost(
          "join p50 with 100,000 messages over that with 100",
          NOISE,
          long / medianOf(rows, meetAi.name, "join p50", SHORT),
        ),
      ],
    };
  },
};

const joins = (generator: Generator, running: Running, room: string): Promise<number[]> =>
  generator.tell("join", { origin: running.origin, dialect: running.system.dialect, room }, JOINS);
