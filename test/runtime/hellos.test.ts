/** Hellos that wait, without D1 and Limiters: only here, because the parts of a room have the types of the runtime. */

import { describe, expect, it } from "vitest";
import { Audience } from "../../party/audience/audience.ts";
import { FakeLog, FakeSocket, NO_AGENTS } from "../../party/audience/fake-room.ts";
import { FrameRouter } from "../../party/frame-router.ts";
import { UNKNOWN_KEY } from "../../party/identity/key-directory.ts";
import { CLOSE } from "../../party/protocol.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("hellos that wait", () => {
  it("are not looked up when their client was closed (promise 9)", async () => {
    const fake = new FakeSocket();
    const room = { id: "den", name: "Den", topic: "", guests: "write", loopGuard: 3, agentsPaused: false } as const;
    const audience = new Audience({
      now: () => 0,
      sockets: () => [],
      listed: () => [fake.socket],
      lastPing: () => undefined,
      log: new FakeLog(),
      told: { room: () => room, drafts: () => [], draftsVersion: () => 0 },
      presenceChanged: () => undefined,
      left: () => undefined,
      agents: NO_AGENTS,
      wakeIn: () => undefined,
      schedule: () => undefined,
    });
    const answers: (() => void)[] = [];
    const router = new FrameRouter({
      room: "den",
      audience,
      open: () => undefined,
      now: () => Date.now(),
      identify: () => new Promise((resolve) => answers.push(() => resolve(UNKNOWN_KEY))),
    });
    audience.enter(fake.socket, { address: "192.0.2.1" }, undefined);
    const hello = JSON.stringify({ type: "hello", key: `mai_${"x".repeat(24)}` });
    for (let count = 0; count < 100; count++) router.take(fake.socket, hello);
    expect(answers.length, "looked up before the first answer").toBe(1);
    answers[0]?.();
    for (let count = 0; count < 200; count++) {
      await turn();
      answers.at(-1)?.();
    }
    expect(fake.closed).toBe(CLOSE.unauthorized);
    expect(answers.length, "looked up in all").toBe(1);
  });
});
