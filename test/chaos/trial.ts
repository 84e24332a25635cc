/**
 * One trial: a real server, a room full of people who write and people who watch, something that breaks it meanwhile, and
 * the verdict when it is quiet again.
 */

import { setTimeout as delay } from "node:timers/promises";
import { type HelloFrame, type Message, READING } from "../../party/protocol.ts";
import type { Server } from "../processes/server.ts";
import { OutOfPatience, until } from "../processes/until.ts";
import { checkHistory, type History, type Read, type Violation } from "./history.ts";
import { Participant } from "./participant.ts";
import type { Random } from "./random.ts";

/** Messages that one writer has on their way at most. */
const IN_FLIGHT = 4;
/** What a writer pauses between two messages at most, ms: a pace, so that a trial is about faults and not about load. */
const PACE = 60;
/** How long the room has to become quiet and the archive to catch up, ms. */
const PATIENCE = 120_000;

export interface TrialOptions {
  readonly server: Server;
  readonly random: Random;
  /** How many write. Some of them are guests, some people with a key, some agents that share one. */
  readonly writers: number;
  /** How many only watch. */
  readonly watchers: number;
  /** What a writer pauses between two messages at most, ms; short when absent. */
  readonly pace?: number;
  /** Where participants connect: the server's port, or that of something before it. */
  readonly port?: number;
}

/** What a trial was like, and what it showed. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly messages: number;
  readonly acknowledged: number;
  /** Sent more than once. */
  readonly retried: number;
  readonly refused: number;
  readonly resumes: number;
  readonly resets: number;
  readonly reads: number;
  /** Error frames that nothing in the trial explains, by code. */
  readonly surprises: readonly string[];
}

export class Trial {
  readonly room: string;
  readonly participants: Participant[] = [];
  readonly #options: TrialOptions;
  readonly #reads: Read[] = [];
  readonly #started = performance.now();
  #writing = true;
  #isOver = false;
  readonly #loops: Promise<void>[] = [];

  private constructor(options: TrialOptions, room: string) {
    this.#options = options;
    this.room = room;
  }

  /** Makes a room and fills it; everybody is there and the writers write when it resolves. */
  static async begin(options: TrialOptions): Promise<Trial> {
    const { server, writers, watchers } = options;
    const owner = await makeKey(server);
    const room = await makeRoom(server, owner);
    const trial = new Trial(options, room);
    const shared = await makeKey(server);
    for (let index = 0; index < writers; index++) {
      trial.join(`writer-${index}`, await identity(server, index, shared));
    }
    for (let index = 0; index < watchers; index++) trial.join(`watcher-${index}`);
    await until("everybody is there", () => trial.participants.every(({ isReady }) => isReady));
    for (const writer of trial.participants.slice(0, writers)) trial.#loops.push(trial.#write(writer));
    trial.#loops.push(trial.#read());
    return trial;
  }

  /** Somebody more, from now on. */
  join(name: string, hello?: HelloFrame): Participant {
    const { server, port = server.port, random } = this.#options;
    const participant = new Participant({
      name,
      url: `ws://localhost:${port}/api/rooms/${this.room}/ws`,
      ...(hello && { hello }),
      now: () => this.#now(),
      random: () => random.next(),
    });
    this.participants.push(participant);
    return participant;
  }

  /** How many messages have been acknowledged so far. */
  get acknowledged(): number {
    return this.participants.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** How often a message has been refused so far. */
  get refused(): number {
    return this.participants.flatMap(({ sends }) => sends).reduce((sum, { refusals }) => sum + refusals, 0);
  }

  /** How often a connection has been lost so far. */
  get losses(): number {
    return sum(this.participants.map(({ losses }) => losses));
  }

  /** Waits until `count` more messages have been acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await until(`${count} more messages are acknowledged`, () => this.acknowledged >= goal);
  }

  /** Lets writers and readers pause, everything on its way arrive, and `work` happen in the silence. */
  async inSilence(work: () => Promise<void>): Promise<void> {
    this.#writing = false;
    await this.#quiet();
    await work();
    this.#writing = true;
  }

  /** Lets everybody repeat which of the newest `count` messages are theirs, with nothing else being written. */
  async repeatNewest(count: number): Promise<void> {
    await this.inSilence(async () => {
      const newest = new Set(await this.#newest(count));
      for (const participant of this.participants) {
        for (const send of participant.sends) if (newest.has(`${send.sender} ${send.id}`)) participant.repeat(send);
      }
      await this.#quiet();
    });
  }

  /** The senders and ids of the newest `count` messages. */
  async #newest(count: number): Promise<string[]> {
    const { messages } = await readAll(this.#options.server, this.room);
    return messages.slice(-count).map(({ sender, id }) => `${sender} ${id}`);
  }

  /** Ends the writing, waits until the room is quiet and D1 has everything, and judges. */
  async judge(): Promise<Verdict> {
    const { server } = this.#options;
    this.#writing = false;
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.#quiet();
    const { messages: log, epoch } = await readAll(server, this.room);
    const reached = () => this.participants.every(({ cursor }) => cursor >= log.length);
    await until("everybody has everything", reached, PATIENCE).catch(leaveToJudge);
    const caughtUp = () => server.archivedCount(this.room) >= log.length;
    await until("D1 has everything", caughtUp, PATIENCE).catch(leaveToJudge);
    const sends = this.participants.flatMap((participant) => participant.sends);
    const streams = this.participants.flatMap((participant) => participant.streams);
    const history: History = { epoch, log, archive: server.archived(this.room), sends, streams, reads: this.#reads };
    const violations = checkHistory(history);
    const verdict: Verdict = {
      violations,
      messages: log.length,
      acknowledged: sends.filter(({ acks }) => acks.length > 0).length,
      retried: sends.filter(({ attempts }) => attempts > 1).length,
      refused: this.refused,
      resumes: sum(this.participants.map(({ resumes }) => resumes)),
      resets: sum(this.participants.map(({ resets }) => resets)),
      reads: this.#reads.length,
      surprises: this.participants.flatMap(({ surprises }) =>
        surprises.map(({ code, message }) => `${code}: ${message}`),
      ),
    };
    for (const participant of this.participants) participant.close();
    return verdict;
  }

  /** Stops everything without a verdict. */
  abandon(): void {
    this.#isOver = true;
    for (const participant of this.participants) participant.close();
  }

  /** Nothing is on its way any more. */
  async #quiet(): Promise<void> {
    const none = () => this.participants.every(({ pending }) => pending === 0);
    await until("every message is answered", none, PATIENCE);
  }

  async #write(writer: Participant): Promise<void> {
    const { random, pace = PACE } = this.#options;
    for (let count = 1; !this.#isOver; ) {
      if (this.#writing && writer.pending < IN_FLIGHT) writer.send(`${writer.name} says ${count++}`);
      await delay(random.between(1, pace));
    }
  }

  /** Looks at the room over HTTP again and again. What fails while the server is down is no look. */
  async #read(): Promise<void> {
    while (!this.#isOver) {
      const started = this.#now();
      const page = this.#writing && (await fetchPage(this.#options.server, this.room, 0, 1).catch(() => undefined));
      if (page) this.#reads.push({ reader: "reader", started, head: page.head });
      await delay(PACE);
    }
  }

  #now(): number {
    return performance.now() - this.#started;
  }
}

interface Page {
  messages: Message[];
  head: number;
  epoch: string;
  more: boolean;
}

async function fetchPage({ url }: Server, room: string, after: number, limit: number): Promise<Page> {
  const response = await fetch(`${url}/api/rooms/${room}/messages?after=${after}&limit=${limit}`);
  if (!response.ok) throw new Error(`The messages after ${after} are not to be had: ${await response.text()}`);
  return (await response.json()) as Page;
}

/** The whole log of `room`, page by page, over HTTP. */
export async function readAll(server: Server, room: string): Promise<{ messages: Message[]; epoch: string }> {
  const messages: Message[] = [];
  for (;;) {
    const page = await fetchPage(server, room, messages.at(-1)?.seq ?? 0, READING.page);
    messages.push(...page.messages);
    if (!page.more) return { messages, epoch: page.epoch };
  }
}

/** A new key of a new person. */
export async function makeKey({ url }: Server): Promise<string> {
  const response = await fetch(`${url}/api/keys`, { method: "POST" });
  if (response.status !== 201) throw new Error(`There is no key to be had: ${await response.text()}`);
  return ((await response.json()) as { key: string }).key;
}

/** A new room in which agents may talk among themselves for as long as they like. */
export async function makeRoom({ url }: Server, key: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const made = await fetch(`${url}/api/rooms`, { method: "POST", headers, body: JSON.stringify({ name: "Trial" }) });
  if (made.status !== 201) throw new Error(`There is no room to be had: ${await made.text()}`);
  const { id } = (await made.json()) as { id: string };
  const change = JSON.stringify({ loopGuard: 0 });
  const changed = await fetch(`${url}/api/rooms/${id}`, { method: "PATCH", headers, body: change });
  if (!changed.ok) throw new Error(`The room can't be changed: ${await changed.text()}`);
  return id;
}

/** Every third writer is a guest, every third a person, every third one of several agents of one person. */
async function identity(server: Server, index: number, shared: string): Promise<HelloFrame> {
  if (index % 3 === 0) return { type: "hello", guest: crypto.randomUUID() };
  if (index % 3 === 1) return { type: "hello", key: await makeKey(server) };
  return { type: "hello", key: shared, as: `agent-${index}` };
}

/** Who never arrives is for the judge to name; anything else that goes wrong is not. */
function leaveToJudge(error: unknown): void {
  if (!(error instanceof OutOfPatience)) throw error;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
