/** What a server meets for hours: people and agents who write, delete, ask and answer, who watch, and who come and go. */

import { setTimeout as pause } from "node:timers/promises";
import { join, type Stay } from "../../client/stay/index.ts";
import type { Server } from "../processes/server.ts";

const WRITERS = 6;
const WATCHERS = 20;
const VISITORS = 10;
const MEMBERS = 3;
const POLLS = 3;
const STREAMS = 3;
/** Between two messages of one writer, ms, and between two asks. */
const WRITE_EVERY = 1_000;
const ASK_EVERY = 10_000;
/** How long a visitor stays, and stays away, ms. */
const VISIT = 8_000;
const AWAY = 2_000;
/** Of a writer's messages: one is written in pieces, one is deleted. */
const DRAFT_EACH = 5;
const DELETE_EACH = 7;

interface Person {
  readonly key: string;
  readonly handle: string;
}

export class Load {
  /** The room that anybody may read, and its owner's key. */
  readonly room: string;
  readonly key: string;
  /** How long messages took from their sender to somebody who watches, ms, since this was last emptied. */
  readonly latencies: number[] = [];
  readonly counts = { said: 0, heard: 0, deleted: 0, drafts: 0, asks: 0, visits: 0, refused: 0 };
  readonly faults: unknown[] = [];
  readonly #server: Server;
  readonly #ending = new AbortController();
  readonly #loops: Promise<void>[] = [];

  private constructor(server: Server, room: string, key: string) {
    this.#server = server;
    this.room = room;
    this.key = key;
  }

  /** Makes the rooms and lets everybody begin. */
  static async begin(server: Server): Promise<Load> {
    const owner = await makePerson(server);
    const open = await makeRoom(server, owner, { name: "Soak" });
    await tell(server, owner, "PATCH", `/api/rooms/${open}`, { loopGuard: 0 });
    const closed = await makeRoom(server, owner, { name: "Members", access: "members" });
    const load = new Load(server, open, owner.key);
    for (let count = 0; count < WATCHERS; count++) load.#run(() => load.#watch(open));
    for (let count = 0; count < POLLS; count++) load.#run(() => load.#poll());
    for (let count = 0; count < STREAMS; count++) load.#run(() => load.#stream());
    for (let count = 0; count < WRITERS; count++) {
      const { key } = await makePerson(server);
      load.#run(() => load.#write(open, key));
    }
    for (let count = 0; count < MEMBERS; count++) {
      const { key, handle } = await makePerson(server);
      await tell(server, owner, "PUT", `/api/rooms/${closed}/members/${handle}`, { role: "member" });
      load.#run(() => load.#write(closed, key));
      load.#run(() => load.#watch(closed, key));
    }
    for (let count = 0; count < VISITORS; count++) load.#run(() => load.#visit(crypto.randomUUID()));
    const decider = await makePerson(server);
    load.#run(() => load.#decide(decider.key));
    load.#run(() => load.#ask(owner.key));
    return load;
  }

  /** Lets everybody leave. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#loops);
  }

  get #signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** What fails before the end, or ends by itself, is a fault. */
  #run(work: () => Promise<void>): void {
    const fault = (error: unknown) => void (this.#signal.aborted || this.faults.push(error));
    this.#loops.push(work().then(() => fault(new Error("A part of the load has ended by itself.")), fault));
  }

  #join(room: string, credentials: { key?: string; as?: string; guest?: string } = {}): Promise<Stay> {
    return join(`${this.#server.url}/r/${room}`, { ...credentials, signal: this.#signal });
  }

  async #watch(room: string, key?: string): Promise<void> {
    await using stay = await this.#join(room, key === undefined ? {} : { key });
    for await (const { content } of stay.messages({ signal: this.#signal })) {
      this.counts.heard++;
      const [, at] = /^at (\S+)/.exec(content) ?? [];
      if (at) this.latencies.push(performance.now() - Number(at));
    }
  }

  async #write(room: string, key: string): Promise<void> {
    const signal = this.#signal;
    await using stay = await this.#join(room, { key });
    for (let count = 1; ; count++) {
      await pause(WRITE_EVERY, undefined, { signal });
      if (count % DRAFT_EACH === 0) {
        await this.#draft(stay);
        continue;
      }
      const { seq } = await stay.send(`at ${performance.now()} ${"and what there is to say ".repeat(count % 20)}`, {
        signal,
      });
      this.counts.said++;
      if (count % DELETE_EACH !== 0) continue;
      await stay.delete(seq, { signal });
      this.counts.deleted++;
    }
  }

  async #draft(stay: Stay): Promise<void> {
    const signal = this.#signal;
    using draft = stay.draft();
    for (const word of "this is written while everybody looks on".split(" ")) {
      draft.write(`${word} `);
      await pause(WRITE_EVERY / 10, undefined, { signal });
    }
    await draft.end(undefined, { signal });
    this.counts.drafts++;
  }

  /** A guest who comes, looks on for a while, and goes, again and again. */
  async #visit(guest: string): Promise<void> {
    for (;;) {
      const stay = await this.#join(this.room, { guest });
      await pause(VISIT * (0.5 + Math.random()), undefined, { signal: this.#signal });
      await stay.close();
      this.counts.visits++;
      await pause(AWAY * Math.random(), undefined, { signal: this.#signal });
    }
  }

  async #ask(key: string): Promise<void> {
    const signal = this.#signal;
    await using stay = await this.#join(this.room, { key, as: "asker" });
    for (;;) {
      await pause(ASK_EVERY, undefined, { signal });
      await stay.ask("Shall it go on?", { options: ["yes", "no"], signal });
      this.counts.asks++;
    }
  }

  async #decide(key: string): Promise<void> {
    const signal = this.#signal;
    await using stay = await this.#join(this.room, { key });
    for await (const { seq, ask } of stay.messages({ signal })) {
      if (ask) await stay.answer(seq, "yes", { signal });
    }
  }

  async #poll(): Promise<void> {
    let query = "?limit=1";
    for (;;) {
      const answer = await fetch(`${this.#server.url}/api/rooms/${this.room}/messages${query}`, {
        signal: this.#signal,
      });
      if (answer.status === 429 || answer.status === 503) {
        this.counts.refused++;
        await answer.text();
        await pause(1_000 * Number(answer.headers.get("retry-after") ?? 1), undefined, { signal: this.#signal });
        continue;
      }
      const page = (await answer.json()) as { messages: { seq: number }[]; head: number; epoch: string };
      query = `?wait=25&after=${page.messages.at(-1)?.seq ?? page.head}&epoch=${page.epoch}`;
    }
  }

  async #stream(): Promise<void> {
    const answer = await fetch(`${this.#server.url}/api/rooms/${this.room}/events`, { signal: this.#signal });
    const reader = answer.body?.getReader();
    while (!(await reader?.read())?.done);
  }
}

async function makePerson(server: Server): Promise<Person> {
  return (await tell(server, undefined, "POST", "/api/keys")) as Person;
}

async function makeRoom(server: Server, owner: Person, room: object): Promise<string> {
  return ((await tell(server, owner, "POST", "/api/rooms", room)) as { id: string }).id;
}

async function tell(
  { url }: Server,
  person: Person | undefined,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(person && { authorization: `Bearer ${person.key}` }), "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
