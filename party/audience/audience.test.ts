import { beforeEach, describe, expect, it } from "vitest";
import type { Participant } from "../identity/sender.ts";
import { FLOW, HEARTBEAT, type ServerFrame } from "../protocol.ts";
import { Audience, type Socket, type SocketState } from "./audience.ts";

const NOON = 1_800_000_000_000;

const person: Participant = { sender: "swift-otter", principal: "key:1", keyId: "k1" };
const claude: Participant = { ...person, sender: "swift-otter/claude" };

/** A socket that keeps what it was sent, and with which code it was closed. */
class FakeSocket {
  state: SocketState | null = null;
  readonly sent: ServerFrame[] = [];
  closed: number | undefined;
  /** When the runtime last answered a ping of it. */
  pingedAt: number | undefined;

  setState(state: SocketState): void {
    this.state = state;
  }

  send(text: string): void {
    if (this.closed !== undefined) throw new Error("Can't call WebSocket send() after close().");
    this.sent.push(JSON.parse(text) as ServerFrame);
  }

  close(code: number): void {
    this.closed = code;
    sockets.delete(this);
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type);
  }

  /** The number of the last check. */
  get n(): number {
    const check = this.sent.findLast(({ type }) => type === "check");
    return check?.type === "check" ? check.n : Number.NaN;
  }
}

let now: number;
let sockets: Set<FakeSocket>;
let left: string[];
let changes: number;
let audience: Audience;

beforeEach(() => {
  now = NOON;
  sockets = new Set();
  left = [];
  changes = 0;
  audience = wake();
});

/** An audience as a room makes it when it starts or wakes. */
function wake(): Audience {
  return new Audience({
    now: () => now,
    sockets: () => [...sockets] as unknown as WebSocket[],
    connections: () => [...sockets] as unknown as Socket[],
    lastPing: (socket) => (socket as unknown as FakeSocket).pingedAt,
    presenceChanged: () => void changes++,
    left: (sender) => void left.push(sender),
  });
}

function come(participant?: Participant, state: Partial<SocketState> = {}): FakeSocket {
  const fake = new FakeSocket();
  sockets.add(fake);
  audience.enter(fake.socket, { address: "192.0.2.1", heardAt: now, ...state });
  if (participant) audience.name(fake.socket, participant);
  return fake;
}

/** An update of about so many characters. */
const update = (length: number): ServerFrame => ({
  type: "update",
  drafts: [{ id: "d", sender: "a-b", append: "x".repeat(length) }],
});

describe("who is here (promise 8)", () => {
  it("is counted from the sockets there are, also by a room that has just woken", () => {
    come(person);
    come(person);
    come(claude);
    come();
    come(undefined, { uncounted: true });
    const expected = { people: ["swift-otter", "swift-otter/claude"], spectators: 1 };
    expect(audience.attendance.current()).toEqual(expected);
    expect(wake().attendance.current()).toEqual(expected);
  });

  it("does not change for a room that has woken: everybody has been told of who is here", () => {
    come(person);
    audience = wake();
    expect(audience.takePresenceChange()).toBeUndefined();
    const other = come();
    other.close(1000);
    audience.leave(other.socket);
    expect(audience.takePresenceChange()).toBeUndefined();
  });

  it("loses somebody with their last socket, once, however it ends", () => {
    const [one, two] = [come(person), come(person)];
    audience.takePresenceChange();
    one.close(1000);
    audience.leave(one.socket);
    audience.leave(one.socket);
    expect([audience.takePresenceChange(), left]).toEqual([undefined, []]);
    audience.close(two.socket, 1001, "not heard of");
    audience.leave(two.socket);
    expect([audience.takePresenceChange(), left]).toEqual([{ left: ["swift-otter"] }, ["swift-otter"]]);
  });

  it("loses somebody whose goodbye wakes the room", () => {
    const fake = come(person);
    come();
    audience = wake();
    fake.close(1000);
    audience.leave(fake.socket);
    expect([audience.takePresenceChange(), left]).toEqual([{ left: ["swift-otter"] }, ["swift-otter"]]);
  });

  it("follows somebody who says that they are another", () => {
    const fake = come(person);
    audience.takePresenceChange();
    audience.name(fake.socket, claude);
    expect(audience.takePresenceChange()).toEqual({ joined: ["swift-otter/claude"], left: ["swift-otter"] });
    expect(left).toEqual(["swift-otter"]);
  });
});

describe("the dead", () => {
  it("who used to ping are closed; who never did are no longer listed, but hear everything", () => {
    const [pings, silent] = [come(person), come(claude)];
    pings.pingedAt = NOON + 5_000;
    now = NOON + HEARTBEAT.deadAfter;
    expect(audience.sweep()).toBe(5_000);
    expect([pings.closed, silent.closed]).toEqual([undefined, undefined]);
    expect(audience.attendance.current().people).toEqual(["swift-otter"]);
    now += 5_000;
    expect(audience.sweep()).toBeUndefined();
    expect([pings.closed, silent.closed]).toEqual([1001, undefined]);
    expect(audience.attendance.current().people).toEqual([]);
    audience.broadcast(update(1));
    expect(silent.types).toEqual(["update"]);
  });

  it("are alive when they speak, and listed again", () => {
    const fake = come(person);
    now = NOON + HEARTBEAT.deadAfter;
    audience.sweep();
    audience.takePresenceChange();
    audience.heard(fake.socket);
    expect(audience.takePresenceChange()).toEqual({ joined: ["swift-otter"] });
    now += HEARTBEAT.deadAfter - 1;
    expect(audience.sweep()).toBe(1);
  });

  it("are looked for at most every five seconds by who only asks", () => {
    const fake = come(person);
    now = NOON + HEARTBEAT.deadAfter - 1;
    audience.sweepSometimes();
    now += 1;
    audience.sweepSometimes();
    expect(audience.attendance.current().people).toEqual(["swift-otter"]);
    now += 5_000;
    audience.sweepSometimes();
    expect(audience.attendance.current().people).toEqual([]);
    expect(fake.closed).toBeUndefined();
  });
});

describe("one bad client hurts only itself (promise 9)", () => {
  it("with more errors at once than are forgiven it is closed, and nobody else", () => {
    const [bad, good] = [come(), come(person)];
    for (let error = 0; error < 100; error++) audience.refuse(bad.socket, { fault: "invalid", message: "Bad." });
    expect(bad.closed).toBeUndefined();
    now += 10_000;
    for (let error = 0; error < 10; error++) audience.refuse(bad.socket, { fault: "invalid", message: "Bad." });
    expect(bad.closed).toBeUndefined();
    audience.refuse(bad.socket, { fault: "invalid", message: "Bad." });
    expect([bad.closed, good.closed]).toEqual([4400, undefined]);
    expect(bad.types).toEqual(Array(111).fill("error"));
  });

  it("that reads nothing is asked after a while and closed a while later; who answers stays", () => {
    const [slow, good] = [come(), come()];
    for (let sent = 0; sent < 6 * FLOW.checkEvery; sent += FLOW.checkEvery / 4) {
      audience.broadcast(update(FLOW.checkEvery / 4));
      if (good.types.at(-1) === "check") audience.confirmed(good.socket, good.n);
    }
    expect([slow.closed, good.closed]).toEqual([4413, undefined]);
    expect(slow.types.filter((type) => type === "check")).toHaveLength(1);
    expect(good.types.filter((type) => type === "check").length).toBeGreaterThan(4);
  });

  it("that makes the room send much to it alone is asked and closed the same way", () => {
    const fake = come();
    for (let sent = 0; sent < 80 && fake.closed === undefined; sent++) audience.send(fake.socket, update(100_000));
    expect(fake.closed).toBe(4413);
    expect(fake.types.filter((type) => type === "update").length).toBeLessThanOrEqual(FLOW.closeAt / 100_000 + 1);
  });

  it("is not closed for a backlog that the room sent at once, nor for the answer right after it", () => {
    const fake = come();
    audience.sendBacklog(fake.socket, Array(8).fill(update(FLOW.checkEvery)));
    audience.send(fake.socket, { type: "ack", id: "a", seq: 1 });
    expect(fake.closed).toBeUndefined();
    expect(audience.burden).toBeGreaterThan(8 * FLOW.checkEvery);
    audience.confirmed(fake.socket, fake.n);
    expect(audience.burden).toBe(0);
  });

  it("that has gone while it was sent something disturbs nobody", () => {
    const [gone, good] = [come(), come()];
    gone.closed = 1006;
    audience.broadcast(update(1));
    audience.send(gone.socket, update(1));
    expect(good.types).toEqual(["update"]);
  });
});

describe("what one client sends", () => {
  it("is worked through in its order, at once when nothing waits", async () => {
    const fake = come();
    const done: string[] = [];
    let finish: () => void = () => undefined;
    audience.inOrder(fake.socket, () => void done.push("first"));
    expect(done).toEqual(["first"]);
    audience.inOrder(fake.socket, () =>
      new Promise<void>((resolve) => (finish = resolve)).then(() => void done.push("hello")),
    );
    audience.inOrder(fake.socket, () => void done.push("second"));
    audience.inOrder(fake.socket, () => void done.push("third"));
    expect(done).toEqual(["first"]);
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(["first", "hello", "second", "third"]);
    audience.inOrder(fake.socket, () => void done.push("fourth"));
    expect(done.at(-1)).toBe("fourth");
  });

  it("keeps its order when several have to wait, one after the other", async () => {
    const fake = come();
    const done: number[] = [];
    const finish: (() => void)[] = [];
    const waiting = (number: number) => () => {
      return new Promise<void>((resolve) => finish.push(resolve)).then(() => void done.push(number));
    };
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    audience.inOrder(fake.socket, waiting(1));
    audience.inOrder(fake.socket, waiting(2));
    finish[0]?.();
    await turn();
    audience.inOrder(fake.socket, () => void done.push(3));
    expect(done).toEqual([1]);
    finish[1]?.();
    await turn();
    expect(done).toEqual([1, 2, 3]);
  });

  it("waits for nobody else, and at most so much of it", () => {
    const [one, other] = [come(), come()];
    audience.inOrder(one.socket, () => new Promise(() => undefined));
    let done = false;
    audience.inOrder(other.socket, () => {
      done = true;
    });
    expect(done).toBe(true);
    for (let waiting = 0; waiting < 256; waiting++) expect(audience.inOrder(one.socket, () => undefined)).toBe(true);
    expect(audience.inOrder(one.socket, () => undefined)).toBe(false);
  });
});

it("closes those whom it is told to, and no others", () => {
  const [revoked, agent, other] = [come(person), come(claude), come({ sender: "calm-heron", principal: "key:2" })];
  audience.closeAll(4401, "key revoked", ({ participant }) => participant?.principal === "key:1");
  expect([revoked.closed, agent.closed, other.closed]).toEqual([4401, 4401, undefined]);
  expect(audience.attendance.current().people).toEqual(["calm-heron"]);
});
