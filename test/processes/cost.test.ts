/**
 * What a room costs where it is billed, as the meter of the benchmarks counts it. The bounds are wide: they notice a cost
 * that grows with the room or with each message, and `npm run bench -- cost` says what it is exactly.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { between, type Usage } from "../../bench/meter/usage.ts";
import { freePort, ProcessGroup } from "../../bench/processes.ts";
import { until } from "./until.ts";

/**
 * Rows written a message that is alone in its moment, when ten go to D1 together: in the room and in D1. Some of them may be
 * of the usage: a row for hundreds of the questions by which this test waits.
 */
const WRITTEN_A_MESSAGE = 2.2;
/** Rows that are written to remove old messages, for each of the first `LONG`. */
const REMOVED_A_MESSAGE = 0.05;
/** Rows that a room reads to wake and to say where it is, in itself and in D1. */
const READ_A_WAKE = 60;
/** Rows that a room which is awake reads for an agent that asks what is new and waits for it. */
const READ_A_POLL = 100;
/** Calls of objects for a message over a socket: the question to the author's Limiter. */
const CALLS_A_MESSAGE = 1.1;

/** As many as go to D1 together at one a second. */
const COPIED_TOGETHER = 10;
/** A room that has pruned its log, and has more in it than a page. */
const LONG = 12_000;
const AT_ONCE = 500;
/** What is said within this time goes to D1 together, ms. */
const ARCHIVE_DELAY = 5_000;

const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-cost-"));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

const VARS = {
  KEY_MESSAGES_PER_MINUTE: "10000000",
  KEYS_PER_DAY: "1000000",
  ROOMS_PER_DAY: "1000000",
  ARCHIVE_DELAY_MS: String(ARCHIVE_DELAY),
};

/** The Worker with the meter, on the files of this test. */
class Metered implements AsyncDisposable {
  readonly #group: ProcessGroup;
  readonly origin: string;

  private constructor(group: ProcessGroup, port: number) {
    this.#group = group;
    this.origin = `http://localhost:${port}`;
  }

  static async start(): Promise<Metered> {
    const port = await freePort();
    const group = await ProcessGroup.start(["bench/serve.ts", String(port), stateDir, "metered"], {
      env: VARS,
      ready: "ready",
      timeout: 120_000,
    });
    return new Metered(group, port);
  }

  async usage(): Promise<Usage> {
    return this.get("/usage");
  }

  async get<Answer>(path: string, key?: string): Promise<Answer> {
    const response = await fetch(this.origin + path, { headers: key ? { authorization: `Bearer ${key}` } : {} });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  async post<Answer>(path: string, body: object, key?: string): Promise<Answer> {
    const response = await fetch(this.origin + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  /** Waits until D1 has all of the room's messages. */
  async archived(room: string, key: string): Promise<void> {
    await until("D1 has all messages", async () => {
      const { archive } = await this.get<{ archive: { lag: number } }>(`/api/rooms/${room}`, key);
      return archive.lag === 0;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#group[Symbol.asyncDispose]();
  }
}

/** A socket of the key's owner, with whom each message can be waited for. */
class Writer implements Disposable {
  readonly #socket: WebSocket;
  #frames: string[] = [];
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; n?: number };
      if (frame.type === "check") socket.send(JSON.stringify({ type: "read", n: frame.n }));
      else this.#frames.push(String(data));
    });
  }

  static async open(server: Metered, room: string, key: string): Promise<Writer> {
    const writer = new Writer(new WebSocket(`${server.origin.replace("http", "ws")}/api/rooms/${room}/ws`));
    await writer.#frame('"type":"welcome"');
    writer.#socket.send(JSON.stringify({ type: "hello", key }));
    await writer.#frame('"type":"you"');
    return writer;
  }

  /** Sends so many messages, and waits until all of them have come back. */
  async write(messages: number): Promise<void> {
    for (let message = 1; message <= messages; message++) {
      this.#socket.send(JSON.stringify({ type: "send", id: `cost-${++this.#sent}`, content: "x".repeat(100) }));
    }
    await this.#frame(`"cost-${this.#sent}"`);
  }

  /** Waits for a frame with `text` in it, and forgets those before. */
  async #frame(text: string): Promise<void> {
    await until(`a frame with ${text} has come`, () => this.#frames.some((frame) => frame.includes(text)));
    const refusal = this.#frames.find((frame) => frame.includes('"type":"error"'));
    if (refusal) throw new Error(`The room has refused something: ${refusal}`);
    this.#frames = [];
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

describe("what is billed", () => {
  it("is a bounded number of rows and calls a message and a wake, in a room past its pruning", async () => {
    let [key, room] = ["", "costly"];
    {
      await using server = await Metered.start();
      ({ key } = await server.post<{ key: string }>("/api/keys", {}));
      await server.post("/api/rooms", { id: room, name: room }, key);
      using writer = await Writer.open(server, room, key);
      for (let written = 0; written < LONG; written += AT_ONCE) await writer.write(AT_ONCE);
      await server.archived(room, key);
      const full = await server.usage();
      expect.soft(full.unmetered, "calls that the meter can't count").toEqual([]);
      expect.soft(full.room.rowsRemoved / LONG, "rows removed a message").toBeLessThan(REMOVED_A_MESSAGE);

      // On a busy machine they may take too long to go to D1 together.
      let before = full;
      await until("as many are said as go to D1 together", async () => {
        await server.archived(room, key);
        before = await server.usage();
        const begun = performance.now();
        for (let message = 1; message <= COPIED_TOGETHER; message++) await writer.write(1);
        return performance.now() - begun < ARCHIVE_DELAY;
      });
      const said = between(before, await server.usage());
      expect.soft(said.limiter.calls / COPIED_TOGETHER, "calls a message").toBeLessThanOrEqual(CALLS_A_MESSAGE);
      await server.archived(room, key);
      const used = between(before, await server.usage());
      const written = used.room.rowsWritten + used.d1.rowsWritten - used.room.rowsRemoved;
      expect.soft(written / COPIED_TOGETHER, "rows written a message").toBeLessThanOrEqual(WRITTEN_A_MESSAGE);
    }

    await using server = await Metered.start();
    const path = `/api/rooms/${room}/messages`;
    const { head, epoch } = await server.get<{ head: number; epoch: string }>(`${path}?limit=1`);
    const woken = await server.usage();
    expect.soft(woken.room.wakes, "wakes").toBe(1);
    expect.soft(woken.room.rowsRead, "rows read by the wake").toBeLessThanOrEqual(READ_A_WAKE);
    expect.soft(woken.d1.rowsRead, "rows read in D1 for a wake").toBeLessThanOrEqual(READ_A_WAKE);

    await server.get(`${path}?after=${head}&epoch=${epoch}&wait=1`);
    const asked = between(woken, await server.usage());
    expect.soft(asked.room.rowsRead, "rows read by the question").toBeLessThanOrEqual(READ_A_POLL);
  });
});
