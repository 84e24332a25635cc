/**
 * Tries a deployment as a person would: makes a key and a room, says something over a socket, reads it over HTTP, and waits
 * until D1 has it. What it makes it removes again. It costs one of the day's keys of this address.
 */

import { join } from "../../../client/stay/index.ts";
import { Failure } from "../failure.ts";

export interface SmokeTestDeps {
  say(line: string): void;
  /** How long a new address may take to be reached, ms. */
  readonly patience?: number;
}

/** A new name under workers.dev takes its time. */
const PATIENCE = 120_000;
/** The archive may be ten seconds behind. */
const ARCHIVE_PATIENCE = 30_000;
const LOOK_EVERY = 500;

/** Rejects with a `Failure` that says what does not work, and what to do. */
export async function smokeTest(origin: string, { say, patience = PATIENCE }: SmokeTestDeps): Promise<void> {
  say(`\nTrying ${origin}`);
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      const result = await work();
      say(`  ✓ ${what}`);
      return result;
    } catch (error) {
      throw new Failure(
        `${origin} is deployed, but this fails: ${what} (${(error as Error).message}). npx wrangler tail shows its log; npm run deploy -- --rollback serves the version before.`,
      );
    }
  };
  await step("it answers", () => until(patience, async () => (await fetch(`${origin}/healthz`)).ok));
  await step("its database answers", () => until(patience, async () => (await fetch(`${origin}/readyz`)).ok));
  const made = await fetch(`${origin}/api/keys`, { method: "POST" });
  if (made.status === 429) {
    say("  - the rest is left out: this address has made its keys of the day");
    return;
  }
  const { key } = await step("a key is made", () => contentOf<{ key: string }>(made));
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
    const answer = await fetch(origin + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return contentOf<T>(answer);
  };
  let room: string | undefined;
  try {
    const { id } = await step("a room is made", () =>
      call<{ id: string }>("POST", "/api/rooms", { name: "Deploy check", listed: false }),
    );
    room = id;
    await step("a message is said over a socket, and heard", async () => {
      await using writer = await join(`${origin}/r/${id}`, { key });
      await using watcher = await join(`${origin}/r/${id}`, { key, as: "watcher" });
      const heard = (async () => {
        for await (const { content } of watcher.messages({ signal: AbortSignal.timeout(patience) })) return content;
        return undefined;
      })();
      await writer.send(WORDS);
      if ((await heard) !== WORDS) throw new Error("something else was heard");
    });
    await step("it is read over HTTP", async () => {
      const { messages } = await call<{ messages: { content: string }[] }>("GET", `/api/rooms/${id}/messages`);
      if (messages.at(-1)?.content !== WORDS) throw new Error("it is not there");
    });
    await step("D1 has it", () =>
      until(ARCHIVE_PATIENCE, async () => {
        const { archive } = await call<{ archive: { lag: number } }>("GET", `/api/rooms/${id}`);
        return archive.lag === 0;
      }),
    );
  } finally {
    if (room !== undefined) await call("DELETE", `/api/rooms/${room}`).catch(() => undefined);
    await call("DELETE", "/api/keys/me").catch(() => undefined);
  }
  say(`\nIt works: ${origin}`);
}

const WORDS = "Does it work?";

async function contentOf<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text.slice(0, 200)}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Waits until `condition` holds; rejects with what it has thrown last when that takes longer than `patience` ms. */
async function until(patience: number, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patience;
  let last = new Error(`not within ${patience / 1_000} s`);
  while (Date.now() < end) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error as Error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
  throw last;
}
