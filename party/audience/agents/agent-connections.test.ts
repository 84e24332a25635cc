import { beforeEach, describe, expect, it } from "vitest";
import type { Participant } from "../../identity/sender.ts";
import { SILENCE } from "../../protocol.ts";
import { Audience, type Newcomer } from "../audience.ts";
import { FakeLog, FakeSocket } from "../fake-room.ts";

const claude: Participant = { sender: "swift-otter/claude", principal: "person:1" };
const WITHIN = 600_000;

let now: number;
let sockets: Set<FakeSocket>;
let told: string[];
let audience: Audience;

beforeEach(() => {
  [now, sockets, told] = [1_800_000_000_000, new Set(), []];
  audience = wake();
});

/** An audience as a room makes it when it starts or wakes. */
function wake(): Audience {
  return new Audience({
    now: () => now,
    sockets: () => [...sockets].map(({ listed }) => listed),
    listed: () => [...sockets] as unknown as WebSocket[],
    lastPing: (socket) => (socket as unknown as FakeSocket).pingedAt,
    log: new FakeLog(),
    told: {
      room: () => ({ id: "den", name: "Den", topic: "", guests: "write", loopGuard: 3, agentsPaused: false }),
      drafts: () => [],
      draftsVersion: () => 0,
    },
    presenceChanged: () => undefined,
    left: () => undefined,
    agents: {
      connectionChanged: (sender) => told.push(`${sender} ${audience?.agents.hearing(sender) ?? "not"}`),
      bridgeLost: ({ sender }, within) => told.push(`lost ${sender} ${within}`),
      bridgeEnded: (sender) => told.push(`ended ${sender}`),
      waited: (sender) => told.push(`waited ${sender}`),
    },
    wakeIn: () => undefined,
    schedule: () => undefined,
  });
}

function come(newcomer: Partial<Newcomer> = {}): FakeSocket {
  const fake = new FakeSocket();
  sockets.add(fake);
  audience.enter(fake.socket, { address: "192.0.2.1", ...newcomer }, undefined);
  return fake;
}

function bridge(): FakeSocket {
  const fake = come();
  audience.name(fake.socket, claude, WITHIN);
  return fake;
}

const takeTold = () => told.splice(0);

describe("a bridge", () => {
  it("is lost when it falls silent, and its agent is woken again when it speaks", () => {
    const fake = bridge();
    expect(takeTold()).toEqual([`${claude.sender} wakes`]);
    now += SILENCE.unlistAfter;
    audience.sweep();
    expect(takeTold()).toEqual([`lost ${claude.sender} ${WITHIN}`, `${claude.sender} not`]);
    audience.heard(fake.socket);
    expect(takeTold()).toEqual([`${claude.sender} wakes`]);
  });

  it("that was lost in silence is not lost once more by its close", () => {
    const fake = bridge();
    now += SILENCE.unlistAfter;
    audience.sweep();
    takeTold();
    audience.leave(fake.socket);
    expect(takeTold()).toEqual([]);
  });

  it("ends by its own goodbye, and is lost by any other end", () => {
    audience.leave(bridge().socket, true);
    expect(takeTold().slice(1)).toEqual([`ended ${claude.sender}`, `${claude.sender} not`]);
    audience.leave(bridge().socket);
    expect(takeTold().slice(1)).toEqual([`lost ${claude.sender} ${WITHIN}`, `${claude.sender} not`]);
  });

  it("that a waking room finds is nothing new", () => {
    bridge();
    takeTold();
    audience = wake();
    expect([takeTold(), audience.agents.hearing(claude.sender)]).toEqual([[], "wakes"]);
  });
});

describe("a request of an agent's that waits", () => {
  it("has waited when it ends, and a stream has not", () => {
    const waiting = come({ reader: claude, uncounted: true });
    audience.leave(waiting.socket);
    expect(takeTold()).toEqual([`${claude.sender} polls`, `waited ${claude.sender}`, `${claude.sender} not`]);
    audience.leave(come({ reader: claude }).socket);
    expect(takeTold()).toEqual([`${claude.sender} live`, `${claude.sender} not`]);
  });
});
