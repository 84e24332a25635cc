import { beforeEach, describe, expect, it } from "vitest";
import type { Participant } from "../identity/sender.ts";
import {
  CLOSE,
  type DraftChange,
  FLOW,
  IDENTIFY_WITHIN,
  LIMITS,
  READING,
  type RoomInfo,
  SILENCE,
  type UpdateFrame,
} from "../protocol.ts";
import type { Cursor } from "../room-rpc.ts";
import { Audience, type Newcomer } from "./audience.ts";
import { FakeLog, FakeSocket, NO_AGENTS } from "./fake-room.ts";
import { ANSWER_BYTES, LEAST_WINDOW, MOST_WINDOW, ROOM_BYTES } from "./flow/memory-budget.ts";
import type { SocketState } from "./socket-state.ts";

const NOON = 1_800_000_000_000;

const person: Participant = { sender: "swift-otter", principal: "key:1", keyId: "k1" };
const claude: Participant = { ...person, sender: "swift-otter/claude" };
const heron: Participant = { sender: "calm-heron", principal: "key:2", keyId: "k2" };

let now: number;
/** The sockets that the runtime has: also those whose close is not confirmed. */
let sockets: Set<FakeSocket>;
let log: FakeLog;
let room: RoomInfo;
let drafts: DraftChange[];
let draftsVersion: number;
let left: string[];
let changes: number;
let wakes: number[];
/** What was to be done a moment later. */
let scheduled: (() => void)[];
let audience: Audience;

beforeEach(() => {
  now = NOON;
  sockets = new Set();
  log = new FakeLog();
  room = { id: "den", name: "Den", topic: "", guests: "write", loopGuard: 3, agentsPaused: false };
  drafts = [];
  draftsVersion = 0;
  [left, changes, wakes, scheduled] = [[], 0, [], []];
  audience = wake();
});

/** An audience as a room makes it when it starts or wakes. Before it could sleep, the one before had its moment. */
function wake(): Audience {
  for (const run of scheduled.splice(0)) run();
  return new Audience({
    now: () => now,
    sockets: () => [...sockets].map(({ listed }) => listed),
    listed: () => [...sockets] as unknown as WebSocket[],
    lastPing: (socket) => (socket as unknown as FakeSocket).pingedAt,
    log,
    told: { room: () => room, drafts: () => drafts, draftsVersion: () => draftsVersion },
    presenceChanged: () => void changes++,
    left: (sender) => void left.push(sender),
    agents: NO_AGENTS,
    wakeIn: (delay) => void wakes.push(delay),
    schedule: (_, run) => void scheduled.push(run),
  });
}

/** Somebody whom the room has to know before it tells them anything. */
function comeUnknown(): FakeSocket {
  const fake = new FakeSocket();
  sockets.add(fake);
  audience.enterUnknown(fake.socket, { address: "192.0.2.1" }, undefined);
  return fake;
}

function come(participant?: Participant, newcomer: Partial<Newcomer> = {}, cursor?: Cursor): FakeSocket {
  const fake = new FakeSocket();
  sockets.add(fake);
  audience.enter(fake.socket, { address: "192.0.2.1", ...newcomer }, cursor);
  if (participant) audience.name(fake.socket, participant);
  return fake;
}

/** The peer has gone: the runtime tells the room, and has the socket no longer. */
function go(fake: FakeSocket): void {
  fake.close(1000);
  audience.leave(fake.socket);
  sockets.delete(fake);
}

const answer = (fake: FakeSocket): boolean => audience.answered(fake.socket, fake.n);

/** Everyone is told of a new message of about so many bytes. */
const say = (bytes = 100): void => audience.broadcast({ type: "update", messages: [log.add("x".repeat(bytes))] });

/** A message takes about so many more than its content. */
const ENVELOPE = 200;

/** A reader that answers each check at once, as a client does. */
const readOn = (fake: FakeSocket): void => {
  while (audience.has(fake.socket) && answer(fake));
};

describe("who is here (promise 8)", () => {
  it("is counted from the sockets there are, also by a room that has just woken", () => {
    come(person);
    come(person);
    come(claude);
    come();
    come(undefined, { uncounted: true });
    const expected = { people: ["swift-otter", "swift-otter/claude"], spectators: 1 };
    expect(audience.presence.current()).toEqual(expected);
    expect(wake().presence.current()).toEqual(expected);
  });

  it("does not change for a room that has woken: everybody has been told of who is here", () => {
    come(person);
    audience = wake();
    expect(audience.takePresenceChange()).toBeUndefined();
    go(come());
    expect(audience.takePresenceChange()).toBeUndefined();
  });

  it("loses somebody with their last socket, once, however it ends", () => {
    const [one, two] = [come(person), come(person)];
    audience.takePresenceChange();
    go(one);
    audience.leave(one.socket);
    expect([audience.takePresenceChange(), left]).toEqual([undefined, []]);
    audience.close(two.socket, 1001, "not heard of");
    audience.leave(two.socket);
    expect([audience.takePresenceChange(), left]).toEqual([{ left: ["swift-otter"] }, ["swift-otter"]]);
  });

  it("loses somebody whose goodbye wakes the room", () => {
    const fake = come(person);
    come();
    fake.close(1000);
    audience = wake();
    go(fake);
    expect([audience.takePresenceChange(), left]).toEqual([{ left: ["swift-otter"] }, ["swift-otter"]]);
  });

  it("loses somebody whose goodbye wakes a room to which the runtime does not list them any more, and their drafts", () => {
    const fake = come(person);
    const watcher = come();
    audience.noteDrafts(fake.socket, ["d"]);
    fake.close(1000);
    watcher.close(1000);
    sockets.delete(fake);
    sockets.delete(watcher);
    come();
    audience = wake();
    for (const gone of [fake, watcher]) audience.leave(gone.socket);
    expect([audience.takePresenceChange(), left]).toEqual([{ left: ["swift-otter"], spectators: 1 }, ["swift-otter"]]);
    expect(audience.takeLostDrafts()).toEqual([{ sender: "swift-otter", id: "d" }]);
    expect(audience.presence.current()).toEqual({ people: [], spectators: 1 });
  });

  it("keeps somebody who has come back before the goodbye of their old socket is heard", () => {
    const fake = come(person);
    fake.close(1000);
    sockets.delete(fake);
    audience = wake();
    const again = come(person);
    audience.leave(fake.socket);
    const told = new Set(again.sent.flatMap((frame) => (frame.type === "welcome" ? frame.presence.people : [])));
    for (const name of audience.takePresenceChange()?.joined ?? []) told.add(name);
    expect([[...told], audience.presence.told().people]).toEqual([["swift-otter"], ["swift-otter"]]);
  });

  it("loses those whose goodbye wakes the room also when the runtime does not list them any more", () => {
    const [first, second, watcher] = [come(person), come(person), come()];
    const [other] = [come(heron)];
    for (const fake of [first, second, watcher]) {
      fake.close(1000);
      sockets.delete(fake);
    }
    audience = wake();
    audience.leave(first.socket);
    audience.leave(first.socket);
    expect(audience.presence.told()).toEqual({ people: ["calm-heron", "swift-otter"], spectators: 0 });
    audience.leave(second.socket);
    audience.leave(watcher.socket);
    expect(audience.takePresenceChange()).toEqual({ left: ["swift-otter"], spectators: 0 });
    go(other);
    expect(audience.takePresenceChange()).toEqual({ left: ["calm-heron"] });
  });

  it("follows somebody who says that they are another", () => {
    const fake = come(person);
    audience.takePresenceChange();
    audience.name(fake.socket, claude);
    expect(audience.takePresenceChange()).toEqual({ joined: ["swift-otter/claude"], left: ["swift-otter"] });
    expect(left).toEqual(["swift-otter"]);
  });

  it("counts a socket that was not counted from when it says who it is, until it goes", () => {
    const fake = come(undefined, { uncounted: true });
    audience.name(fake.socket, person);
    expect([audience.presence.current(), wake().presence.current()]).toEqual([
      { people: ["swift-otter"], spectators: 0 },
      { people: ["swift-otter"], spectators: 0 },
    ]);
    go(fake);
    expect([audience.presence.current(), left]).toEqual([{ people: [], spectators: 0 }, ["swift-otter"]]);
  });

  it("does not hold a socket that was silent and has gone, after a wake either", () => {
    const [silent, other] = [come(person), come(heron)];
    now += SILENCE.unlistAfter;
    audience.heard(other.socket);
    audience.sweep();
    audience.leave(silent.socket);
    // The runtime still has it, as it may for a moment.
    audience = wake();
    expect([audience.size, audience.presence.current()]).toEqual([1, { people: ["calm-heron"], spectators: 0 }]);
  });
});

describe("the silent", () => {
  it("is no longer listed and closed later when it used to ping; only unlisted when it never did", () => {
    const [pings, never] = [come(person), come(claude)];
    pings.pingedAt = NOON;
    const verdicts: unknown[] = [];
    for (const ms of [31_000, 46_000, 100_000, 130_000]) {
      now = NOON + ms;
      audience.sweep();
      verdicts.push([ms, audience.presence.current().people, pings.closed, never.closed]);
    }
    expect(verdicts).toEqual([
      [31_000, ["swift-otter", "swift-otter/claude"], undefined, undefined],
      [46_000, [], undefined, undefined],
      [100_000, [], undefined, undefined],
      [130_000, [], 1001, undefined],
    ]);
    say();
    expect([never.seqs, pings.seqs]).toEqual([[1], []]);
  });

  it("is still here with another socket that pings, and so are its drafts, when a look wakes the room", () => {
    const [pings, silent] = [come(person), come(person)];
    come(heron);
    now += SILENCE.unlistAfter;
    pings.pingedAt = now - 1_000;
    // A room that has slept counts its sockets before it finds one of them silent.
    audience = wake();
    audience.sweep();
    expect([audience.takePresenceChange()?.left, left, silent.closed]).toEqual([
      ["calm-heron"],
      ["calm-heron"],
      undefined,
    ]);
    expect(audience.presence.current()).toEqual({ people: ["swift-otter"], spectators: 0 });
    expect(audience.presence.socketsOf("swift-otter")).toBe(1);
  });

  it("never counts less than nobody, whatever is found at the first look after a wake", () => {
    const watchers = [come(), come(), come()];
    for (const watcher of watchers) watcher.pingedAt = NOON;
    now += SILENCE.closeAfter;
    audience = wake();
    audience.sweep();
    expect([watchers.map(({ closed }) => closed), audience.presence.current().spectators]).toEqual([
      [1001, 1001, 1001],
      0,
    ]);
  });

  it("is counted out once, however often it is looked at: whoever has another socket is still here", () => {
    const [, alive, spectator] = [come(person), come(person), come()];
    for (let looks = 0; looks < 3; looks++) {
      now += SILENCE.unlistAfter;
      for (const fake of [alive, spectator]) audience.heard((fake as FakeSocket).socket);
      audience.sweep();
    }
    expect([audience.presence.current(), left]).toEqual([{ people: ["swift-otter"], spectators: 1 }, []]);
  });

  it("is not listed again because the room has slept, and its goodbye changes nothing any more", () => {
    const [silent, other] = [come(person), come(heron)];
    now += SILENCE.unlistAfter;
    audience.heard(other.socket);
    audience.sweep();
    audience = wake();
    expect(audience.presence.current()).toEqual({ people: ["calm-heron"], spectators: 0 });
    go(silent);
    expect([audience.presence.current(), audience.takePresenceChange()]).toEqual([
      { people: ["calm-heron"], spectators: 0 },
      undefined,
    ]);
  });

  it("is listed again when it pings or speaks", () => {
    const [pings, speaks] = [come(person), come(heron)];
    pings.pingedAt = NOON;
    audience.takePresenceChange();
    now = NOON + 80_000;
    audience.sweep();
    expect(audience.takePresenceChange()?.left).toEqual(["swift-otter", "calm-heron"]);
    pings.pingedAt = now;
    audience.heard(speaks.socket);
    audience.sweep();
    expect(audience.takePresenceChange()?.joined?.sort()).toEqual(["calm-heron", "swift-otter"]);
  });

  it("stays listed in a hidden tab that pings once a minute: it is asked, and answers (promise 8)", () => {
    const hidden = come(person);
    const other = come(heron);
    hidden.pingedAt = NOON;
    for (let second = 1; second <= 1_800; second++) {
      now = NOON + second * 1_000;
      other.pingedAt = now;
      if (second % 60 === 0) hidden.pingedAt = now;
      if (second % 7 === 0) audience.sweep();
      if (!Number.isNaN(hidden.n) && answer(hidden)) audience.heard(hidden.socket);
    }
    expect([hidden.closed, left]).toEqual([undefined, []]);
    expect(audience.presence.current().people).toEqual(["calm-heron", "swift-otter"]);
    expect(hidden.types.filter((type) => type === "check").length).toBeLessThanOrEqual(1_800 / 30);
  });

  it("is not closed as slow for a sign of life that it does not give", () => {
    const fake = come(person);
    come(heron).pingedAt = NOON + 200_000;
    fake.pingedAt = NOON;
    now = NOON + 31_000;
    audience.sweep();
    now = NOON + 31_000 + 2 * FLOW.answerWithin;
    audience.sweep();
    expect(fake.closed).toBeUndefined();
  });

  it("that waits for one answer is closed when it is left behind", () => {
    const fake = come(undefined, { uncounted: true });
    now += SILENCE.closeAfter;
    audience.sweep();
    expect(fake.closed).toBe(1001);
  });

  it("is looked for at most every five seconds by who only asks", () => {
    come(person);
    now = NOON + SILENCE.unlistAfter - 1;
    audience.sweepSometimes();
    now += 1;
    audience.sweepSometimes();
    expect(audience.presence.current().people).toEqual(["swift-otter"]);
    now += 5_000;
    audience.sweepSometimes();
    expect(audience.presence.current().people).toEqual([]);
  });

  it("is looked for by the alarm only while there is somebody to tell of it", () => {
    come(person).pingedAt = NOON;
    expect([audience.sweep(), wakes]).toEqual([undefined, []]);
    come();
    expect(wakes).toEqual([SILENCE.askAfter]);
    expect(audience.sweep()).toBe(SILENCE.askAfter);
  });
});

describe("a reader that does not read (promise 9)", () => {
  it("is sent its first window and no more, however much is said; others go on", () => {
    const [slow, good] = [come(), come(heron)];
    for (let count = 0; count < 400; count++) {
      say(8_000);
      readOn(good);
    }
    expect(slow.bytes).toBeLessThanOrEqual(FLOW.firstWindow + ENVELOPE);
    expect(good.seqs).toEqual(log.messages.map(({ seq }) => seq));
  });

  it("is sent one window and no more when it has answered before", () => {
    const fake = come();
    for (let count = 0; count < 10; count++) {
      say(8_000);
      readOn(fake);
    }
    const before = fake.bytes;
    for (let count = 0; count < 400; count++) say(8_000);
    expect(fake.bytes - before).toBeLessThanOrEqual(MOST_WINDOW + ENVELOPE);
    expect(fake.bytes - before).toBeGreaterThan(MOST_WINDOW / 2);
  });

  it("costs no more than the room may hold, when five hundred of an address read nothing", () => {
    const stalled = Array.from({ length: 500 }, () => come());
    for (let count = 0; count < 200; count++) say(16_000);
    expect(stalled.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(500 * (FLOW.firstWindow + ENVELOPE));
    const trusted = Array.from({ length: 500 }, () => come(undefined, { address: "192.0.2.2" }));
    for (const fake of trusted) readOn(fake);
    const before = trusted.reduce((sum, { bytes }) => sum + bytes, 0);
    for (let count = 0; count < 200; count++) say(16_000);
    const held = trusted.reduce((sum, { bytes }) => sum + bytes, 0) - before;
    expect(held).toBeLessThanOrEqual(Math.max(ROOM_BYTES, 500 * LEAST_WINDOW) + 500 * ENVELOPE);
  });

  it("gets what it missed when it answers, in order and once, and is in the flow again", () => {
    const [slow, good] = [come(), come(heron)];
    for (let count = 0; count < 300; count++) {
      say(2_000);
      readOn(good);
    }
    expect(slow.seqs.length).toBeLessThan(20);
    readOn(slow);
    expect(slow.seqs).toEqual(log.messages.map(({ seq }) => seq));
    say();
    expect(slow.seqs.at(-1)).toBe(log.head);
    expect(Math.max(...slow.texts.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(FLOW.frameBytes);
  });

  it("gets a snapshot of what else has changed meanwhile, and of nothing that has not", () => {
    const slow = come();
    const fill = () => {
      for (let count = 0; count < 400; count++) say(2_000);
    };
    fill();
    readOn(slow);
    expect(slow.updates.flatMap(({ snapshot }) => snapshot ?? [])).toEqual([]);
    fill();
    come(person);
    audience.broadcast({ type: "update", presence: audience.takePresenceChange() ?? {} });
    drafts = [{ id: "d", sender: "a-b", append: "Once" }];
    draftsVersion++;
    room = { ...room, name: "Cave" };
    audience.broadcast({ type: "update", drafts, room });
    readOn(slow);
    expect(slow.updates.at(-1)).toEqual({
      type: "update",
      snapshot: { presence: { people: ["swift-otter"], spectators: 1 }, drafts },
      room,
    });
  });

  it("is told who is here by its snapshot as by the changes that others heard", () => {
    const [slow, good] = [come(), come()];
    for (let count = 0; count < 40; count++) say(2_000);
    const tell = () => audience.broadcast({ type: "update", ...{ presence: audience.takePresenceChange() ?? {} } });
    const guests = [come(person), come(claude), come(heron)];
    tell();
    go(guests[1] as FakeSocket);
    readOn(good);
    tell();
    readOn(slow);
    const [snapshot] = slow.updates.flatMap(({ snapshot }) => snapshot?.presence ?? []);
    expect(snapshot).toEqual(audience.presence.told());
  });

  it("is never sent what was deleted meanwhile, also when others were sent it before (promise 6)", () => {
    const [first, second] = [come(), come()];
    for (let count = 0; count < 25; count++) say(2_000);
    audience.broadcast({ type: "update", messages: [log.add("secret")] });
    for (let count = 0; count < 25; count++) say(2_000);
    readOn(first);
    expect(first.texts.join("")).toContain("secret");
    log.messages = log.messages.map((message) =>
      message.content === "secret" ? { ...message, content: "" } : message,
    );
    const deletion = { ...log.add(""), kind: "deletion" as const, target: 26 };
    audience.broadcast({ type: "update", messages: [deletion] });
    readOn(second);
    expect([second.seqs.at(-1), second.texts.filter((text) => text.includes("secret"))]).toEqual([52, []]);
  });

  it("starts over at an erasure when it does not know what that is, now or as soon as it can be sent anything", () => {
    const knows = { knowsErasures: true } as const;
    const [older, newer, slow] = [come(), come(undefined, knows), come()];
    for (let count = 0; count < 10; count++) say(2_000);
    for (const peer of [older, newer]) readOn(peer);
    for (let count = 0; count < 20; count++) {
      say(2_000);
      for (const peer of [older, newer]) readOn(peer);
    }
    const before = log.head;
    log.messages = log.messages.map((message) => ({ ...message, sender: "", content: "" }));
    const entry = { ...log.add(""), kind: "erasure" as const, erased: "a-b", upTo: before };
    log.newestErasure = entry.seq;
    const length = newer.texts.length;
    audience.broadcast({ type: "update", messages: [entry] });
    expect(newer.sent.slice(length)).toMatchObject([{ type: "update", messages: [{ erased: "a-b" }] }]);
    expect(older.sent.filter(({ type }) => type !== "check").at(-1)).toMatchObject({ type: "welcome", reset: true });
    readOn(slow);
    expect(slow.sent.filter(({ type }) => type !== "check").at(-1)).toMatchObject({ type: "welcome", reset: true });
    say();
    for (const peer of [older, newer, slow]) expect(peer.seqs.at(-1)).toBe(log.head);
    // Who comes back with a cursor from before it is told the same.
    const cursor = { after: before, epoch: log.epoch };
    expect(come(undefined, {}, cursor).sent[0]).toMatchObject({ type: "welcome", reset: true });
    expect(come(undefined, knows, cursor).sent[0]).not.toHaveProperty("reset");
    expect(come(undefined, {}, { ...cursor, after: entry.seq }).sent[0]).not.toHaveProperty("reset");
  });

  it("does not go on for an answer that was guessed", () => {
    const slow = come();
    for (let count = 0; count < 40; count++) say(2_000);
    const before = slow.texts.length;
    expect([audience.answered(slow.socket, slow.n + 1), audience.answered(slow.socket, 0)]).toEqual([false, false]);
    expect(slow.texts.length).toBe(before);
  });

  it("is closed with 4413 when it has owed the answer for too long, by the alarm that was asked for", () => {
    const [slow, good] = [come(), come(heron)];
    for (let count = 0; count < 40; count++) {
      say(2_000);
      readOn(good);
    }
    expect(wakes).toContain(FLOW.answerWithin);
    now += FLOW.answerWithin - 1;
    good.pingedAt = now;
    expect([audience.sweep(), slow.closed]).toEqual([1, undefined]);
    now += 1;
    audience.sweep();
    expect([slow.closed, good.closed]).toEqual([4413, undefined]);
  });

  it("is closed with 4413 by the alarm also when it is alone in the room", () => {
    const slow = come();
    for (let count = 0; count < 40; count++) say(2_000);
    expect(audience.sweep()).toBe(FLOW.answerWithin);
    now += FLOW.answerWithin;
    audience.sweep();
    expect(slow.closed).toBe(4413);
  });

  it("is closed with 4413 when what it missed is not in the log any more", () => {
    const slow = come();
    for (let count = 0; count < 40; count++) say(2_000);
    log.oldest = 39;
    answer(slow);
    expect(slow.closed).toBe(4413);
  });

  it("is closed when it makes the room answer it without reading, others are not", () => {
    const [slow, good] = [come(), come(heron)];
    const frame: UpdateFrame = { type: "update", drafts: [{ id: "d", sender: "a-b", append: "x".repeat(1_000) }] };
    for (let count = 0; count < 200; count++) audience.send(slow.socket, frame);
    expect([slow.closed, good.closed]).toEqual([4413, undefined]);
    expect(slow.bytes).toBeLessThanOrEqual(FLOW.firstWindow + ANSWER_BYTES + 2 * 1_100);
  });

  it("is still answered while it is paused", () => {
    const slow = come(person);
    for (let count = 0; count < 40; count++) say(2_000);
    audience.send(slow.socket, { type: "ack", id: "a", seq: 1 });
    expect(slow.types.at(-1)).toBe("ack");
  });

  it("that has gone while it was sent something disturbs nobody", () => {
    const [gone, good] = [come(), come()];
    gone.closed = 1006;
    say();
    audience.send(gone.socket, { type: "ack", id: "a", seq: 1 });
    expect(good.seqs).toEqual([1]);
  });
});

describe("a reader that comes back after a long gap", () => {
  const resume = (after: number) => come(undefined, {}, { after, epoch: "first" });

  it("is sent it a window at a time, whole, and is blamed for nothing (promise 4)", () => {
    for (let count = 0; count < READING.resume; count++) log.add("x".repeat(1_000));
    const fake = resume(0);
    expect(fake.bytes).toBeLessThanOrEqual(FLOW.firstWindow + ENVELOPE);
    let most = 0;
    for (let before = fake.bytes; answer(fake); before = fake.bytes) most = Math.max(most, fake.bytes - before);
    expect(most).toBeLessThanOrEqual(MOST_WINDOW + ENVELOPE);
    expect([fake.seqs.length, fake.seqs.at(0), fake.seqs.at(-1), fake.closed]).toEqual([
      READING.resume,
      1,
      READING.resume,
      undefined,
    ]);
    say();
    expect(fake.seqs.at(-1)).toBe(READING.resume + 1);
  });

  it("misses nothing of what is said meanwhile", () => {
    for (let count = 0; count < 200; count++) log.add("x".repeat(1_000));
    const fake = resume(10);
    for (let count = 0; count < 30; count++) {
      say(1_000);
      answer(fake);
    }
    readOn(fake);
    expect(fake.seqs).toEqual(log.messages.slice(10).map(({ seq }) => seq));
  });
});

describe("after the room's sleep", () => {
  it("a reader that owes an answer goes on where it was paused, with the same number", () => {
    const slow = come(person);
    for (let count = 0; count < 40; count++) say(2_000);
    const { n } = slow;
    audience = wake();
    say();
    expect(slow.seqs.length).toBeLessThan(20);
    expect(audience.answered(slow.socket, n)).toBe(true);
    readOn(slow);
    expect(slow.seqs).toEqual(log.messages.map(({ seq }) => seq));
    // What it missed of the rest while the room slept is not known: it is told all.
    expect(slow.updates.at(-1)).toMatchObject({
      snapshot: { presence: { people: ["swift-otter"] }, drafts: [] },
      room,
    });
  });

  it("a reader that was paused for a moment only is in the flow", () => {
    const fake = come();
    for (let count = 0; count < 40; count++) say(2_000);
    readOn(fake);
    expect(scheduled).toHaveLength(1);
    audience = wake();
    expect((fake.state as SocketState).paused).toBeUndefined();
    say();
    expect(fake.seqs).toEqual(log.messages.map(({ seq }) => seq));
  });

  it("it is closed when it has owed it for too long, and what it holds counts", () => {
    const stalled = Array.from({ length: 500 }, () => come());
    for (let count = 0; count < 40; count++) say(2_000);
    now += FLOW.answerWithin;
    audience = wake();
    expect(audience.refuseNew("192.0.2.1")).toMatchObject({ fault: "rate_limited" });
    audience.sweep();
    expect(stalled.map(({ closed }) => closed)).toEqual(Array(500).fill(4413));
    expect([audience.refuseNew("192.0.2.1")?.fault, audience.sizeFrom("192.0.2.1")]).toEqual(["rate_limited", 500]);
  });

  it("a reader that has answered before has its whole window", () => {
    const fake = come();
    for (let count = 0; count < 20; count++) {
      say(2_000);
      readOn(fake);
    }
    audience = wake();
    const before = fake.bytes;
    for (let count = 0; count < 100; count++) say(2_000);
    expect(fake.bytes - before).toBeGreaterThan(2 * FLOW.firstWindow);
  });

  it("sockets of before the deploy, with attachments of the first version, are who they were", () => {
    const attach = (state: object) => {
      const fake = new FakeSocket();
      fake.state = state;
      sockets.add(fake);
      return fake;
    };
    const common = { address: "192.0.2.1", heardAt: NOON };
    const fake = attach({ ...common, participant: person, origin: "https://a.example" });
    attach({ ...common });
    attach({ ...common, participant: heron, away: true });
    attach({ ...common, participant: claude, gone: true });
    attach({ ...common, uncounted: true });
    audience = wake();
    expect(audience.presence.current()).toEqual({ people: ["swift-otter"], spectators: 1 });
    expect([audience.size, audience.sizeFrom("192.0.2.1")]).toEqual([4, 5]);
    say();
    audience.heard(fake.socket);
    now += 10_000;
    audience.heard(fake.socket);
    expect([fake.seqs, (fake.state as SocketState).v]).toEqual([[1], 2]);
  });

  it("the drafts that were under way are lost, each once", () => {
    const fake = come(person);
    audience.noteDrafts(fake.socket, ["d", "e"]);
    audience = wake();
    const lost = audience.takeLostDrafts().map(({ sender, id }) => `${sender} ${id}`);
    expect(lost).toEqual(["swift-otter d", "swift-otter e"]);
    expect(audience.takeLostDrafts()).toEqual([]);
    audience = wake();
    expect(audience.takeLostDrafts()).toEqual([]);
  });

  it("what a socket has attached is small, also when it is paused and writes drafts", () => {
    const fake = come({ ...claude, sender: `swift-otter/${"a".repeat(32)}`, principal: `key:${"0".repeat(64)}` });
    audience.noteDrafts(fake.socket, Array(4).fill("d".repeat(LIMITS.idLength)));
    for (let count = 0; count < 40; count++) say(2_000);
    audience = wake();
    expect((fake.state as SocketState).paused).toBeDefined();
    expect(JSON.stringify(fake.state).length).toBeLessThan(1_000);
  });
});

describe("a socket that was closed", () => {
  it("counts for its address until its close is confirmed, and for nothing else", () => {
    const fake = come(person);
    audience.close(fake.socket, 4413, "too slow");
    expect([audience.size, audience.sizeFrom("192.0.2.1"), audience.has(fake.socket)]).toEqual([0, 1, false]);
    expect(wake().sizeFrom("192.0.2.1")).toBe(1);
    audience.leave(fake.socket);
    audience.leave(fake.socket);
    expect(audience.sizeFrom("192.0.2.1")).toBe(0);
  });

  it("counts no longer when the runtime has let go of it without a word", () => {
    const fake = come(person);
    audience.close(fake.socket, 4413, "too slow");
    audience.sweep();
    expect(audience.sizeFrom("192.0.2.1")).toBe(1);
    sockets.delete(fake);
    audience.sweep();
    expect(audience.sizeFrom("192.0.2.1")).toBe(0);
  });

  it("leaves its address no room for as many again, as long as what it holds is unread", () => {
    let opened = 0;
    for (let round = 0; round < 5; round++) {
      while (audience.sizeFrom("192.0.2.1") < 500 && !audience.refuseNew("192.0.2.1")) {
        come();
        opened++;
      }
      for (let count = 0; count < 40; count++) say(2_000);
      now += FLOW.answerWithin;
      audience.sweep();
    }
    expect(opened).toBe(500);
    expect(audience.refuseNew("192.0.2.2")).toBeUndefined();
  });
});

describe("one bad client hurts only itself (promise 9)", () => {
  const bad = { fault: "invalid", message: "Bad." } as const;

  it("with more errors at once than are forgiven it is closed, and nobody else", () => {
    const [worse, good] = [come(), come(person)];
    for (let error = 0; error < 100; error++) audience.refuse(worse.socket, bad);
    expect(worse.closed).toBeUndefined();
    now += 10_000;
    for (let error = 0; error < 10; error++) audience.refuse(worse.socket, bad);
    expect(worse.closed).toBeUndefined();
    audience.refuse(worse.socket, bad);
    expect([worse.closed, good.closed]).toEqual([4400, undefined]);
    expect(worse.types.filter((type) => type === "error")).toHaveLength(111);
  });

  it("with many sockets it may send no more that costs nothing than with one", () => {
    const [one, two, other] = [come(person), come(claude), come(heron)];
    const refusals = Array.from(
      { length: 1_200 },
      (_, index) => audience.refuseFree((index % 2 ? one : two).socket)?.fault,
    );
    expect(refusals.filter((fault) => fault === "rate_limited")).toHaveLength(200);
    expect(audience.refuseFree(other.socket)).toBeUndefined();
  });

  it("with many sockets it may cause no more errors than its address may send frames", () => {
    const fakes = Array.from({ length: 50 }, () => come());
    for (const fake of fakes) for (let error = 0; error < 100; error++) audience.refuse(fake.socket, bad);
    const errors = fakes.flatMap(({ types }) => types.filter((type) => type === "error"));
    expect(errors.length).toBeLessThanOrEqual(1_000 + fakes.length);
  });
});

it("closes those whom it is told to, and no others", () => {
  const [revoked, agent, other] = [come(person), come(claude), come(heron)];
  audience.closeAll(4401, "key revoked", (participant) => participant?.principal === "key:1");
  expect([revoked.closed, agent.closed, other.closed]).toEqual([4401, 4401, undefined]);
  expect(audience.presence.current().people).toEqual(["calm-heron"]);
});

describe("one of whom the room has to know who they are", () => {
  const codes = (fake: FakeSocket) => fake.sent.flatMap((frame) => (frame.type === "error" ? [frame.code] : []));

  it("is let go for good when they do not say it in time", () => {
    const silent = comeUnknown();
    now += IDENTIFY_WITHIN - 1;
    expect(audience.sweep()).toBe(1);
    now += 1;
    audience.sweep();
    expect([codes(silent), silent.closed]).toEqual([["unauthorized"], CLOSE.unauthorized]);
  });

  it("is not, while what they have said is being looked up: they are let in late, or come again", async () => {
    const [lucky, unlucky] = [comeUnknown(), comeUnknown()];
    let found: () => void = () => undefined;
    audience.inOrder(lucky.socket, () => new Promise<void>((resolve) => (found = resolve)), 10);
    audience.inOrder(unlucky.socket, () => new Promise<void>(() => undefined), 10);
    now += 2 * IDENTIFY_WITHIN;
    expect(audience.sweep()).toBe(IDENTIFY_WITHIN);
    found();
    audience.name(lucky.socket, person);
    now += IDENTIFY_WITHIN;
    audience.sweep();
    expect([audience.has(lucky.socket), codes(lucky)]).toEqual([true, []]);
    expect([codes(unlucky), unlucky.closed]).toEqual([["unavailable"], CLOSE.tryLater]);
  });
});

describe("a ping a moment later than the room's time, which may lag behind the runtime's", () => {
  it("is a sign of life", () => {
    const [pings] = [come(person), come(heron)];
    now += 10 * SILENCE.closeAfter;
    pings.pingedAt = now + 200;
    audience.sweep();
    expect([pings.closed, audience.presence.current().people]).toEqual([undefined, ["swift-otter"]]);
  });
});

describe("who was told of an agent that it does not hear", () => {
  const told = (fake: FakeSocket): number => {
    audience.tellUnheard(fake.socket, { id: "a", seq: 1 }, [claude.sender]);
    return fake.types.filter((type) => type === "unheard").length;
  };

  it("is told again when that has been back, also after the room's sleep, and is forgotten when they go", () => {
    const [stays, goes] = [come(person), come(heron)];
    expect([told(stays), told(goes), told(stays)]).toEqual([1, 1, 1]);
    audience = wake();
    expect(told(stays)).toBe(1);
    go(goes);
    const { state } = goes;
    audience.hearsAgain(claude.sender);
    expect(told(stays)).toBe(2);
    // Nothing is attached to a socket that has gone.
    expect(goes.state).toBe(state);
  });
});

describe("after the clock was set back by hours", () => {
  const AHEAD = 5 * 3_600_000;

  it("the silent are unlisted and closed as late as ever, and who pings stays", () => {
    now = NOON + AHEAD;
    const [silent, pings] = [come(person), come(heron)];
    silent.pingedAt = now;
    now += SILENCE.askAfter;
    pings.pingedAt = now;
    audience.sweep();
    expect((silent.state as SocketState).askedAt).toBe(now);
    now = NOON;
    audience = wake();
    audience.sweep();
    const verdicts: unknown[] = [];
    for (const ms of [31_000, 46_000, 130_000]) {
      now = NOON + ms;
      pings.pingedAt = now - 1_000;
      audience.sweep();
      verdicts.push([ms, audience.presence.current().people, silent.closed, pings.closed]);
    }
    expect(verdicts).toEqual([
      [31_000, ["calm-heron", "swift-otter"], undefined, undefined],
      [46_000, ["calm-heron"], undefined, undefined],
      [130_000, ["calm-heron"], 1001, undefined],
    ]);
  });

  it("one who does not say who they are is let go as soon as ever", () => {
    now = NOON + AHEAD;
    const silent = comeUnknown();
    now = NOON;
    audience = wake();
    expect(audience.sweep()).toBe(IDENTIFY_WITHIN);
    now += IDENTIFY_WITHIN;
    audience.sweep();
    expect(silent.closed).toBe(CLOSE.unauthorized);
  });

  it("a reader that owes an answer is closed as soon as ever", () => {
    now = NOON + AHEAD;
    const slow = come(person);
    for (let count = 0; count < 40; count++) say(2_000);
    now = NOON;
    audience = wake();
    audience.sweep();
    now = NOON + FLOW.answerWithin - 1;
    audience.sweep();
    expect(slow.closed).toBeUndefined();
    now += 1;
    audience.sweep();
    expect(slow.closed).toBe(CLOSE.tooSlow);
  });
});
