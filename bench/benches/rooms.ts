/** Many small rooms at once: what a machine carries when its people talk in a thousand places, not in one. */

import { setTimeout } from "node:timers/promises";
import { toRow } from "../compare.ts";
import type { Open } from "../load/generator.ts";
import { Generator } from "../load/generators.ts";
import { limitOf, type Round } from "../load.ts";
import { between } from "../meter/usage.ts";
import { atLeast, atMost, type Bench, type BenchOptions, medianOf, type Row } from "../outcome.ts";
import { processorShares, processorTime, untilQuiet } from "../processes.ts";
import { bareObject, countedMeetAi, type Running, type System, storingObject } from "../systems.ts";

const ROOMS = 1_000;
/** A writer and two who listen. */
const LISTENERS = 2;
/** ms between two messages of a room. */
const EVERY = 1_000;
/** Longer than the archive waits, so that the window has as much of its work in it as any other time. */
const WARM_UP = 11_000;
const WINDOW = 10_000;

export const rooms: Bench = {
  name: "rooms",
  work: `${ROOMS.toLocaleString("en")} rooms with 3 sockets each, one of which writes a message a second, each with a key of its own. Each writer has its own moment of the second, by chance, and keeps to it whether its last message is back or not.`,
  remarks: `The window begins when the archive, which waits for 10 s, has begun its work in all rooms, and is as long as that. *processor*
is what the server's processes took for one message, with its archiving. *D1 transactions/s* are those of the whole
deployment.`,
  async run(options) {
    const systems = [countedMeetAi, storingObject, bareObject];
    const rows: Row[] = [];
    for (const system of systems) {
      await using crowd = await Crowd.gather(system, options);
      rows.push(await crowd.measure(options));
    }
    const of = (name: string, system: System): number => medianOf(rows, system.name, name);
    const over = (name: string): number => of(name, countedMeetAi) / of(name, storingObject);
    return {
      rows,
      targets: [
        atLeast("messages/s, of a thousand", 990, of("messages/s", countedMeetAi), "/s"),
        atMost("round trip p50 over the storing object's", 1, over("round trip p50")),
        atMost("delivery p50 over the storing object's", 1, over("delivery p50")),
        atMost("processor time a message over the storing object's", 1.2, over("processor")),
      ],
    };
  },
};

/** One system with its rooms. The systems run one after the other: a thousand rooms of another one are not nothing. */
class Crowd implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #running: Running;
  readonly #generator: Generator;
  readonly #rooms: readonly Open[];

  private constructor(stack: AsyncDisposableStack, running: Running, generator: Generator, rooms: readonly Open[]) {
    this.#stack = stack;
    this.#running = running;
    this.#generator = generator;
    this.#rooms = rooms;
  }

  /** Starts `system` and makes its rooms and their writers. */
  static async gather(system: System, { progress }: BenchOptions): Promise<Crowd> {
    await using stack = new AsyncDisposableStack();
    progress(`${system.name}: starting`);
    const running = stack.use(await system.start());
    const generator = stack.use(new Generator());
    progress(`${system.name}: making ${ROOMS} rooms`);
    const writers = await running.writers(ROOMS);
    const rooms: Open[] = [];
    for (const writer of writers) {
      const [room, { origin }] = [await running.room(), running];
      rooms.push({
        origin,
        dialect: system.dialect,
        room,
        writers: [writer],
        subscribers: LISTENERS,
        from: "many addresses",
      });
    }
    return new Crowd(stack.move(), running, generator, rooms);
  }

  async measure({ rounds, progress }: BenchOptions): Promise<Row> {
    const { system } = this.#running;
    const measured: Round[] = [];
    const failures: string[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`${system.name}: round ${round} of ${rounds}`);
      try {
        measured.push(await this.#round());
      } catch (error) {
        failures.push(String(error));
      }
    }
    return toRow(system, undefined, measured, failures);
  }

  async #round(): Promise<Round> {
    const [generator, { group, usage }] = [this.#generator, this.#running];
    const each = Math.ceil((WARM_UP + WINDOW) / EVERY);
    try {
      await generator.tell("open", ...this.#rooms);
      await generator.tell("pace", EVERY, each);
      await setTimeout(WARM_UP);
      await generator.tell("begin");
      const [from, before] = [processorTime(group), await usage?.()];
      await setTimeout(WINDOW);
      const window = await generator.tell("end");
      const used = before && usage && between(before, await usage());
      const shares = processorShares(from, processorTime(group));
      await generator.tell("finish");
      await generator.tell("settle", each);
      const { least, most } = await generator.tell("totals");
      const processors = {
        room: shares.group,
        writers: window.cpu,
        audience: 0,
        others: Math.max(0, shares.machine - shares.group - window.cpu),
      };
      return {
        messages: window.acknowledged / window.seconds,
        deliveries: window.received / window.seconds,
        messagesAFrame: window.received / window.frames,
        delivery: window.delivery,
        roundTrip: window.roundTrip,
        transactions: used && used.d1.transactions / window.seconds,
        processors,
        limit: limitOf(processors),
        faults:
          least === each && most === each
            ? []
            : [`${each} messages were sent in each room; connections received from ${least} to ${most}.`],
      };
    } finally {
      await generator.tell("close");
      await untilQuiet(group);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
