import { beforeEach, describe, expect, it } from "vitest";
import {
  type DraftChange,
  FLOW,
  PROTOCOL_VERSION,
  type Presence,
  READING,
  type RoomInfo,
  type WelcomeFrame,
} from "../../protocol.ts";
import { FakeLog } from "../fake-room.ts";
import { Backlog } from "./backlog.ts";
import { Welcomes } from "./welcomes.ts";

let log: FakeLog;
let room: RoomInfo;
let presence: Presence;
let drafts: DraftChange[];
let versions: { presence: number; drafts: number };
let welcomes: Welcomes;

beforeEach(() => {
  log = new FakeLog();
  room = { id: "den", name: "Den", topic: "", guests: "write", loopGuard: 3, agentsPaused: false };
  presence = { people: ["a-b"], spectators: 2 };
  drafts = [{ id: "d", sender: "a-b", append: "Once" }];
  versions = { presence: 1, drafts: 1 };
  welcomes = new Welcomes({
    log,
    backlog: new Backlog(log),
    told: {
      room: () => room,
      presence: () => presence,
      drafts: () => drafts,
      presenceVersion: () => versions.presence,
      draftsVersion: () => versions.drafts,
    },
  });
});

const add = (count: number, content = "line") => {
  for (let index = 0; index < count; index++) log.add(content);
};
const welcome = (...cursor: Parameters<Welcomes["welcome"]>) =>
  JSON.parse(welcomes.welcome(...cursor).text) as WelcomeFrame;
const seqs = ({ messages }: WelcomeFrame) => messages.map(({ seq }) => seq);

describe("a welcome", () => {
  it("holds the room, its newest messages, and what has been told beside them", () => {
    add(60);
    const { messages, ...rest } = welcome(undefined);
    expect(messages).toEqual(log.messages.slice(-READING.welcome));
    expect(rest).toEqual({
      type: "welcome",
      protocol: PROTOCOL_VERSION,
      room,
      epoch: "first",
      head: 60,
      presence,
      drafts,
    });
  });

  it("of a cursor holds what came after it, and says when that can't be said (promise 4)", () => {
    add(5);
    for (let after = 0; after <= 5; after++) {
      const { reset, ...resumed } = welcome({ after, epoch: "first" });
      expect([reset, resumed.messages]).toEqual([undefined, log.messages.slice(after)]);
    }
    for (const cursor of [
      { after: 2, epoch: "other" },
      { after: 6, epoch: "first" },
    ]) {
      expect(welcome(cursor)).toMatchObject({ reset: true, messages: log.messages });
    }
    expect(seqs(welcome({ after: 3 }))).toEqual([4, 5]);
  });

  it("fits into the first window, however long what it tells is (promise 9)", () => {
    add(50, '"'.repeat(9_000));
    for (const cursor of [undefined, { after: 0 }, { after: 7, epoch: "other" }]) {
      const { text, bytes, isWhole } = welcomes.welcome(cursor);
      expect([bytes, isWhole]).toEqual([Buffer.byteLength(text), true]);
      expect(bytes).toBeLessThanOrEqual(FLOW.firstWindow);
    }
    expect([seqs(welcome(undefined)), seqs(welcome({ after: 0 }))]).toEqual([[50], [1]]);
    expect(welcomes.welcome({ after: 0 }).to).toBe(1);
  });

  it("leaves out who is here and what is written where that is too long, and says so", () => {
    add(3);
    drafts = Array.from({ length: 20 }, (_, index) => ({ id: `d${index}`, sender: "a-b", append: "x".repeat(1_000) }));
    const { bytes, isWhole } = welcomes.welcome(undefined);
    expect([isWhole, bytes < FLOW.firstWindow]).toEqual([false, true]);
    expect(welcome(undefined)).toMatchObject({
      presence: { people: [], spectators: 2 },
      drafts: [],
      messages: log.messages,
    });
  });

  it("is serialised once for a crowd, and anew when anything in it changes", () => {
    add(60);
    const changes = [
      () => undefined,
      () => log.add("more"),
      () => versions.presence++,
      () => versions.drafts++,
      () => {
        room = { ...room, name: "Cave" };
      },
    ];
    for (const change of changes) {
      change();
      const { reads } = log;
      const crowd = Array.from({ length: 500 }, (_, index) => welcomes.welcome(index % 2 ? { after: 20 } : undefined));
      expect([new Set(crowd).size, log.reads - reads]).toEqual([2, READING.welcome + log.head - 20]);
    }
  });
});

it("a welcome is kept for a bounded number of cursors, however many are tried while nothing changes (promise 9)", () => {
  add(1_000);
  const first = welcomes.welcome({ after: 0 });
  expect(welcomes.welcome({ after: 0 })).toBe(first);
  for (let after = 1; after < 1_000; after++) welcomes.welcome({ after });
  expect(welcomes.welcome({ after: 0 })).not.toBe(first);
});

describe("a snapshot", () => {
  const snapshot = (...has: Parameters<Welcomes["snapshot"]>) =>
    welcomes.snapshot(...has).map(({ text }) => JSON.parse(text));

  it("holds all that is told, for one of whom nothing is known", () => {
    expect(snapshot(undefined)).toEqual([{ type: "update", snapshot: { presence, drafts }, room }]);
  });

  it("holds what has changed for one who has the rest, and is nothing when nothing has", () => {
    const has = welcomes.versions();
    expect(snapshot(has)).toEqual([]);
    versions.presence++;
    expect(snapshot(has)).toEqual([{ type: "update", snapshot: { presence } }]);
    versions.drafts++;
    room = { ...room, agentsPaused: true };
    expect(snapshot(has)).toEqual([{ type: "update", snapshot: { presence, drafts }, room }]);
  });
});
