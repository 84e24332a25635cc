/** A server, asked over HTTP with the operator's secret, by a backup. What may pass is tried again. */

import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, MessageRecord, RoomHeader } from "../../format/records.ts";
import { Failure } from "../failure.ts";
import { linesOf, recordOf } from "./lines.ts";

/** So often a question is asked that the server does not answer, or refuses for the moment. */
const TRIES = 5;
/** How long before the second time, ms; twice as long before each later one. */
const FIRST_PAUSE = 500;
/** A server that says so is waited for at most so long, ms. */
const LONGEST_PAUSE = 30_000;
/** Messages that are handed on together, and their length in bytes. */
const BATCH = { messages: 500, bytes: 512 * 1024 };

/** A message as its line came. */
export interface MessageLine {
  readonly bytes: Buffer;
  readonly record: MessageRecord;
}

/** A room's log as it is on its way. */
export interface ExportedLog {
  readonly header: RoomHeader;
  /** Ends when the log has come whole. Throws `CutOff` when it has not: what came before is sound. */
  readonly batches: AsyncGenerator<readonly MessageLine[], void>;
}

/** The connection broke off before all had come. */
export class CutOff extends Error {}

export class OperatorClient {
  readonly #server: URL;
  readonly #secret: string;

  readonly #pause: (ms: number) => Promise<unknown>;

  /** `pause` waits before a question is asked again. */
  constructor(server: URL, secret: string, pause: (ms: number) => Promise<unknown> = setTimeout) {
    this.#server = server;
    this.#secret = secret;
    this.#pause = pause;
  }

  /** The whole directory, a page at a time. */
  async *directory(): AsyncGenerator<DirectoryRecord, void> {
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
      const response = await this.#ask(`/api/operator/directory${query}`);
      const page = (await response.json().catch(() => ({}))) as { records?: DirectoryRecord[]; next?: string | null };
      if (!page.records)
        throw new Failure(`${this.#server.origin} does not answer as a meet-ai server: check --server.`);
      yield* page.records;
      cursor = page.next ?? null;
    }
  }

  /** The log of the room `id` after a seq; `undefined` when there is no such room, or its log ends before. */
  async export(id: string, after: Seq): Promise<ExportedLog | "gone" | "shorter"> {
    const response = await this.#ask(`/api/rooms/${id}/export?after=${after}`, [404, 409]);
    if (response.status === 404) return "gone";
    if (response.status === 409) return "shorter";
    const lines = linesOf(bodyOf(response));
    const first = await lines.next();
    if (first.done) throw new CutOff();
    const header = recordOf(first.value, () => "The server's export does not begin as one.") as unknown as RoomHeader;
    return { header, batches: batchesOf(first.value, lines) };
  }

  async #ask(path: string, expected: readonly number[] = []): Promise<Response> {
    const headers = { authorization: `Operator ${this.#secret}` };
    for (let tried = 1; ; tried++) {
      let response: Response | undefined;
      try {
        response = await fetch(new URL(path, this.#server), { headers, redirect: "error" });
      } catch {
        // Nobody there, or no longer.
      }
      if (response && (response.ok || expected.includes(response.status))) return response;
      if (response?.status === 401) {
        const secret = "it is the file operator-secret in the server's STATE_DIR, or name it in OPERATOR_SECRET";
        throw new Failure(`${this.#server.origin} does not accept this operator's secret: ${secret}.`);
      }
      if (response && response.status < 500 && response.status !== 429) {
        throw new Failure(
          `${this.#server.origin} answers ${response.status} to ${path.split("?")[0]}: check --server.`,
        );
      }
      if (tried === TRIES) {
        const what = response ? `answers ${response.status}` : "does not answer";
        throw new Failure(`${this.#server.origin} ${what}: when it is well again, run this again to go on.`);
      }
      const wait = Number(response?.headers.get("retry-after") ?? 0) * 1000;
      await response?.body?.cancel();
      await this.#pause(Math.min(LONGEST_PAUSE, Math.max(wait, FIRST_PAUSE * 2 ** (tried - 1))));
    }
  }
}

/** A body whose breaking off is a `CutOff`. */
async function* bodyOf(response: Response): AsyncGenerator<Uint8Array, void> {
  try {
    if (response.body) yield* response.body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new CutOff("", { cause: error });
  }
}

async function* batchesOf(
  first: Buffer,
  lines: AsyncGenerator<Buffer, void>,
): AsyncGenerator<readonly MessageLine[], void> {
  const hash = createHash("sha256").update(first);
  let count = 1;
  let batch: MessageLine[] = [];
  let length = 0;
  try {
    for await (const bytes of lines) {
      const record = recordOf(bytes, () => "A line of the server's export is no JSON.");
      if (record.type === "sum") {
        if (record.lines !== count || record.sha256 !== hash.digest("hex")) throw new CutOff();
        yield batch;
        return;
      }
      hash.update(bytes);
      count++;
      // Messages have no type. What has one is of a later server.
      if (record.type !== undefined) continue;
      batch.push({ bytes, record: record as unknown as MessageRecord });
      length += bytes.length;
      if (batch.length < BATCH.messages && length < BATCH.bytes) continue;
      yield batch;
      batch = [];
      length = 0;
    }
  } catch (error) {
    if (error instanceof CutOff && batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
  throw new CutOff();
}
