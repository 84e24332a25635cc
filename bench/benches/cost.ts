/** What a room costs where it is billed, and how much of each the free plan carries. */

import { setTimeout } from "node:timers/promises";
import { Generator } from "../load/generators.ts";
import { carried, DAY, type Demand, demandOf, messagesInDatabase, plus, times } from "../meter/free-plan.ts";
import { between, type Usage } from "../meter/usage.ts";
import { atMost, type Bench, type BenchOptions, type Figure, figure, type Row } from "../outcome.ts";
import { archived, FILLERS, fillRoom, meteredMeetAi, type Running } from "../systems.ts";

const BURST = { writers: 20, each: 100 };
/** Messages of a room that has pruned its log before, and those in which what pruning costs is counted. */
const LONG = 11_000;
const STRETCH = 12_000;
/** Seconds at one message a second; several times as long as the archive waits. */
const STEADY = 60;
/** As long as a request may wait, seconds, and how many are counted. */
const WAIT = 25;
const POLLS = 6;
/** As long as a tool may wait, seconds, and how many of its calls are counted. */
const TOOL_WAIT = 50;
const TOOL_CALLS = 3;
/** ms between two messages of one of two people, and how many each writes. */
const TALK_EVERY = 30_000;
const TALK_EACH = 6;
const WATCHERS = 100;
/** Seconds for which they watch: several times as long as a room waits before it looks for dead peers. */
const WATCH = 180;
/** Whatever came before has been archived and written down by then, and every object sleeps, ms. */
const ASLEEP_AFTER = 15_000;

/** What one thing uses: a message, or an agent or a room in a day. */
interface Cost {
  readonly situation: string;
  readonly demand: Demand;
  /** Rows read in room objects, for each of those who asked: a poll, a message, a sweep. */
  readonly readEach: number;
  /** Of the database, for a message. */
  readonly bytes?: number;
  readonly unmetered: readonly string[];
}

const A_BURST = "a message of a burst";
const ONE_A_SECOND = "a message at one a second";
const A_POLLER = "an agent that long-polls, a day";
const A_WAITER = "an agent that waits over MCP, a day";
const A_TALK = "two people who talk, a day";
const AN_AUDIENCE = `${WATCHERS} watchers, a day`;

export const cost: Bench = {
  name: "cost",
  work: `Everything that is billed, counted where it happens: ${BURST.writers} writers with ${BURST.each} messages each as fast as they can; one message a second for a minute in a room past its pruning; an agent that asks a quiet room for what is new, ${WAIT} s at a time; one with a key that waits by the tool of MCP, ${TOOL_WAIT} s at a time; two people, each with a message every ${TALK_EVERY / 1_000} s; ${WATCHERS} watchers of a quiet room. All rooms but the first have ${LONG.toLocaleString("en")} messages and more. *carries* is how many of it the free plan carries a day, and *limit* what of it ends first.`,
  remarks: `Events are counted, not timed: one round is enough. A day is extrapolated from some minutes: ${POLLS} requests of ${WAIT} s, ${TOOL_CALLS} of ${TOOL_WAIT} s, ${TALK_EACH} messages of
each of the two, ${WATCH} s of watching; what it costs to come is not in it. What pruning costs a message is counted over
${STRETCH.toLocaleString("en")} messages and added to that of a minute, in which nothing is pruned. Object requests are calls, upgrades, alarms, and
a twentieth of the frames that come. An object is awake while it handles an event, has a timer pending or waits for D1;
one that could hibernate is not billed. Awake seconds are this machine's: on a faster one events take less, timers do
not.`,
  async run(options) {
    const costs = (
      await Promise.all([burst, oneASecond, poller, waiter, talk, audience].map((each) => each(options)))
    ).flat();
    const of = (situation: string): Cost => costs.find((each) => each.situation === situation) as Cost;
    const stored = (situation: string): number =>
      of(situation).demand["rows written in D1"] + of(situation).demand["rows written in objects"];
    return {
      rows: costs.map(toRow),
      targets: [
        atMost("rows written a message in a burst", 1.35, stored(A_BURST), "rows"),
        atMost("rows written a message at one a second, with pruning", 1.7, stored(ONE_A_SECOND), "rows"),
        atMost("rows read in the room a poll", 100, of(A_POLLER).readEach, "rows"),
      ],
    };
  },
};

/** One server with a meter, and something that makes load. */
class Stage implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly running: Running;
  readonly generator: Generator;
  #keysUsed = FILLERS;

  private constructor(stack: AsyncDisposableStack, running: Running, generator: Generator) {
    this.#stack = stack;
    this.running = running;
    this.generator = generator;
  }

  static async set(): Promise<Stage> {
    await using stack = new AsyncDisposableStack();
    const running = stack.use(await meteredMeetAi.start());
    const generator = stack.use(new Generator());
    return new Stage(stack.move(), running, generator);
  }

  /** A room that has pruned its log, and in which nothing is going on any more. */
  async longRoom(): Promise<string> {
    const room = await fillRoom(this.running, this.generator, LONG);
    await archived(this.running, room);
    await setTimeout(ASLEEP_AFTER);
    return room;
  }

  /** Opens sockets to `room`: `writers` with keys that have not written yet, and `subscribers`. */
  async open(room: string, writers: number, subscribers: number): Promise<void> {
    const keys = await this.running.writers(this.#keysUsed + writers);
    const { origin, system } = this.running;
    const to = { origin, dialect: system.dialect, room, writers: keys.slice(this.#keysUsed), subscribers };
    this.#keysUsed += writers;
    await this.generator.tell("open", { ...to, from: "many addresses" });
  }

  /** What is used while `work` is done. */
  async metered(work: () => Promise<void>): Promise<Usage> {
    const usage = this.running.usage as () => Promise<Usage>;
    const before = await usage();
    await work();
    return between(before, await usage());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.generator.tell("close");
    await this.#stack.disposeAsync();
  }
}

async function burst({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const { running, generator } = stage;
  const room = await running.room();
  await stage.open(room, BURST.writers, 0);
  // What a room and a key cost once is not a message's cost.
  await generator.tell("start", 1, 1);
  await generator.tell("finish");
  await archived(running, room);
  const messages = BURST.writers * BURST.each;
  const usage = await stage.metered(async () => {
    await generator.tell("start", 32, BURST.each + 1);
    await generator.tell("finish");
    await setTimeout(ASLEEP_AFTER);
  });
  await archived(running, room);
  progress("counted the burst");
  return toCost(A_BURST, usage, messages, messages);
}

async function oneASecond({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const { running, generator } = stage;
  const room = await stage.longRoom();
  await stage.open(room, FILLERS, 0);
  const stretch = await stage.metered(async () => {
    await generator.tell("start", 64, STRETCH / FILLERS);
    await generator.tell("finish");
    await setTimeout(ASLEEP_AFTER);
  });
  await archived(running, room);
  await generator.tell("close");
  await setTimeout(ASLEEP_AFTER);
  await stage.open(room, 1, 0);
  const minute = await stage.metered(async () => {
    await generator.tell("pace", 1_000, STEADY);
    await generator.tell("finish");
    await setTimeout(ASLEEP_AFTER);
  });
  await archived(running, room);
  progress("counted one a second");
  const { demand, ...rest } = toCost(ONE_A_SECOND, minute, STEADY, STEADY);
  const pruning = stretch.room.rowsRemoved / STRETCH - minute.room.rowsRemoved / STEADY;
  const removed = { ...times(demand, 0), "rows written in objects": pruning };
  return { ...rest, demand: plus(demand, removed), bytes: stretch.d1.bytes / STRETCH };
}

async function poller({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const room = await stage.longRoom();
  const { origin } = stage.running;
  const path = `${origin}/api/rooms/${room}/messages`;
  const { head, epoch } = (await (await fetch(`${path}?limit=1`)).json()) as { head: number; epoch: string };
  await setTimeout(ASLEEP_AFTER);
  const start = performance.now();
  const usage = await stage.metered(async () => {
    for (let poll = 0; poll < POLLS; poll++) {
      const response = await fetch(`${path}?after=${head}&epoch=${epoch}&wait=${WAIT}`);
      if (!response.ok) throw new Error(`A poll was answered with ${response.status}: ${await response.text()}`);
      const { messages } = (await response.json()) as { messages: unknown[] };
      if (messages.length > 0) throw new Error("The quiet room had something to say.");
    }
  });
  progress("counted the agent that polls");
  return toCost(A_POLLER, usage, shareOfADay(start), POLLS);
}

async function waiter({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const room = await stage.longRoom();
  const { origin } = stage.running;
  const { head } = (await (await fetch(`${origin}/api/rooms/${room}/messages?limit=1`)).json()) as { head: number };
  const { key } = (await (await fetch(`${origin}/api/keys`, { method: "POST" })).json()) as { key: string };
  const wait = async (seconds: number) => {
    const params = { name: "wait_for_messages", arguments: { room, after: head, wait: seconds } };
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    });
    const answer = await response.text();
    if (!answer.includes("# nothing new")) throw new Error(`A wait was answered with ${response.status}: ${answer}`);
  };
  // What it costs to know a key for the first time is not the wait's.
  await wait(1);
  await setTimeout(ASLEEP_AFTER);
  const start = performance.now();
  const usage = await stage.metered(async () => {
    for (let call = 0; call < TOOL_CALLS; call++) await wait(TOOL_WAIT);
  });
  progress("counted the agent that waits over MCP");
  return toCost(A_WAITER, usage, shareOfADay(start), TOOL_CALLS);
}

async function talk({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const { generator } = stage;
  const room = await stage.longRoom();
  await stage.open(room, 2, 0);
  const start = performance.now();
  const usage = await stage.metered(async () => {
    await generator.tell("pace", TALK_EVERY, TALK_EACH);
    await setTimeout(TALK_EVERY * TALK_EACH);
    await generator.tell("finish");
  });
  progress("counted the two who talk");
  return toCost(A_TALK, usage, shareOfADay(start), 2 * TALK_EACH);
}

async function audience({ progress }: BenchOptions): Promise<Cost> {
  await using stage = await Stage.set();
  const room = await stage.longRoom();
  await stage.open(room, 0, WATCHERS);
  await setTimeout(ASLEEP_AFTER);
  const start = performance.now();
  const usage = await stage.metered(async () => {
    await setTimeout(WATCH * 1_000);
  });
  progress("counted the watchers");
  return toCost(AN_AUDIENCE, usage, shareOfADay(start), Math.max(1, usage.room.alarms));
}

/** How much of a day has gone by since `start`. */
const shareOfADay = (start: number): number => (performance.now() - start) / 1_000 / DAY;

/** What one of `count` has used, where the room was asked `asked` times. */
function toCost(situation: string, usage: Usage, count: number, asked: number): Cost {
  return {
    situation,
    demand: times(demandOf(usage), 1 / count),
    readEach: usage.room.rowsRead / asked,
    unmetered: usage.unmetered,
  };
}

function toRow({ situation, demand, bytes, unmetered }: Cost): Row {
  const { count, endsFirst } = carried(demand);
  const columns = Object.entries(demand).map(([name, value]): [string, Figure] => [name, figure([value], "number")]);
  return {
    system: situation,
    figures: {
      ...Object.fromEntries(columns),
      carries: figure([count], "number"),
      ...(bytes !== undefined && {
        "D1 bytes": figure([bytes], "number"),
        "D1 is full after": figure([messagesInDatabase(bytes)], "number"),
      }),
    },
    limits: [endsFirst],
    faults: unmetered.map((what) => `The meter can't count ${what}.`),
  };
}
