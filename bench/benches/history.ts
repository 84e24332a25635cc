/** A page from the middle of a long history, over HTTP. */

import { Generator } from "../load/generators.ts";
import { atMost, type Bench, figure, median, medianOf, quantile, type Row } from "../outcome.ts";
import { archived, d1Page, fillRoom, meetAi, type Running } from "../systems.ts";

const MESSAGES = 100_000;
const LIMIT = 200;
const REQUESTS = 200;

export const history: Bench = {
  name: "history",
  work: `${REQUESTS} requests, one after the other, for ${LIMIT} messages from all over a room's ${MESSAGES.toLocaleString("en")}; and the same query in a Worker that does nothing else.`,
  remarks: `A page of old messages is one query for the room's row, one for packs and one for messages that are not packed yet, in one round trip. It does not wake the room.`,
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const generator = stack.use(new Generator());
    const own = stack.use(await meetAi.start());
    const alone = stack.use(await d1Page(MESSAGES).start());
    options.progress("filling the room");
    const room = await fillRoom(own, generator, MESSAGES);
    options.progress("waiting for the archive");
    await archived(own, room);
    const cases = [
      { running: own, path: `/api/rooms/${room}/messages` },
      { running: alone, path: "/" },
    ].map((each) => ({ ...each, p50: [] as number[], p99: [] as number[] }));
    for (let round = 1; round <= options.rounds; round++) {
      for (const { running, path, p50, p99 } of cases) {
        options.progress(`round ${round} of ${options.rounds}: ${running.system.name}`);
        const durations = await pages(running, path);
        p50.push(median(durations));
        p99.push(quantile(durations, 0.99));
      }
    }
    const rows = cases.map(
      ({ running, p50, p99 }): Row => ({
        system: running.system.name,
        figures: { "page p50": figure(p50, "ms"), "page p99": figure(p99, "ms") },
        faults: [],
      }),
    );
    const [ours, theirs] = cases.map(({ running }) => medianOf(rows, running.system.name, "page p50"));
    return { rows, targets: [atMost("page p50 over the same query on D1 alone", 2, (ours ?? 0) / (theirs ?? 1))] };
  },
};

/** How long each request took, ms. Throws when a page is not the one that was asked for. */
async function pages({ origin }: Running, path: string): Promise<number[]> {
  const durations: number[] = [];
  for (let request = 1; request <= REQUESTS; request++) {
    const before = LIMIT + Math.floor((request / REQUESTS) * (MESSAGES / 2));
    const start = performance.now();
    const response = await fetch(`${origin}${path}?before=${before}&limit=${LIMIT}`);
    const { messages } = (await response.json()) as { messages: { seq: number }[] };
    durations.push(performance.now() - start);
    if (messages.length !== LIMIT || messages[0]?.seq !== before - LIMIT || messages.at(-1)?.seq !== before - 1) {
      throw new Error(`${origin}${path} gave another page than the one before ${before}.`);
    }
  }
  return durations;
}
