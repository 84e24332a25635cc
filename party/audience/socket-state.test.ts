import { expect, it } from "vitest";
import { readState } from "./socket-state.ts";

it("takes an attachment of the first version, which a deploy hands over with its socket", () => {
  const participant = { sender: "a-b", principal: "key:1", keyId: "k1" };
  const first = { address: "192.0.2.1", origin: "https://a.example", participant, heardAt: 5, away: true };
  expect(readState(first)).toEqual({ ...first, v: 2 });
  expect(readState({ address: "192.0.2.1", heardAt: 5, uncounted: true, gone: true })).toEqual({
    v: 2,
    address: "192.0.2.1",
    heardAt: 5,
    uncounted: true,
    gone: { unread: 0 },
  });
});

it("takes its own, and nothing where nothing is attached", () => {
  const state = { v: 2, address: "192.0.2.1", heardAt: 5, paused: { n: 1, since: 2, at: 3, unread: 4 } };
  expect([readState(state), readState(null), readState(undefined)]).toEqual([state, undefined, undefined]);
});
