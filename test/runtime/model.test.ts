/** The real room against the model of one: any interleaving of what can happen leaves both alike (promises 1 to 8). */

import fc from "fast-check";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";
import "../provided.ts";
import { commands, Session } from "./model/commands.ts";
import { RealRoom } from "./model/real-room.ts";
import { RoomModel } from "./model/room-model.ts";

const runs = inject("modelRuns");
const seed = inject("modelSeed");

// What the room says of a broken D1 and a full disk, thousands of times, would bury what the test has to say.
beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
});

it("does what the model of a room does, whatever happens to it", { timeout: runs * 10_000 + 300_000 }, async () => {
  console.log(`model: ${runs} runs, MODEL_SEED=${seed}`);
  const property = fc.asyncProperty(commands(), async (all) => {
    const room = new RealRoom();
    await room.make();
    const session = new Session(room);
    const model = new RoomModel();
    try {
      for (const actor of ["owner", "other", "watcher"] as const) await session.enter(model, actor, false);
      await fc.asyncModelRun(() => ({ model, real: session }), all);
    } finally {
      if (model.isD1Away) await room.mendD1();
      model.isD1Away = false;
      session.loseAll(model);
    }
    // When it is quiet, all who ask are told the same: the socket, HTTP and D1.
    await room.crash();
    await session.enter(model, "watcher", false);
    await session.settle(model);
    await room.catchUp(model.head);
    expect(await room.archived()).toEqual(model.log);
    expect((await room.read()).length).toBe(model.head);
  });
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: !inject("modelShrink") });
});
