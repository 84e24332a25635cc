/**
 * A troll with five names, two keys and one address: how long each return takes when the name is muted, and when the address
 * is muted, too. `TROLL_TABLE=1` prints the table that stands in docs/security.md.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../server.ts";
import { type Key, newGuestSecret, Visitor } from "./visitor.ts";

let server: Server;
let owner: Visitor;
let key: Key;

beforeAll(async () => {
  server = await Server.start();
  owner = new Visitor(server, "192.0.2.7");
  key = await owner.makeKey();
});

afterAll(async () => {
  await server?.remove();
});

/** The ways in which the troll comes back: three guests' names, and two keys. Each writes once and tells its name. */
const RETURNS = ["guest", "guest", "guest", "key", "key"] as const;

interface Return {
  readonly as: string;
  /** How long it took from the mute until their words were in the room, ms; `undefined`: they never were. */
  readonly took: number | undefined;
}

/** Mutes the troll after each of their messages, and lets them come back by the next way. */
async function chase(how: "name" | "address"): Promise<Return[]> {
  const troll = new Visitor(server, how === "name" ? "198.51.100.1" : "198.51.100.2");
  // Made before: the quota for new keys is another threat's.
  const keys = [await troll.makeKey(), await troll.makeKey()];
  const room = await owner.makeRoom(key.key);
  const mute = async (sender: string) => {
    const body = how === "address" ? { address: true } : {};
    const path = `/api/rooms/${room}/mutes/${encodeURIComponent(sender)}`;
    expect((await owner.call("PUT", path, { key: key.key, body })).status).toBe(200);
  };
  const returns: Return[] = [];
  let since = performance.now();
  for (const [index, way] of RETURNS.entries()) {
    const sender = way === "guest" ? await asGuest(troll, room) : await asKey(troll, room, keys.pop() as Key);
    const took = sender === undefined ? undefined : performance.now() - since;
    // The first is no return: nobody is muted yet.
    if (index > 0) returns.push({ as: way === "guest" ? "another guest" : "another key", took });
    if (sender !== undefined) await mute(sender);
    since = performance.now();
  }
  return returns;
}

/** Comes as a new guest and writes: under which name, if the room takes it. */
async function asGuest(troll: Visitor, room: string): Promise<string | undefined> {
  const line = await troll.enterAs(room, { guest: newGuestSecret() });
  try {
    const { sender } = await line.named();
    const outcome = await line.outcome(line.say("me again"));
    return "seq" in outcome && "kind" in outcome ? sender : undefined;
  } finally {
    line.close();
  }
}

/** Writes with another key. */
async function asKey(troll: Visitor, room: string, { key, handle }: Key): Promise<string | undefined> {
  const { status } = await troll.say(room, key, "me again");
  return status === 201 ? handle : undefined;
}

describe("a troll with five names, two keys and one address", () => {
  it("is back at once when the name is muted, and not at all when the address is", async () => {
    const before = await chase("name");
    const after = await chase("address");
    for (const { took } of before) expect(took).toBeDefined();
    for (const { took } of after) expect(took).toBeUndefined();
    if (process.env.TROLL_TABLE === undefined) return;
    for (const [index, { as, took }] of before.entries()) {
      const then = after[index]?.took === undefined ? "not while the mute lasts" : `${after[index].took} ms`;
      console.log(`${as.padEnd(14)} ${Math.round(took ?? 0)} ms`.padEnd(28), then);
    }
  });
});
