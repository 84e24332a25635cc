/** A crowd that was cut off comes back all at once, as after a deploy, and each of it wants what it missed. */

import { setTimeout } from "node:timers/promises";
import { Generator } from "../load/generators.ts";
import { atMost, type Bench, figure, medianOf, quantile, type Row } from "../outcome.ts";
import { processorTime, untilQuiet } from "../processes.ts";
import { bareObject, fillRoom, meetAi, type Running } from "../systems.ts";

const CONNECTIONS = 5_000;
/** Messages in the room before the crowd comes, and those that it misses. */
const BEFORE = 1_000;
const MISSED = 20;

/** Longer than a room takes to notice that a silent peer has gone, ms. */
const COUNTED_OUT_WITHIN = 60_000;

export const storm: Bench = {
  name: "storm",
  work: `${CONNECTIONS.toLocaleString("en")} sockets, each from an address of its own, are cut and come back at the same moment to a room of ${BEFORE.toLocaleString("en")} messages with the cursor that they had, ${MISSED} messages ago; until the last of them has its welcome. Beside it, as many sockets are opened at the bare object, until the upgrade of the last is answered.`,
  remarks: `The room has counted all of them out before they come back, as a room that was deployed anew has. *processor* is what the
server's processes took for one of them. A process needs two file descriptors for each socket, so \`ulimit -n\` must be
above 10,000.`,
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const [own, bare] = [stack.use(await meetAi.start()), stack.use(await bareObject.start())];
    const generator = stack.use(new Generator());
    options.progress("filling the room");
    const room = await fillRoom(own, generator, BEFORE);
    const cases = [
      { running: own, room, storm: () => comeBack(own, generator, room) },
      { running: bare, room: "storm", storm: () => openAtOnce(bare, generator, "storm") },
    ].map((each) => ({
      ...each,
      all: [] as number[],
      p50: [] as number[],
      processor: [] as number[],
      faults: new Set<string>(),
    }));
    for (let round = 1; round <= options.rounds; round++) {
      for (const { running, storm, all, p50, processor, faults } of cases) {
        options.progress(`round ${round} of ${options.rounds}: ${running.system.name}`);
        try {
          const { durations, seconds } = await storm();
          all.push(Math.max(...durations));
          p50.push(quantile(durations, 0.5));
          processor.push((seconds / CONNECTIONS) * 1e6);
        } catch (error) {
          faults.add(String(error));
        } finally {
          await generator.tell("close");
          await untilQuiet(running.group);
        }
      }
    }
    const rows = cases.map(
      ({ running, all, p50, processor, faults }): Row => ({
        system: running.system.name,
        figures: { "all back": figure(all, "ms"), p50: figure(p50, "ms"), processor: figure(processor, "µs") },
        faults: [...faults],
      }),
    );
    const [ours, theirs] = cases.map(({ running }) => medianOf(rows, running.system.name, "all back"));
    return {
      rows,
      targets: [atMost("time until all are back over opening as many bare sockets", 1.5, (ours ?? 0) / (theirs ?? 1))],
    };
  },
};

interface Measured {
  /** How long each connection took, ms. */
  readonly durations: number[];
  /** Processor time of the server's processes. */
  readonly seconds: number;
}

/** Connects everybody, cuts them, has them miss something, and measures how they come back. */
async function comeBack(running: Running, generator: Generator, room: string): Promise<Measured> {
  const to = { origin: running.origin, dialect: running.system.dialect, room };
  await generator.tell("open", { ...to, writers: [], subscribers: CONNECTIONS, from: "many addresses" });
  const place = await generator.tell("look", to);
  await generator.tell("close");
  await untilNobodyIsIn(running, room);
  await generator.tell("open", { ...to, writers: await running.writers(1), subscribers: 0 });
  await generator.tell("start", 1, MISSED);
  await generator.tell("finish");
  await generator.tell("close");
  await untilNobodyIsIn(running, room);
  await untilQuiet(running.group);
  return storming(running, () => generator.tell("storm", { ...to, connections: CONNECTIONS, place, missed: MISSED }));
}

async function openAtOnce(running: Running, generator: Generator, room: string): Promise<Measured> {
  const to = { origin: running.origin, dialect: running.system.dialect, room };
  return storming(running, () => generator.tell("storm", { ...to, connections: CONNECTIONS }));
}

async function storming({ group }: Running, storm: () => Promise<number[]>): Promise<Measured> {
  const before = processorTime(group);
  const durations = await storm();
  return { durations, seconds: processorTime(group).group - before.group };
}

/** Waits until the room has counted out everybody who was cut. */
async function untilNobodyIsIn({ origin, owner }: Running, room: string): Promise<void> {
  const end = performance.now() + COUNTED_OUT_WITHIN;
  while (performance.now() < end) {
    const response = await fetch(`${origin}/api/rooms/${room}`, { headers: { authorization: `Bearer ${owner}` } });
    const { presence } = (await response.json()) as { presence: { people: string[]; spectators: number } };
    if (presence.people.length + presence.spectators === 0) return;
    await setTimeout(50);
  }
  throw new Error("The room still counts connections that were cut.");
}
