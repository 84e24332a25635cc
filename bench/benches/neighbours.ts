/** What others do in the room of somebody who does nothing wrong. */

import { setTimeout } from "node:timers/promises";
import { dialect } from "../load/dialect.ts";
import type { Quantiles } from "../load/generator.ts";
import { Generator } from "../load/generators.ts";
import type { Door } from "../load/neighbour.ts";
import { Neighbours } from "../load/neighbours.ts";
import { atMost, type Bench, figure, medianOf, type Row } from "../outcome.ts";
import { residentBytes } from "../processes.ts";
import { FILLERS, fillRoom, meetAi, type Running, startMeetAi, WITHOUT_LIMITS } from "../systems.ts";

/** Messages in the room before anybody comes: as many as it keeps by itself, and within its writers' quotas. */
const BEFORE = 8_000;
/** ms between two messages of the writer, and of the one who talks at length; and bytes of what that one says. */
const EVERY = 50;
const TALK_EVERY = 250;
const TALK_BYTES = 16_000;
const LISTENERS = 100;
/** Above what the writer needs, and far below what a flood sends. */
const QUOTA = { KEY_MESSAGES_PER_MINUTE: "1500", SOCKETS_PER_ADDRESS: "500" };

/** ms that are measured without the neighbours and with them, and until each has had its effect. */
const WITHOUT = 8_000;
const SETTLING = 2_000;
const WITH = 10_000;

/** How long a slow Limiter takes, ms, and the messages of its author. */
const SLOW_BY = 500;
const SLOW_EVERY = 100;
const STALLED = 400;
const DELETED = 50;

/** Bytes. */
const MIB = 2 ** 20;
/** How often memory is looked at, ms. */
const LOOK_EVERY = 200;

const ALL = "all of them";

/** Has one kind of neighbour come. */
type Arrival = (scene: Scene) => Promise<void>;

const slowLimiter: Arrival = async (scene) => {
  const key = await scene.key();
  await scene.ask("/limiters/asked");
  // Nobody else comes or writes at this moment but the writer and the talker, whose Limiters are known.
  await scene.neighbours.tell("talk", scene.door, key, SLOW_EVERY, 100);
  await setTimeout(2 * SLOW_EVERY);
  const names = (await scene.ask("/limiters/asked")) as string[];
  const slow = names.filter((name) => !scene.others.includes(name));
  if (slow.length === 0) throw new Error("The author who is to be slow has asked no Limiter.");
  for (const name of slow) await scene.ask(`/limiters/slow?name=${encodeURIComponent(name)}&by=${SLOW_BY}`);
};

const flood: Arrival = async ({ neighbours, door, key }) => neighbours.tell("flood", door, await key());
const stalled: Arrival = ({ neighbours, door }) => neighbours.tell("stall", door, STALLED);
const deleter: Arrival = async ({ neighbours, door, key }) =>
  neighbours.tell("deleteInALoop", door, await key(), DELETED);
const readers: Arrival = ({ audience, to }) =>
  audience.tell("open", { ...to, writers: [], subscribers: STALLED, from: "many addresses" });

const SITUATIONS: readonly (readonly [name: string, arrivals: readonly Arrival[]])[] = [
  [`a Limiter that takes ${SLOW_BY} ms`, [slowLimiter]],
  ["a flood beyond its quota", [flood]],
  [`${STALLED} that never read`, [stalled]],
  ["deletions in a loop", [deleter]],
  [ALL, [slowLimiter, stalled, deleter, flood]],
  [`${STALLED} that read`, [readers]],
];
/** The last one is there to compare with, and no misbehaviour. */
const MISBEHAVIOUR = SITUATIONS.slice(0, -1);

export const neighbours: Bench = {
  name: "neighbours",
  work: `A room of ${BEFORE.toLocaleString("en")} messages and ${LISTENERS} listeners, in which one writes a message every ${EVERY} ms and another ${TALK_BYTES / 1_000} KB every ${TALK_EVERY} ms. First for ${WITHOUT / 1_000} s by themselves, then for ${WITH / 1_000} s with: one whose Limiter takes ${SLOW_BY} ms longer, and who writes every ${SLOW_EVERY} ms; one who sends messages as fast as the server takes the frames, beyond the quota of ${QUOTA.KEY_MESSAGES_PER_MINUTE} a minute; ${STALLED} sockets of one address that never read; one who deletes ${DELETED} own messages over and over as fast as the server takes the frames; all of them. Round trips are the well-behaved writer's.`,
  remarks: `Each situation has a server of its own and is compared with the same room a few seconds before. Where none of the
writer's messages came back, the length of the window stands for the round trip: it was longer. *memory* is how much more
the server's processes hold at most than they did at most before. ${STALLED} sockets that read are there to compare with: what
they cost, the platform takes for a socket. One who is thrown out comes back 200 ms later. The neighbours' process has a low
priority, so that it takes the processor from nobody who measures.`,
  async run(options) {
    const measured = new Map<string, Measured[]>();
    const faults = new Map<string, string[]>();
    for (let round = 1; round <= options.rounds; round++) {
      for (const [name, arrivals] of SITUATIONS) {
        options.progress(`round ${round} of ${options.rounds}: ${name}`);
        try {
          measured.set(name, [...(measured.get(name) ?? []), await situation(arrivals)]);
        } catch (error) {
          faults.set(name, [...(faults.get(name) ?? []), String(error)]);
        }
      }
    }
    const rows = SITUATIONS.map(([name]) => toRow(name, measured.get(name) ?? [], faults.get(name) ?? []));
    return {
      rows,
      targets: MISBEHAVIOUR.flatMap(([name]) => [
        atMost(`round trip p99 over that without, ${name}`, 1.5, medianOf(rows, meetAi.name, "over", name)),
        atMost(`memory, ${name}`, 64, medianOf(rows, meetAi.name, "memory", name), "MiB"),
      ]),
    };
  },
};

/** One measurement, in ms and bytes. */
interface Measured {
  readonly without: Quantiles;
  readonly with: Quantiles;
  readonly memory: number;
  readonly frames: number;
  readonly closed: number;
}

/** Everybody in one room of one server. */
interface Scene {
  readonly running: Running;
  readonly neighbours: Neighbours;
  readonly audience: Generator;
  readonly to: { origin: string; dialect: "meet-ai"; room: string };
  readonly door: Door;
  /** The Limiters of those who do nothing wrong. */
  readonly others: readonly string[];
  /** A key that nobody has used yet. */
  key(): Promise<string>;
  /** Asks the Worker in `workers/slowed.ts`. */
  ask(path: string): Promise<unknown>;
}

async function situation(arrivals: readonly Arrival[]): Promise<Measured> {
  await using stack = new AsyncDisposableStack();
  const running = stack.use(await startMeetAi({ ...WITHOUT_LIMITS, ...QUOTA }, "slowed"));
  const [writer, audience] = [stack.use(new Generator()), stack.use(new Generator())];
  const neighbours = stack.use(new Neighbours());
  const room = await fillRoom(running, writer, BEFORE);
  let keys = FILLERS;
  const key = async (): Promise<string> => (await running.writers(++keys)).at(-1) as string;
  const to = { origin: running.origin, dialect: "meet-ai" as const, room };
  const door = { origin: running.origin, path: dialect(to.dialect).path(room) };
  const ask = async (path: string): Promise<unknown> => {
    const text = await (await fetch(running.origin + path)).text();
    return text === "" ? undefined : JSON.parse(text);
  };

  await audience.tell("open", { ...to, writers: [], subscribers: LISTENERS, from: "many addresses" });
  await ask("/limiters/asked");
  await writer.tell("open", { ...to, writers: [await key()], subscribers: 0, from: "many addresses" });
  await neighbours.tell("talk", door, await key(), TALK_EVERY, TALK_BYTES);
  await writer.tell("pace", EVERY, LONGER_THAN_IT_TAKES / EVERY);
  await setTimeout(SETTLING);
  const others = (await ask("/limiters/asked")) as string[];
  const before = await watch(running, writer, WITHOUT);

  for (const arrive of arrivals) await arrive({ running, neighbours, audience, to, door, others, key, ask });
  await setTimeout(SETTLING);
  const after = await watch(running, writer, WITH);
  const trouble = await neighbours.tell("trouble");
  await neighbours.tell("leave");
  await Promise.all([writer.tell("close"), audience.tell("close")]);
  return { without: before.roundTrip, with: after.roundTrip, memory: after.memory - before.memory, ...trouble };
}

/** The writer writes until it is told to leave: how long its neighbours take to come is not known. ms. */
const LONGER_THAN_IT_TAKES = 600_000;

/** The writer's round trips over `duration` ms, and the most memory that the server's processes held, bytes. */
async function watch(
  { group }: Running,
  writer: Generator,
  duration: number,
): Promise<{ roundTrip: Quantiles; memory: number }> {
  await writer.tell("begin");
  let memory = 0;
  const end = performance.now() + duration;
  while (performance.now() < end) {
    memory = Math.max(memory, residentBytes(group));
    await setTimeout(LOOK_EVERY);
  }
  const { roundTrip } = await writer.tell("end");
  return { roundTrip: roundTrip ?? { p50: duration, p99: duration }, memory };
}

function toRow(situation: string, measured: readonly Measured[], faults: readonly string[]): Row {
  const of = (value: (each: Measured) => number, unit: "ms" | "×" | "MiB" | "number") =>
    figure(measured.map(value), unit);
  return {
    system: meetAi.name,
    situation,
    figures:
      measured.length === 0
        ? {}
        : {
            "p50 without": of((each) => each.without.p50, "ms"),
            "p50 with": of((each) => each.with.p50, "ms"),
            "p99 without": of((each) => each.without.p99, "ms"),
            "p99 with": of((each) => each.with.p99, "ms"),
            over: of((each) => each.with.p99 / each.without.p99, "×"),
            memory: of(({ memory }) => memory / MIB, "MiB"),
            "frames sent": of(({ frames }) => frames, "number"),
            closed: of(({ closed }) => closed, "number"),
          },
    faults,
  };
}
