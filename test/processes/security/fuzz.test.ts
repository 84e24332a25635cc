/**
 * Anything at all, by the thousand: frames and bodies that fast-check draws, and strings that have broken other programs,
 * in every place where a client may put a string. Whatever comes, the answer is in the protocol, and never a failure of
 * ours.
 *
 * `FUZZ_RUNS` says how many frames and how many bodies are drawn: a few hundred unless it does.
 */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanText, exceedsBytes, isVisible } from "../../../party/message-parser.ts";
import { CLOSE, ERROR_STATUS, type ErrorCode, isRoomId, LIMITS, type Message } from "../../../party/protocol.ts";
import { NAUGHTY_STRINGS } from "../../naughty.ts";
import { Server } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, expectStatus, type Key, newRoomId, raw, Visitor } from "./visitor.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
/** What is drawn from, and put into paths: a full run puts every string into every place. */
const SHORT = NAUGHTY_STRINGS.filter((text) => text.length <= 300);
const SOME = RUNS >= 10_000 ? SHORT : SHORT.filter((_, index) => index % 8 === 0);
/** Frames of one connection: below what closes it, even if all are bad. */
const FRAMES_AT_ONCE = 20;

let server: Server;
let visitor: Visitor;
let key: Key;
let room: string;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  key = await visitor.makeKey();
  room = await visitor.makeRoom(key.key, { loopGuard: 0 });
});

afterAll(() => server.remove());

const anyString = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 50 }),
  fc.constantFrom(...SHORT),
  fc.constantFrom("__proto__", "constructor", "toString", "", " ", "ping", "pong", "\u0000", "\ud800"),
);

const anyNumber = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 1, 2 ** 53, -1, 0.5, 1e308));

const anyValue = fc.oneof(
  anyString,
  anyNumber,
  fc.constantFrom(null, true, false, [], {}),
  fc.object({ key: anyString, maxDepth: 3 }),
  fc.array(anyString, { maxLength: 5 }),
);

/** Mostly what the field may be, and otherwise anything. */
const field = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: usual, weight: 5 }, { arbitrary: anyValue, weight: 2 });

/** An object that looks like a frame or a body, with some fields right, some wrong, and some that are nobody's. */
const nearly = fc.record(
  {
    type: field(fc.constantFrom("hello", "send", "draft", "delete", "read")),
    id: field(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)),
    content: field(anyString),
    append: field(anyString),
    replyTo: field(fc.integer({ min: -1, max: 50 })),
    seq: field(fc.integer({ min: -1, max: 50 })),
    n: field(fc.nat()),
    guest: field(fc.stringMatching(/^[A-Za-z0-9_-]{22,40}$/)),
    as: field(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/)),
    name: field(anyString),
    topic: field(anyString),
    listed: field(fc.boolean()),
    guests: field(fc.constantFrom("write")),
    loopGuard: field(fc.constantFrom(0)),
    origins: field(fc.constant([])),
    sender: anyValue,
    createdAt: anyValue,
    until: anyValue,
  },
  { requiredKeys: [] },
);

/** JSON that is cut, doubled, or has something put into it. */
const brokenJson = fc.tuple(nearly, fc.nat(), fc.nat(), anyString).map(([value, from, to, inserted]) => {
  const text = JSON.stringify(value);
  return text.slice(0, from % (text.length + 1)) + inserted + text.slice(to % (text.length + 1));
});

const anyText = fc.oneof(
  { arbitrary: nearly.map((value) => JSON.stringify(value)), weight: 6 },
  { arbitrary: brokenJson, weight: 2 },
  { arbitrary: anyValue.map((value) => JSON.stringify(value)), weight: 1 },
  { arbitrary: anyString, weight: 1 },
);

/** Fails when the server has said, or written down, that something of ours went wrong. */
function expectNoFailure(): void {
  expect(server.output).not.toMatch(/failed|Uncaught|incident|Error in/);
}

/** Fails unless `message` is as a message has to be. */
function expectSound(message: Message): void {
  expect(message.sender).toMatch(/^(~?[a-z]+-[a-z]+(-[0-9a-f]+)?)(\/[a-z0-9][a-z0-9-]*)?$/);
  expect(message.content).toBe(cleanText(message.content));
  expect(exceedsBytes(message.content, LIMITS.contentBytes)).toBe(false);
  if (message.kind === "text" && !message.deleted) expect(isVisible(message.content)).toBe(true);
}

function expectProper({ status, body, text }: Answer): void {
  expect(status).toBeLessThan(500);
  if (status < 400) return;
  expect(Object.keys(body)).toEqual(["error"]);
  expect(status).toBe(ERROR_STATUS[body.error.code as ErrorCode]);
  expect(text).not.toMatch(/\bat .*\.js|SQLITE|stack/);
}

describe("frames of any kind", () => {
  it(`are answered as the protocol says (FUZZ_RUNS=${RUNS})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { minLength: FRAMES_AT_ONCE, maxLength: FRAMES_AT_ONCE }), async (texts) => {
        const line = await visitor.enterAs(room, { key: key.key, as: "fuzzer" });
        for (const text of texts) line.sendText(text);
        await line.settled();
        for (const error of line.errors) {
          expect(ERROR_STATUS).toHaveProperty(error.code);
          expect(error.code).not.toBe("unavailable");
        }
        for (const message of line.messages) expectSound(message);
        // A hello may have had a key that is none.
        if (line.closed) expect(line.closed.code).toBe(CLOSE.unauthorized);
        line.close();
      }),
      // What was drawn is told as it is: to look for less would take longer than all else.
      { numRuns: Math.ceil(RUNS / FRAMES_AT_ONCE), endOnFailure: true },
    );
    expectNoFailure();
  }, 600_000);

  it("leave a log without gaps, of senders that the server has named", async () => {
    const messages = await wholeLog(room);
    for (const message of messages) expectSound(message);
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
  });
});

describe("bodies of any kind", () => {
  it(`are answered as the protocol says (FUZZ_RUNS=${RUNS})`, async () => {
    const own = await visitor.makeRoom(key.key);
    const { handle } = key;
    const doors: readonly (readonly [method: string, path: string, fields: readonly string[]])[] = [
      ["POST", `/api/rooms/${room}/messages`, ["content", "id", "as", "replyTo"]],
      ["POST", "/api/rooms", ["name", "topic", "listed", "id"]],
      ["PATCH", `/api/rooms/${own}`, ["name", "topic", "listed", "guests", "loopGuard", "origins"]],
      ["PUT", `/api/rooms/${own}/mutes/~nobody-there-000000`, ["until"]],
      ["POST", "/api/keys", []],
    ];
    // Any text; more often one that has only fields that are known there, which is then looked at field by field.
    const request = fc.constantFrom(...doors).chain((door) => {
      const known = nearly.map((value) => Object.entries(value).filter(([name]) => door[2].includes(name)));
      const fitting = known.map((fields) => JSON.stringify(Object.fromEntries(fields)));
      const text = fc.oneof({ arbitrary: fitting, weight: 2 }, { arbitrary: anyText, weight: 1 });
      return fc.tuple(fc.constant(door), text);
    });
    const headers = { "content-type": "application/json" };
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 10, maxLength: 10 }), async (requests) => {
        const answers = requests.map(([[method, path], text]) =>
          visitor.call(method, path, { key: key.key, text, headers }),
        );
        for (const [index, answer] of (await Promise.all(answers)).entries()) {
          expectProper(answer);
          const [[, path]] = requests[index] as (typeof requests)[0];
          if (path.endsWith("/messages") && answer.status === 201) {
            expect(answer.body.sender.split("/")[0]).toBe(handle);
            expectSound(answer.body);
          }
        }
      }),
      { numRuns: Math.ceil(RUNS / 10), endOnFailure: true },
    );
    expectNoFailure();
    const { body } = await visitor.call("GET", `/api/rooms/${own}`);
    expect(isVisible(body.name)).toBe(true);
    expect([...body.name].length).toBeLessThanOrEqual(LIMITS.roomName);
  }, 600_000);
});

describe("naughty strings", () => {
  it("as content are kept as they are, the same on every path, or refused", async () => {
    const own = await visitor.makeRoom(key.key);
    const line = await visitor.enterAs(own, { key: key.key });
    const kept = new Map<string, string>();
    const fitting = NAUGHTY_STRINGS.map((content, index) => ({
      type: "send" as const,
      id: `naughty-${index}`,
      content,
    }))
      // What does not fit into a frame is another test's.
      .filter((frame) => !exceedsBytes(JSON.stringify(frame), LIMITS.frameBytes));
    for (const frame of fitting) line.send(frame);
    for (const { id, content } of fitting) {
      const outcome = await line.outcome(id);
      const clean = cleanText(content);
      if (!isVisible(clean)) expect(outcome).toMatchObject({ code: "invalid" });
      else if (exceedsBytes(clean, LIMITS.contentBytes)) expect(outcome).toMatchObject({ code: "too_large" });
      else {
        expect(outcome).toMatchObject({ content: clean });
        kept.set(id, clean);
      }
    }
    line.close();
    const texts = (messages: readonly Message[]) =>
      Object.fromEntries(messages.map(({ id, content }) => [id, content]));
    const expected = Object.fromEntries(kept);
    await until("the archive has them", () => server.archived(own).length === kept.size);
    expect(texts(server.archived(own))).toEqual(expected);
    expect(texts(await wholeLog(own))).toEqual(expected);
    const fromArchive = await pagesBefore(own, kept.size + 1);
    expect(texts(fromArchive)).toEqual(expected);
    const resumed = await visitor.enter(own, "?after=0");
    await until("all has come", () => resumed.messages.length >= kept.size);
    expect(texts(resumed.messages)).toEqual(expected);
    resumed.close();
    expectNoFailure();
  });

  it("as names and topics are kept on one line, or refused", async () => {
    const own = await visitor.makeRoom(key.key);
    await inTurns(SOME, async (text) => {
      const made = await visitor.call("POST", "/api/rooms", {
        key: key.key,
        body: { name: text, topic: text, id: newRoomId() },
      });
      expectProper(made);
      if (made.status !== 201) return;
      expect(made.body.name).not.toMatch(/[\n\r\u2028\u2029]/);
      const { body } = await visitor.call("GET", `/api/rooms/${made.body.id}`);
      expect(body).toMatchObject({ name: made.body.name, topic: made.body.topic });
      expectStatus(await visitor.call("GET", `/r/${made.body.id}?format=md`), 200);
    });
    expectProper(await visitor.call("GET", `/api/rooms/${own}`));
    expectNoFailure();
  });

  it("as ids, in paths and in queries lead nowhere, and never to a failure", async () => {
    await inTurns(SOME, async (text) => {
      const encoded = encodeURIComponent(text.toWellFormed());
      const answers = await Promise.all([
        visitor.call("GET", `/api/rooms/${encoded}`),
        visitor.call("GET", `/api/rooms/${encoded}/messages`),
        visitor.call("GET", `/parties/chat-room/${encoded}`),
        visitor.call("GET", `/api/rooms?q=${encoded}&cursor=${encoded}&limit=${encoded}`),
        visitor.call("GET", `/api/rooms?q=${encoded}`),
        visitor.call("GET", `/api/rooms/lobby/messages?after=${encoded}&epoch=${encoded}`),
        visitor.call("GET", `/api/rooms/lobby/messages?after=0&epoch=${encoded}`),
        visitor.call("GET", `/api/rooms/lobby/messages?before=${encoded}`),
        visitor.call("PUT", `/api/rooms/${room}/mutes/${encoded}`, { key: key.key }),
        visitor.call("DELETE", `/api/rooms/${room}/messages/${encoded}`, { key: key.key }),
        visitor.call("POST", "/api/rooms", { key: key.key, body: { name: "x", id: text } }),
        visitor.say(room, key.key, "x", { id: text }),
        visitor.say(room, key.key, "x", { as: text }),
      ]);
      for (const answer of answers) expectProper(answer);
      if (!isRoomId(text)) expect(answers[0]?.status).not.toBe(500);
    });
    expectNoFailure();
  });

  it("as headers are somebody's words, and no more", async () => {
    await inTurns(SOME, async (text) => {
      // As the bytes that they are; a line's end would make it another header, which is the sender's own affair.
      const value = Buffer.from(text.toWellFormed())
        .toString("latin1")
        .replace(/[\r\n\0]/g, " ")
        .slice(0, 2_000);
      const head = (line: string, path: string) =>
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${line}\r\n\r\n`, "latin1");
      for (const [name, path] of [
        ["Authorization", "/api/keys/me"],
        ["Authorization: Bearer ", "/api/keys/me"],
        ["CF-Connecting-IP", "/api/rooms/lobby"],
        ["MF-CF-Blob", "/api/rooms/lobby"],
        ["X-Forwarded-For", "/api/rooms/lobby"],
        ["X-Forwarded-Proto", "/api/rooms/lobby"],
        ["Origin", "/api/rooms/lobby"],
        ["Last-Event-ID", "/api/rooms/no-such-room/events"],
        ["Accept", "/r/lobby"],
        ["Upgrade", "/api/rooms/lobby/ws"],
      ] as const) {
        const answer = await raw(server, head(name.includes(":") ? name + value : `${name}: ${value}`, path));
        expect(answer).toMatch(/^HTTP\/1\.1 [1234]\d\d /);
      }
    });
    expectNoFailure();
  });
});

/** `work` for each of `all`, twenty at a time. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < all.length; start += 20) await Promise.all(all.slice(start, start + 20).map(work));
}

/** The whole log of a room, read on from its beginning. */
async function wholeLog(id: string): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { body } = await visitor.call("GET", `/api/rooms/${id}/messages?limit=200&after=${all.at(-1)?.seq ?? 0}`);
    all.push(...(body.messages as Message[]));
    if (!body.more) return all;
  }
}

/** The whole log of a room, read back from `before`. */
async function pagesBefore(id: string, before: number): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { body } = await visitor.call("GET", `/api/rooms/${id}/messages?limit=200&before=${all[0]?.seq ?? before}`);
    all.unshift(...(body.messages as Message[]));
    if (!body.more) return all;
  }
}
