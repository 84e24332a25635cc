/**
 * The process that makes load: it holds the connections to one room and does what the bench tells it over IPC. It
 * measures its own processor time, so that a figure that is its limit, not the room's, is known for what it is.
 *
 * Started by `generators.ts`.
 */

import { setTimeout } from "node:timers/promises";
import { clock, type DialectName, dialect } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { Member, type Tally } from "./member.ts";

export interface Open {
  readonly origin: string;
  readonly dialect: DialectName;
  readonly room: string;
  /** What each writer identifies itself with; an empty list makes subscribers only. */
  readonly writers: readonly string[];
  readonly subscribers: number;
}

/** What happened in a window. */
export interface Window {
  readonly seconds: number;
  /** Messages that came to any of the connections. */
  readonly received: number;
  /** Frames in which they came. */
  readonly frames: number;
  readonly sent: number;
  /** Own messages that came back to their writers. */
  readonly acknowledged: number;
  /** ms from a writer to a subscriber, and from a writer back to itself. */
  readonly delivery: Quantiles | undefined;
  readonly roundTrip: Quantiles | undefined;
  /** Share of one processor that this process took. */
  readonly cpu: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Totals {
  /** Messages that all writers have sent, and that have come back to them, since they opened. */
  readonly sent: number;
  readonly acknowledged: number;
  /** The fewest and the most messages that came to one connection. */
  readonly least: number;
  readonly most: number;
  readonly faults: readonly string[];
  readonly faultCount: number;
}

export interface Commands {
  open(options: Open): Promise<void>;
  /** Lets the writers write: `each` messages each, or without end. */
  start(inFlight: number, each?: number): void;
  /** Begins a window. */
  begin(): void;
  end(): Window;
  /** Stops the writers and waits as `finish` does. */
  stop(): Promise<void>;
  /** Waits until the writers have sent all that they were to send and have it back, or nothing comes any more. */
  finish(): Promise<void>;
  /** Waits until each connection has received `messages`, or nothing comes any more. */
  settle(messages: number): Promise<void>;
  totals(): Totals;
  /** Opens `count` connections, one after the other, and returns how long each took to be ready, ms. */
  join(options: Omit<Open, "writers" | "subscribers">, count: number): Promise<number[]>;
  close(): void;
}

/** Connections that are being opened at a time: a server's backlog is finite. */
const OPENING_AT_ONCE = 64;

/** About this many subscribers measure how long messages take. */
const PROBES = 20;

const FAULTS_KEPT = 5;

/** When nothing has come for so long, nothing more will, ms. */
const SILENCE = 10_000;

let members: Member[] = [];
let heartbeat: NodeJS.Timeout | undefined;
let [received, frames, sent, faultCount] = [0, 0, 0, 0];
let faults: string[] = [];
let delivery = new Histogram();
let roundTrip = new Histogram();
let [startedAt, cpuAtStart] = [process.hrtime.bigint(), process.cpuUsage()];

const tally: Tally = {
  received: (messages) => {
    received += messages;
    frames++;
  },
  delivered: (duration) => delivery.add(duration),
  acknowledged: (duration) => roundTrip.add(duration),
  sent: (messages) => {
    sent += messages;
  },
  fault: (what) => {
    faultCount++;
    if (faults.length < FAULTS_KEPT) faults.push(what);
  },
};

const commands: Commands = {
  async open({ origin, dialect: name, room, writers, subscribers }) {
    const speaks = dialect(name);
    const url = new URL(speaks.path(room), origin);
    const probeEvery = Math.max(1, Math.floor(subscribers / PROBES));
    faults = [];
    faultCount = 0;
    const makers = [
      ...writers.map((credential, index) => ({ writer: { index, credential }, probe: false })),
      ...Array.from({ length: subscribers }, (_, index) => ({ probe: index % probeEvery === 0 })),
    ];
    for (let at = 0; at < makers.length; at += OPENING_AT_ONCE) {
      const wave = makers
        .slice(at, at + OPENING_AT_ONCE)
        .map((maker) => new Member({ url, dialect: speaks, tally, ...maker }));
      members.push(...wave);
      await Promise.all(wave.map(({ ready }) => ready));
    }
    if (speaks.heartbeat) {
      heartbeat = setInterval(() => {
        for (const member of members) member.heartbeat();
      }, speaks.heartbeat.every);
    }
  },

  start(inFlight, each) {
    for (const member of members) member.start(inFlight, each);
  },

  begin() {
    [received, frames, sent] = [0, 0, 0];
    [delivery, roundTrip] = [new Histogram(), new Histogram()];
    [startedAt, cpuAtStart] = [process.hrtime.bigint(), process.cpuUsage()];
  },

  end() {
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    const { user, system } = process.cpuUsage(cpuAtStart);
    return {
      seconds,
      received,
      frames,
      sent,
      acknowledged: roundTrip.count,
      delivery: quantiles(delivery),
      roundTrip: quantiles(roundTrip),
      cpu: (user + system) / 1e6 / seconds,
    };
  },

  async stop() {
    for (const member of members) member.stop();
    await commands.finish();
  },

  async finish() {
    await until(() => members.every(({ done }) => done));
  },

  async settle(messages) {
    await until(() => members.every((member) => member.received >= messages));
  },

  totals() {
    const counts = members.map((member) => member.received);
    return {
      sent: members.reduce((sum, member) => sum + member.sent, 0),
      acknowledged: members.reduce((sum, member) => sum + member.acknowledged, 0),
      least: Math.min(...counts),
      most: Math.max(...counts),
      faults,
      faultCount,
    };
  },

  async join({ origin, dialect: name, room }, count) {
    const speaks = dialect(name);
    const url = new URL(speaks.path(room), origin);
    const durations: number[] = [];
    while (durations.length < count) {
      const start = clock();
      const member = new Member({ url, dialect: speaks, tally, probe: false });
      await member.ready;
      durations.push((clock() - start) / 1e3);
      member.close();
    }
    return durations;
  },

  close() {
    clearInterval(heartbeat);
    for (const member of members) member.close();
    members = [];
  },
};

/** Waits for `condition` as long as messages come. */
async function until(condition: () => boolean): Promise<void> {
  let [before, lastAt] = [received, Date.now()];
  while (!condition() && Date.now() - lastAt < SILENCE) {
    await setTimeout(5);
    if (received !== before) [before, lastAt] = [received, Date.now()];
  }
}

function quantiles(histogram: Histogram): Quantiles | undefined {
  if (histogram.count === 0) return undefined;
  return { p50: histogram.quantile(0.5) / 1e3, p99: histogram.quantile(0.99) / 1e3 };
}

process.on("message", async ({ call, name, args }: { call: number; name: keyof Commands; args: unknown[] }) => {
  try {
    const run = commands[name] as (...args: unknown[]) => unknown;
    process.send?.({ call, value: await run(...args) });
  } catch (error) {
    process.send?.({ call, error: String(error) });
  }
});
process.on("disconnect", () => process.exit());
