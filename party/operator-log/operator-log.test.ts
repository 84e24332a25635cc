/** What may get into the operator's log, and what may not. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { linesOf } from "../../test/logged.ts";
import { describedError, withoutSecrets } from "./described-error.ts";
import { LOG_EVENTS } from "./log-events.ts";
import { logEvent, logLine } from "./operator-log.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

afterEach(() => void vi.restoreAllMocks());

/** What `run` throws. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("It does not fail.");
}

describe("an event", () => {
  it("is one line of JSON at its level, with its sentence and its fields", () => {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    logEvent("archive.set_back", { room: "lobby", to: 3, request: undefined });
    const message = "D1 was set back to an earlier time: what it has lost is copied again";
    expect(linesOf(log)).toEqual([{ level: "warn", event: "archive.set_back", message, room: "lobby", to: 3 }]);
    expect(String(log.mock.calls[0])).not.toContain("\n");
  });

  it("has no field that is more than a text or a number", () => {
    expect(JSON.parse(JSON.stringify(logLine("request.failed", { asked: { content: "hello" } })))).not.toHaveProperty(
      "asked",
    );
  });

  it("is explained in docs/operations.md, and nothing else is", () => {
    const text = read("docs/operations.md");
    const [, table = ""] = /\n\| event \|.*\n\|---\|---\|\n((?:\|.*\n)+)/.exec(text) ?? [];
    const explained = table.split("\n").flatMap((row) => {
      const [, events = ""] = row.split("|");
      return [...events.matchAll(/`([^`]+)`/g)].map(([, event]) => event);
    });
    expect(explained.toSorted()).toEqual(Object.keys(LOG_EVENTS).toSorted());
  });

  it("is written in one way: the Worker and its objects have no other words for the console", () => {
    const files = globSync(["party/**/*.ts", "api/**/*.ts"], { cwd: ROOT });
    const sources = files.filter((file) => !/\.test\.ts$|^api\/local\/|operator-log\.ts$/.test(file));
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.filter((file) => /\bconsole\b/.test(read(file)))).toEqual([]);
  });

  it("of each name is written somewhere", () => {
    const files = globSync(["party/**/*.ts", "api/**/*.ts"], { cwd: ROOT });
    const text = files.filter((file) => !/\.test\.ts$|log-events\.ts$/.test(file)).map(read);
    const isWritten = (event: string) => text.some((source) => source.includes(`"${event}"`));
    expect(Object.keys(LOG_EVENTS).filter((event) => !isWritten(event))).toEqual([]);
  });

  it("has a name in the one form", () => {
    for (const event of Object.keys(LOG_EVENTS)) expect(event).toMatch(/^[a-z_]+\.[a-z_]+$/);
  });
});

describe("of an error the log has", () => {
  it("its name, its words, and where it was thrown", () => {
    const { name, message, stack } = describedError(new RangeError("too many"));
    expect({ name, message }).toEqual({ name: "RangeError", message: "too many" });
    expect(stack).toMatch(/^at .*operator-log\.test\.ts:\d+:\d+/);
    expect(stack?.split("\n").length).toBeLessThanOrEqual(6);
  });

  it("what the platform says of a failed call, and why, where its words do not say so", () => {
    const lost = Object.assign(new Error("lost", { cause: new Error("the object has moved") }), { retryable: true });
    expect(describedError(lost)).toMatchObject({ retryable: true, cause: "the object has moved" });
    expect(describedError(new Error("D1_ERROR: full", { cause: new Error("full") }))).not.toHaveProperty("cause");
  });

  it.each([
    ["JSON", () => JSON.parse("a marked text")],
    ["JSON that is long", () => JSON.parse(`{"content": "${"marked ".repeat(30)}" oh "it is ' marked}`)],
    ["a number", () => BigInt("marked" as unknown as number)],
    ["an address", () => new URL("marked")],
    ["a pattern", () => new RegExp(["(marked"].join(""))],
    ["a header", () => new Headers({ "marked\n": "" })],
    ["a quotation", () => thrower('no such room: "a marked text"')],
    ["a quotation in single quotes", () => thrower("no such room: 'a marked text'")],
    ["a quotation that is long", () => thrower(`no such room: "${"marked ".repeat(500)}"`)],
    ["one in single quotes that is long", () => thrower(`no such room: '${"marked ".repeat(500)}'`)],
  ])("nothing that it quotes: %s", (_, run) => {
    const error = thrownBy(run);
    const said = JSON.stringify(describedError(error));
    expect(said).not.toContain("marked");
    expect(said).toContain((error as Error).name);
  });

  it("what tells a bug of ours", () => {
    const missing = thrownBy(() => (undefined as unknown as { seq: number }).seq);
    expect(describedError(missing).message).toBe("Cannot read properties of undefined (reading 'seq')");
    expect(describedError(new Error("D1_ERROR: no such table: packs: SQLITE_ERROR")).message).toBe(
      "D1_ERROR: no such table: packs: SQLITE_ERROR",
    );
  });

  it("whatever else is thrown, and no more than a part of what is long", () => {
    expect(describedError("words")).toEqual({ name: "Error", message: "words" });
    expect(describedError(null)).toEqual({ name: "Error", message: "null" });
    expect(describedError({ message: 5 })).toEqual({ name: "object", message: "" });
    expect(describedError(new Error("x ".repeat(1_000_000))).message.length).toBeLessThanOrEqual(301);
  });
});

const thrower = (message: string): never => {
  throw new Error(message);
};

describe("no line has", () => {
  it.each([
    "mai_abcdefghijklmnopqrstuvwx",
    "inv_Ab3-xY_9aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "mop_abcdefghijklmnopqrstuvwxyz",
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhY21lIn0.c2lnbmF0dXJl",
    "Bearer whatever-it-is",
    "Guest abcdefghijklmnopqrstuv",
    "Operator a-secret-of-its-own",
    "192.0.2.17",
    "2001:db8::17",
    "2001:db8:0:0:0:0:0:17",
    "::ffff:192.0.2.17",
    "::1",
    "https://chat.example.com/r/lobby?key=secret",
  ])("a key, a token or an address: %s", (secret) => {
    const error = new Error(`It failed for ${secret}, and so on`);
    const line = JSON.stringify(logLine("request.failed", { error, detail: `(${secret})` }));
    for (const part of secret
      .replace(/^[A-Z][a-z]+ /, "")
      .split(/[ /?=.:_]+/)
      .filter((part) => part.length > 6))
      expect(line).not.toContain(part);
    expect(line).not.toContain(secret);
    expect(withoutSecrets(secret)).not.toBe(secret);
  });

  it("less of what is none of these", () => {
    for (const text of [
      "room-mai_",
      "12:34:56",
      "index.js:12:34",
      "1.2.3",
      "kj::Exception",
      "e6bf949f-44ef-445f-a254-4d4912cd6678",
    ]) {
      expect(describedError(new Error(text)).message).toBe(text);
    }
  });
});
