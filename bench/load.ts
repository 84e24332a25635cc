/**
 * One round of load on one room: open, write, measure a window, stop, and check that every connection was sent every
 * message once. Writers and audience are two processes, so that neither's parsing delays the other.
 */

import { setTimeout } from "node:timers/promises";
import type { Quantiles } from "./load/generator.ts";
import { Generator } from "./load/generators.ts";
import { processorShares, processorTime } from "./processes.ts";
import type { Running } from "./systems.ts";

export interface Load {
  readonly writers: number;
  /** Messages that each writer has on their way at any time. */
  readonly inFlight: number;
  readonly subscribers: number;
  /** ms before the window, and of it. */
  readonly warmUp: number;
  readonly window: number;
}

/** Who could not do more. `others`: processes that have nothing to do with this took a tenth of the machine. */
export type Limit = "room" | "writers" | "audience" | "others" | "nobody";

export interface Round {
  /** Messages, and messages times those who received them, each second. */
  readonly messages: number;
  readonly deliveries: number;
  /** Messages that came together in one frame, on average. */
  readonly messagesAFrame: number;
  /** ms from writer to subscriber, and from writer back to itself. */
  readonly delivery: Quantiles | undefined;
  readonly roundTrip: Quantiles | undefined;
  /** Transactions of D1 each second, where they are counted. */
  readonly transactions?: number | undefined;
  /** Busy processors. */
  readonly processors: { room: number; writers: number; audience: number; others: number };
  readonly limit: Limit;
  /** What went wrong, in words; empty when every message came to everybody, once and in its writer's order. */
  readonly faults: readonly string[];
}

/** From this share of a processor on, a process is its own limit. */
const BUSY = 0.9;

/** The two processes that make load. Used for one round after another. */
export class Loader implements AsyncDisposable {
  readonly #writers = new Generator();
  readonly #audience = new Generator();

  async round(running: Running, load: Load): Promise<Round> {
    const { origin, system } = running;
    const room = await running.room();
    const to = { origin, dialect: system.dialect, room };
    const [writers, audience] = [this.#writers, this.#audience];
    try {
      await audience.tell("open", { ...to, writers: [], subscribers: load.subscribers });
      await writers.tell("open", { ...to, writers: await running.writers(load.writers), subscribers: 0 });
      await writers.tell("start", load.inFlight);
      await setTimeout(load.warmUp);

      await Promise.all([writers.tell("begin"), audience.tell("begin")]);
      const from = processorTime(running.group);
      await setTimeout(load.window);
      const [wrote, heard] = await Promise.all([writers.tell("end"), audience.tell("end")]);
      const shares = processorShares(from, processorTime(running.group));

      await writers.tell("stop");
      const faults = await this.#check(load);
      const processors = {
        room: shares.group,
        writers: wrote.cpu,
        audience: heard.cpu,
        others: Math.max(0, shares.machine - shares.group - wrote.cpu - heard.cpu),
      };
      return {
        messages: wrote.acknowledged / wrote.seconds,
        deliveries: wrote.received / wrote.seconds + heard.received / heard.seconds,
        messagesAFrame: (wrote.received + heard.received) / (wrote.frames + heard.frames),
        delivery: heard.delivery,
        roundTrip: wrote.roundTrip,
        processors,
        limit: limitOf(processors),
        faults,
      };
    } finally {
      await Promise.all([writers.tell("close"), audience.tell("close")]);
    }
  }

  async #check({ writers, subscribers }: Load): Promise<string[]> {
    const { sent } = await this.#writers.tell("totals");
    const faults: string[] = [];
    for (const [generator, connections] of [
      [this.#writers, writers],
      [this.#audience, subscribers],
    ] as const) {
      if (connections === 0) continue;
      await generator.tell("settle", sent);
      const totals = await generator.tell("totals");
      if (totals.least !== sent || totals.most !== sent) {
        faults.push(`${sent} messages were sent; connections received from ${totals.least} to ${totals.most} of them.`);
      }
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#writers[Symbol.asyncDispose](), this.#audience[Symbol.asyncDispose]()]);
  }
}

/** Who could not do more, by how busy each one was. */
export function limitOf({ room, writers, audience, others }: Round["processors"]): Limit {
  if (others > 0.2) return "others";
  if (room >= BUSY) return "room";
  if (writers >= BUSY) return "writers";
  return audience >= BUSY ? "audience" : "nobody";
}
