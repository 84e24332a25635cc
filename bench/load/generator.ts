/**
 * The process that makes load: it holds the connections to one room or many and does what the bench tells it over IPC.
 * It measures its own processor time, so that a figure that is its limit, not the room's, is known for what it is.
 *
 * Started by `generators.ts`.
 */

import { setTimeout as pause } from "node:timers/promises";
import { Random } from "../../test/chaos/random.ts";
import { Addresses } from "./addresses.ts";
import { obey } from "./commands.ts";
import { clock, type DialectName, dialect, type Place } from "./dialect.ts";
import { Histogram } from "./histogram.ts";
import { Member, type MemberOptions, type Tally } from "./member.ts";

export interface Open {
  readonly origin: string;
  readonly dialect: DialectName;
  readonly room: string;
  /** What each writer identifies itself with; an empty list makes subscribers only. */
  readonly writers: readonly string[];
  readonly subscribers: number;
  /** Whether each connection comes from an address of its own, or all of them from this machine's. */
  readonly from?: "many addresses";
}

/** Connections that all come back at once. */
export interface Storm extends Pick<Open, "origin" | "dialect" | "room"> {
  readonly connections: number;
  /** The last message that each of them has, where the room's dialect can resume. */
  readonly place?: Place | undefined;
  /** How many messages each of them must be told in its welcome. */
  readonly missed?: number;
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
}

/** A command that waits or measures fails with the first thing that went wrong since `open`. */
export interface GeneratorCommands {
  /** Opens the connections to each of the rooms, a bounded number at a time. */
  open(...rooms: Open[]): Promise<void>;
  /** Lets the writers write: `each` messages each, or without end. */
  start(inFlight: number, each?: number): void;
  /**
   * Lets every writer write `each` messages, one every `interval` ms, whether its earlier ones have come back or not.
   * Each has its own moment in the interval, by chance, and the same one in every run.
   */
  pace(interval: number, each: number): void;
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
  /** Where the room is: its head and its epoch, as it tells a newcomer. */
  look(options: Pick<Open, "origin" | "dialect" | "room">): Promise<Place>;
  /** Opens all connections at the same time, and returns how long it took until each was ready, ms. */
  storm(options: Storm): Promise<number[]>;
  close(): void;
}

/** Connections that are being opened at a time: a server's backlog is finite. */
const OPENING_AT_ONCE = 64;

/** About this many subscribers measure how long messages take. */
const PROBES = 20;

/** What `pace` begins its chance with. */
const PHASES_SEED = 1;

/** Of the welcomes of a storm every so many-th is read. */
const WELCOMES_READ_EVERY = 50;

/** When nothing has come for so long, nothing more will, ms. */
const SILENCE = 10_000;

let members: Member[] = [];
let heartbeat: NodeJS.Timeout | undefined;
let pacing: NodeJS.Timeout | undefined;
const addresses = new Addresses();
let [received, frames, sent] = [0, 0, 0];
let firstFault: string | undefined;
/** No writer has sent a message of this number yet: a room that is written in again knows the ids of before. */
let unusedNumber = 0;
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
    firstFault ??= what;
  },
};

const commands: GeneratorCommands = {
  async open(...rooms) {
    firstFault = undefined;
    const all = rooms.flatMap(membersOf);
    for (let at = 0; at < all.length; at += OPENING_AT_ONCE) {
      const wave = all.slice(at, at + OPENING_AT_ONCE).map((options) => new Member(options));
      members.push(...wave);
      await Promise.all(wave.map(({ ready }) => ready));
    }
    keepAlive(rooms[0]?.dialect);
  },

  start(inFlight, each) {
    for (const member of members) member.start(inFlight, each);
  },

  pace(interval, each) {
    const chance = new Random(PHASES_SEED);
    const writers = members
      .filter(({ writes }) => writes)
      .map((writer) => ({ writer, phase: chance.next() * interval }))
      .sort((a, b) => a.phase - b.phase);
    for (const { writer } of writers) writer.expect(each);
    const startAt = performance.now();
    let [turn, round] = [0, 0];
    const writeWhatIsDue = (): void => {
      const now = performance.now() - startAt;
      for (; round < each; round++, turn = 0) {
        for (let next = writers[turn]; next; next = writers[++turn]) {
          if (round * interval + next.phase > now) {
            pacing = setTimeout(writeWhatIsDue, 1);
            return;
          }
          next.writer.write();
        }
      }
    };
    writeWhatIsDue();
  },

  begin() {
    [received, frames, sent] = [0, 0, 0];
    [delivery, roundTrip] = [new Histogram(), new Histogram()];
    [startedAt, cpuAtStart] = [process.hrtime.bigint(), process.cpuUsage()];
  },

  end() {
    throwFault();
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
    await whileMessagesCome(() => members.every(({ done }) => done));
  },

  async settle(messages) {
    await whileMessagesCome(() => members.every((member) => member.received >= messages));
  },

  totals() {
    const counts = members.map((member) => member.received);
    return {
      sent: members.reduce((sum, member) => sum + member.sent, 0),
      acknowledged: members.reduce((sum, member) => sum + member.acknowledged, 0),
      least: Math.min(...counts),
      most: Math.max(...counts),
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

  async look({ origin, dialect: name, room }) {
    const speaks = dialect(name);
    const member = new Member({ url: new URL(speaks.path(room), origin), dialect: speaks, tally, probe: false });
    try {
      const place = speaks.place?.(await member.ready);
      if (!place) throw new Error(`A room that speaks ${name} does not tell where it is.`);
      return place;
    } finally {
      member.close();
    }
  },

  async storm({ origin, dialect: name, room, connections, place, missed = 0 }) {
    const speaks = dialect(name);
    const url = new URL(speaks.path(room, place), origin);
    firstFault = undefined;
    const start = clock();
    const durations: number[] = [];
    const all = Array.from({ length: connections }, () => {
      return new Member({ url, dialect: speaks, tally, probe: false, address: addresses.next() });
    });
    members.push(...all);
    const welcomes = await Promise.all(
      all.map(async ({ ready }) => {
        const welcome = await ready;
        durations.push((clock() - start) / 1e3);
        return welcome;
      }),
    );
    keepAlive(name);
    // Reading them all takes long, and they are made by the same code.
    for (const welcome of welcomes.filter((_, index) => index % WELCOMES_READ_EVERY === 0)) {
      const told = speaks.welcomed?.(welcome);
      if (told !== undefined && told !== missed) tally.fault(`A welcome has ${told} messages instead of ${missed}.`);
    }
    throwFault();
    return durations;
  },

  close() {
    clearInterval(heartbeat);
    clearTimeout(pacing);
    unusedNumber += Math.max(0, ...members.map((member) => member.sent));
    for (const member of members) member.close();
    members = [];
  },
};

function throwFault(): void {
  if (firstFault !== undefined) throw new Error(firstFault);
}

/** Everybody in one room. */
function membersOf({ origin, dialect: name, room, writers, subscribers, from }: Open): MemberOptions[] {
  const speaks = dialect(name);
  const shared = { url: new URL(speaks.path(room), origin), dialect: speaks, tally };
  const probeEvery = Math.max(1, Math.floor(subscribers / PROBES));
  return [
    ...writers.map((credential, index) => {
      return { ...shared, writer: { index, credential, first: unusedNumber }, probe: false };
    }),
    ...Array.from({ length: subscribers }, (_, index) => ({ ...shared, probe: index % probeEvery === 0 })),
  ].map((options) => (from === undefined ? options : { ...options, address: addresses.next() }));
}

/** Has all members tell that they are there, as often as their dialect asks for it. */
function keepAlive(name: DialectName | undefined): void {
  const beat = name && dialect(name).heartbeat;
  clearInterval(heartbeat);
  if (!beat) return;
  heartbeat = setInterval(() => {
    for (const member of members) member.heartbeat();
  }, beat.every);
}

/** Waits for `condition`, and no longer than messages come: what is missing then, `totals` says. */
async function whileMessagesCome(condition: () => boolean): Promise<void> {
  let [before, lastAt] = [received, Date.now()];
  while (!condition() && Date.now() - lastAt < SILENCE) {
    await pause(5);
    throwFault();
    if (received !== before) [before, lastAt] = [received, Date.now()];
  }
  throwFault();
}

function quantiles(histogram: Histogram): Quantiles | undefined {
  if (histogram.count === 0) return undefined;
  return { p50: histogram.quantile(0.5) / 1e3, p99: histogram.quantile(0.99) / 1e3 };
}

obey(commands);
