/** What a message costs where it is billed: rows written, in the room, in the Limiters and in D1. */

import { setTimeout } from "node:timers/promises";
import { Generator } from "../load/generators.ts";
import { atMost, type Bench, figure, medianOf, type Row } from "../outcome.ts";
import { archived, meteredMeetAi, type Running } from "../systems.ts";

const BURST = { writers: 20, each: 100 };
/** At one a second; several times as long as the archive waits, so that its bookkeeping is counted as often as it comes. */
const STEADY = 60;

/** Rows written since the start, as the Worker in `workers/metered.ts` counts them. */
interface Rows {
  readonly room: number;
  readonly limiter: number;
  readonly d1: number;
}

export const cost: Bench = {
  name: "cost",
  work: `Rows written for each message until D1 has it, as the storage itself counts them: ${BURST.writers} writers with ${BURST.each} messages each as fast as they can, and one message a second for a minute. The archive waits as long as it does by default.`,
  remarks: `Rows are counted, not timed: one round is enough. A message is one row in the room and one in D1; the rest is bookkeeping that
comes once a copy to the archive, not once a message: the alarm, how far the archive is (room), the room's row and its
place in the directory's index (D1).`,
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const running = stack.use(await meteredMeetAi.start());
    const generator = stack.use(new Generator());
    options.progress("a burst");
    const burst = await measure(running, generator, BURST.writers, async () => {
      await generator.tell("start", 32, BURST.each);
      await generator.tell("finish");
    });
    options.progress("one message a second");
    const steady = await measure(running, generator, 1, async () => {
      const start = Date.now();
      for (let message = 1; message <= STEADY; message++) {
        await generator.tell("start", 1, message);
        await generator.tell("finish");
        await setTimeout(start + message * 1_000 - Date.now());
      }
    });
    const rows = [toRow("a burst", burst), toRow("one a second", steady)];
    return {
      rows,
      targets: [
        atMost("rows a message in a burst, room and D1", 2.1, inRoomAndD1(rows, "a burst"), "rows"),
        atMost("rows a message at one a second, room and D1", 2.5, inRoomAndD1(rows, "one a second"), "rows"),
      ],
    };
  },
};

/** Rows a message of what `write` writes in a room that has been used before. */
async function measure(
  running: Running,
  generator: Generator,
  count: number,
  write: () => Promise<void>,
): Promise<Rows> {
  const room = await running.room();
  const writers = await running.writers(count);
  const to = { origin: running.origin, dialect: running.system.dialect, room };
  try {
    // What a room and a key cost once is not a message's cost.
    await generator.tell("open", { ...to, writers, subscribers: 0 });
    await generator.tell("start", 1, 0);
    await archived(running, room);
    const before = await written(running);
    await write();
    await archived(running, room);
    const after = await written(running);
    const { acknowledged } = await generator.tell("totals");
    const each = (rows: keyof Rows): number => (after[rows] - before[rows]) / acknowledged;
    return { room: each("room"), limiter: each("limiter"), d1: each("d1") };
  } finally {
    await generator.tell("close");
  }
}

async function written({ origin }: Running): Promise<Rows> {
  return (await (await fetch(`${origin}/rows`)).json()) as Rows;
}

function toRow(situation: string, { room, limiter, d1 }: Rows): Row {
  const rows = (value: number) => figure([value], "rows");
  return {
    system: meteredMeetAi.name,
    situation,
    figures: { room: rows(room), D1: rows(d1), Limiters: rows(limiter), all: rows(room + d1 + limiter) },
    faults: [],
  };
}

function inRoomAndD1(rows: readonly Row[], situation: string): number {
  const [room, d1] = ["room", "D1"].map((name) => medianOf(rows, meteredMeetAi.name, name, situation));
  return (room ?? 0) + (d1 ?? 0);
}
