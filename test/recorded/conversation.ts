/**
 * A conversation between a client and a room, as lines of a file, and what it comes to: what was said to the client,
 * however the room has put it into frames.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientFrame, ServerFrame } from "../../party/protocol.ts";

/** One line. What `close` tells is the room's doing, `leave` the client's. */
export type Line =
  | { readonly connect: string }
  | { readonly client: ClientFrame }
  | { readonly server: ServerFrame }
  | { readonly close: number }
  | { readonly leave: true };

/** A request over HTTP, and what was answered. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly key?: string;
  readonly body?: unknown;
  /** Which members of the answer are drawn by chance. */
  readonly drawn?: readonly string[];
  readonly status: number;
  readonly type: string | null;
  /** Of JSON; a text is not kept. */
  readonly answer?: unknown;
}

/** The versions that were released, with the conversations that were recorded of each, in their order. */
export const RECORDED = [
  { version: "0.1.0", talks: ["guest", "agent"] },
  { version: "0.2.0", talks: ["guest", "agent", "person", "member", "reader"] },
] as const;

/** The lines of a recording: `guest` of version `0.1.0`. */
export function recorded<T = Line>(version: string, name: string): T[] {
  const text = readFileSync(join(import.meta.dirname, version, `${name}.ndjson`), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

/** What a client has heard on one connection. */
export class Heard {
  /** What was said one after the other: a welcome, each message, answers. How messages are put into frames is not told. */
  readonly facts: unknown[] = [];
  /** Drafts under way: the text so far, by id. */
  readonly drafts = new Map<string, string>();
  closed: number | undefined;

  hear(frame: ServerFrame): void {
    if (frame.type === "welcome") {
      const { messages, drafts, ...rest } = frame;
      this.facts.push(rest, ...messages);
      this.#draw(drafts);
    } else if (frame.type === "update") {
      if (frame.room) this.facts.push({ room: frame.room });
      this.facts.push(...(frame.messages ?? []));
      for (const { id } of frame.messages ?? []) this.drafts.delete(id);
      this.#draw(frame.drafts ?? []);
    } else if (frame.type !== "check") this.facts.push(frame);
  }

  #draw(changes: Extract<ServerFrame, { type: "welcome" }>["drafts"]): void {
    for (const change of changes) {
      if ("end" in change) this.drafts.delete(change.id);
      else this.drafts.set(change.id, (this.drafts.get(change.id) ?? "") + change.append);
    }
  }
}

/** What of `expected` is missing in `found`, or `undefined`: all facts in their order, the same drafts, the same close. */
export function missing(expected: Heard, found: Heard): string | undefined {
  let at = 0;
  for (const fact of expected.facts) {
    const next = found.facts.findIndex((one, index) => index >= at && lacks(fact, one) === undefined);
    if (next === -1) return `${JSON.stringify(fact)} among ${JSON.stringify(found.facts.slice(at))}`;
    at = next + 1;
  }
  const [drafts, others] = [expected, found].map((heard) => JSON.stringify([...heard.drafts]));
  if (drafts !== others) return `the drafts ${drafts}, not ${others}`;
  return expected.closed === found.closed ? undefined : `a close with ${expected.closed}, not ${found.closed}`;
}

/** What differs from one time to the next: times, words for people, and who else happens to be there. */
const VARYING = new Set([
  "until",
  "createdAt",
  "lastUsed",
  "lastMessageAt",
  "message",
  "people",
  "spectators",
  "remaining",
  "lag",
]);

/**
 * Where `found` lacks something that `expected` has, or has it otherwise: a path, or `undefined`. More than was expected is
 * no fault: clients drop what they do not know.
 */
export function lacks(expected: unknown, found: unknown, drawn: readonly string[] = [], path = ""): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return path || "/";
    return first(expected.map((value, index) => lacks(value, found[index], drawn, `${path}/${index}`)));
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof found !== "object" || found === null) return path || "/";
    const entries = Object.entries(expected).map(([name, value]) => {
      const other = (found as Record<string, unknown>)[name];
      if (!VARYING.has(name) && !drawn.includes(name)) return lacks(value, other, drawn, `${path}/${name}`);
      return kindOf(value) === kindOf(other) ? undefined : `${path}/${name}`;
    });
    return first(entries);
  }
  return expected === found ? undefined : path || "/";
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

const first = (faults: readonly (string | undefined)[]): string | undefined =>
  faults.find((fault) => fault !== undefined);
