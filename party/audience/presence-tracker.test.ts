import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Presence, PresenceChange } from "../protocol.ts";
import { PresenceTracker } from "./presence-tracker.ts";

describe("who is here (promise 8)", () => {
  it("is told once, however many sockets somebody has", () => {
    const attendance = new PresenceTracker();
    attendance.enter("a-b");
    attendance.enter("a-b");
    expect(attendance.takeChange()).toEqual({ joined: ["a-b"] });
    attendance.leave("a-b");
    expect(attendance.takeChange()).toBeUndefined();
    expect(attendance.socketsOf("a-b")).toBe(1);
    attendance.leave("a-b");
    expect(attendance.takeChange()).toEqual({ left: ["a-b"] });
    expect(attendance.current()).toEqual({ people: [], spectators: 0 });
  });

  it("is not told of somebody who came and went, or went and came back, in between", () => {
    const attendance = new PresenceTracker();
    attendance.enter("a-b");
    attendance.leave("a-b");
    expect(attendance.hasChanged).toBe(false);
    attendance.enter("a-b");
    attendance.takeChange();
    attendance.leave("a-b");
    attendance.enter("a-b");
    expect(attendance.takeChange()).toBeUndefined();
  });

  it("counts a spectator who says who they are as one who joined", () => {
    const attendance = new PresenceTracker();
    attendance.enter(undefined);
    expect(attendance.takeChange()).toEqual({ spectators: 1 });
    attendance.leave(undefined);
    attendance.enter("a-b");
    expect(attendance.takeChange()).toEqual({ joined: ["a-b"], spectators: 0 });
  });

  it("is for a newcomer as the others were last told, so that the next change makes both right", () => {
    const attendance = new PresenceTracker();
    attendance.enter("a-b");
    attendance.takeChange();
    attendance.enter("c-d");
    attendance.enter(undefined);
    attendance.leave("a-b");
    expect(attendance.told()).toEqual({ people: ["a-b"], spectators: 0 });
    expect(attendance.current()).toEqual({ people: ["c-d"], spectators: 1 });
    expect(attendance.takeChange()).toEqual({ joined: ["c-d"], left: ["a-b"], spectators: 1 });
    expect(attendance.told()).toEqual({ people: ["c-d"], spectators: 1 });
  });
});

/** What a client makes of a change. It must never be told that somebody joins who is here, or leaves who is not. */
function apply({ people, spectators }: Presence, change: PresenceChange): Presence {
  const here = new Set(people);
  for (const sender of change.joined ?? []) {
    expect(here.has(sender)).toBe(false);
    here.add(sender);
  }
  for (const sender of change.left ?? []) {
    expect(here.has(sender)).toBe(true);
    here.delete(sender);
  }
  return { people: [...here].sort(), spectators: change.spectators ?? spectators };
}

it("is who is connected, for whoever listens from whenever, whatever comes and goes", () => {
  const sender = fc.option(fc.constantFrom("a-b", "a-b/c", "~d-e-0"), { nil: undefined });
  const step = fc.oneof(
    fc.record({ enter: sender }),
    fc.record({ leave: fc.nat() }),
    fc.constant("tell" as const),
    fc.constant("listen" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const attendance = new PresenceTracker();
      const sockets: (string | undefined)[] = [];
      let listeners: Presence[] = [attendance.told()];
      for (const each of [...steps, "tell" as const]) {
        if (each === "listen") listeners.push(attendance.told());
        else if (each === "tell") {
          const change = attendance.takeChange();
          if (change) listeners = listeners.map((listener) => apply(listener, change));
          expect(attendance.hasChanged).toBe(false);
        } else if ("enter" in each) {
          sockets.push(each.enter);
          attendance.enter(each.enter);
        } else if (sockets.length > 0) {
          const [gone] = sockets.splice(each.leave % sockets.length, 1);
          attendance.leave(gone);
        }
        const people = [...new Set(sockets.filter((one) => one !== undefined))].sort();
        const truth = { people, spectators: sockets.filter((one) => one === undefined).length };
        expect(attendance.current()).toEqual(truth);
      }
      for (const listener of listeners) expect(listener).toEqual(attendance.current());
    }),
  );
});

describe("a socket of before the room's sleep that is counted late", () => {
  it("is told as gone when it goes, also to readers who never heard of it", () => {
    const tracker = new PresenceTracker();
    tracker.recall("swift-otter");
    tracker.leave("swift-otter");
    expect(tracker.takeChange()).toEqual({ left: ["swift-otter"] });
    expect(tracker.takeChange()).toBeUndefined();
  });

  it("is told as here when its sender has come back, before it went or after", () => {
    const tracker = new PresenceTracker();
    tracker.enter("swift-otter");
    tracker.recall("swift-otter");
    tracker.leave("swift-otter");
    expect(tracker.takeChange()).toEqual({ joined: ["swift-otter"] });
    tracker.recall("calm-heron");
    tracker.leave("calm-heron");
    tracker.enter("calm-heron");
    expect(tracker.takeChange()).toEqual({ joined: ["calm-heron"] });
  });

  it("of a spectator lets it be told again how many there are", () => {
    const tracker = new PresenceTracker();
    tracker.recall(undefined);
    tracker.leave(undefined);
    expect(tracker.takeChange()).toEqual({ spectators: 0 });
    expect(tracker.takeChange()).toBeUndefined();
  });
});
