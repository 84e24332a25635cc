import { beforeEach, describe, expect, it } from "vitest";
import { FakeSocket } from "../fake-room.ts";
import { Peer } from "../peer.ts";
import { readState, STATE_VERSION } from "../socket-state.ts";
import { UnheardNotices } from "./unheard-notices.ts";

let notices: UnheardNotices;

beforeEach(() => {
  notices = new UnheardNotices();
});

function newPeer() {
  const fake = new FakeSocket();
  return { fake, peer: new Peer(fake.socket, { v: STATE_VERSION, address: "192.0.2.1", heardAt: 0 }) };
}

describe("somebody who mentions agents that do not hear", () => {
  it("is told once of each, again when it has been back, and not again after a sleep of the room", () => {
    const { fake, peer } = newPeer();
    expect(notices.take(peer, ["a/x", "a/y"])).toEqual(["a/x", "a/y"]);
    expect(notices.take(peer, ["a/x", "a/z"])).toEqual(["a/z"]);
    const woken = new Peer(fake.socket, readState(fake.state)!);
    notices = new UnheardNotices();
    notices.takeUp(woken);
    notices.hearsAgain("a/x");
    expect(notices.take(woken, ["a/x", "a/y"])).toEqual(["a/x"]);
  });

  it("has no more names attached than fit, however many agents they mention", () => {
    const { peer } = newPeer();
    for (let agent = 0; agent < 100; agent++) notices.take(peer, [`a/x${agent}`]);
    expect(peer.state.unheard).toHaveLength(32);
    expect(notices.take(peer, ["a/x99"])).toEqual([]);
    expect(notices.take(peer, ["a/x0"])).toEqual(["a/x0"]);
  });

  it("is looked at no more once they have gone, nor once there is nothing to tell again", () => {
    const [gone, heard] = [newPeer(), newPeer()];
    for (const { peer } of [gone, heard]) notices.take(peer, ["a/x"]);
    notices.end(gone.peer);
    const before = gone.fake.state;
    notices.hearsAgain("a/x");
    expect([gone.fake.state, heard.peer.state.unheard]).toEqual([before, undefined]);
  });
});
