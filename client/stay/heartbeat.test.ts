import { expect, test } from "vitest";
import { HEARTBEAT } from "../../party/protocol.ts";
import { FakeClock } from "./fake-clock.ts";
import { Heartbeat } from "./heartbeat.ts";

const MINUTE = 60_000;

/** A peer that answers after `latency` ms, as long as it is there. */
function setUp(latency = 50) {
  const clock = new FakeClock();
  const peer = { isThere: true, pings: 0, deaths: 0, maximumSilence: 0, lastPing: clock.now() };
  const heartbeat = new Heartbeat({
    clock,
    ping: () => {
      peer.pings++;
      peer.maximumSilence = Math.max(peer.maximumSilence, clock.now() - peer.lastPing);
      peer.lastPing = clock.now();
      if (!peer.isThere) return;
      clock.fromNetwork(latency, () => heartbeat.answered());
    },
    onDead: () => {
      peer.deaths++;
      heartbeat.stop();
    },
  });
  return { clock, heartbeat, peer };
}

test("a healthy peer is asked every 10 s", () => {
  const { clock, heartbeat, peer } = setUp();
  heartbeat.start();
  clock.pass(10 * MINUTE);
  expect([peer.pings, peer.deaths]).toEqual([60, 0]);
});

test("in a hidden page, whose chained timers fire once a minute, a healthy peer is not dropped and goes on being asked", () => {
  const { clock, heartbeat, peer } = setUp();
  heartbeat.start();
  clock.pass(MINUTE);
  clock.isHidden = true;
  clock.pass(60 * MINUTE);
  expect([peer.deaths, peer.maximumSilence < HEARTBEAT.deadAfter]).toEqual([0, true]);
});

test("where even the first timer waits for the minute, a healthy peer is not dropped", () => {
  const { clock, heartbeat, peer } = setUp();
  clock.isFrozenToMinutes = true;
  heartbeat.start();
  clock.pass(60 * MINUTE);
  expect(peer.deaths).toBe(0);
});

test("a machine that has slept looks before it gives its peer up", () => {
  const { clock, heartbeat, peer } = setUp();
  heartbeat.start();
  clock.pass(HEARTBEAT.every + 75);
  // It sleeps between a ping and its answer, which is in the queue behind the deadline when it wakes.
  clock.sleep(10 * MINUTE);
  clock.pass(1_000);
  expect(peer.deaths).toBe(0);
});

test("a peer that is gone is noticed 40 s after the ping", () => {
  const { clock, heartbeat, peer } = setUp();
  heartbeat.start();
  clock.pass(HEARTBEAT.every);
  peer.isThere = false;
  clock.pass(HEARTBEAT.deadAfter + HEARTBEAT.every);
  expect(peer.deaths).toBe(1);
});

test("also in a hidden page, after three minutes, and after a sleep", () => {
  const { clock, heartbeat, peer } = setUp();
  clock.isFrozenToMinutes = true;
  heartbeat.start();
  clock.pass(5 * MINUTE);
  peer.isThere = false;
  clock.pass(5 * MINUTE);
  expect(peer.deaths).toBe(1);
});

test("what the peer says counts, though it owes an answer; from then on it has 40 s", () => {
  const { clock, heartbeat, peer } = setUp();
  peer.isThere = false;
  heartbeat.start();
  clock.pass(30_000);
  heartbeat.heard();
  clock.pass(HEARTBEAT.deadAfter - 1);
  expect(peer.deaths).toBe(0);
  clock.pass(1);
  expect(peer.deaths).toBe(1);
});

test("stopped, it leaves no timer behind", () => {
  const { clock, heartbeat } = setUp();
  heartbeat.start();
  clock.pass(25_000);
  heartbeat.stop();
  expect(clock.waiting).toBe(0);
});
