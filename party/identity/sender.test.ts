import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isKey, isRoomId } from "../protocol.ts";
import { parseAgentName, RESERVED_NAMES } from "./agent-name.ts";
import {
  currentParticipant,
  guestSender,
  isAgent,
  isGuest,
  newHandle,
  newKey,
  newKeyId,
  newRoomId,
  participantOf,
  personOf,
  sha256Hex,
} from "./sender.ts";
import { ADJECTIVES, ANIMALS } from "./words.ts";

const PEPPER = "a".repeat(64);
const secret = fc.stringMatching(/^[A-Za-z0-9_-]{22,128}$/);

const several = <T>(make: () => T): T[] => Array.from({ length: 200 }, make);

describe("what is made", () => {
  it("is a key of the form that the parser takes, each another", () => {
    const keys = several(newKey);
    expect(keys.filter((key) => !isKey(key))).toEqual([]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(several(newKeyId)).size).toBe(keys.length);
  });

  it("is a room id of the form that the parser takes, without letters that look alike", () => {
    const ids = several(() => newRoomId());
    expect(ids.filter((id) => !isRoomId(id) || /[01lio]/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is a handle of two words, which gets a number when the words seem to have run out", () => {
    for (const attempt of [1, 2, 3]) expect(newHandle(attempt)).toMatch(/^[a-z]+-[a-z]+$/);
    for (const handle of several(() => newHandle(4))) {
      const [, number] = /^[a-z]+-[a-z]+-(\d+)$/.exec(handle) ?? [];
      expect(Number(number)).toSatisfy((value) => value >= 2 && value <= 9_999);
    }
  });

  it("is never a name that is the house's own", () => {
    const handles = new Set(ADJECTIVES.flatMap((adjective) => ANIMALS.map((animal) => `${adjective}-${animal}`)));
    expect(RESERVED_NAMES.filter((name) => handles.has(name))).toEqual([]);
  });
});

it("keeps a key as its SHA-256 in hex", async () => {
  for (const text of ["", "mai_abc", "ä🙂"]) {
    expect(await sha256Hex(text)).toBe(createHash("sha256").update(text).digest("hex"));
  }
});

describe("a guest's handle (promise 10)", () => {
  it("is the same for the same secret, in the form that no key can have", async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (text) => {
        const sender = await guestSender(text, PEPPER);
        expect(sender).toMatch(/^~[a-z]+-[a-z]+-[0-9a-f]{6}$/);
        expect(await guestSender(text, PEPPER)).toBe(sender);
        expect([isGuest(sender), isAgent(sender)]).toEqual([true, false]);
      }),
    );
  });

  it("is another for another secret and in another deployment", async () => {
    const senders = await Promise.all(several(() => newKey()).map((each) => guestSender(each, PEPPER)));
    expect(new Set(senders).size).toBe(senders.length);
    expect(await guestSender("s".repeat(22), "b".repeat(64))).not.toBe(await guestSender("s".repeat(22), PEPPER));
  });

  it("is made of HMAC-SHA-256 of the secret's hash under the pepper, and so stays what it was", async () => {
    const hash = createHash("sha256").update("s".repeat(22)).digest("hex");
    const digest = createHmac("sha256", PEPPER).update(hash).digest();
    const adjective = ADJECTIVES[digest.readUInt32BE(0) % ADJECTIVES.length];
    const animal = ANIMALS[digest.readUInt32BE(4) % ANIMALS.length];
    const expected = `~${adjective}-${animal}-${digest.subarray(8, 11).toString("hex")}`;
    expect(await guestSender("s".repeat(22), PEPPER)).toBe(expected);
  });
});

describe("a sender says by its form who wrote", () => {
  const owner = { id: "k1", handle: "swift-otter" };

  it.each([
    ["swift-otter", { agent: false, guest: false, person: "swift-otter" }],
    ["swift-otter/claude", { agent: true, guest: false, person: "swift-otter" }],
    ["~brisk-lynx-4f2a9c", { agent: false, guest: true, person: "~brisk-lynx-4f2a9c" }],
  ])("%s", (sender, { agent, guest, person }) => {
    expect([isAgent(sender), isGuest(sender), personOf(sender)]).toEqual([agent, guest, person]);
  });

  it("and a participant holds nothing secret", () => {
    expect(participantOf(owner, "abc")).toEqual({
      sender: "swift-otter",
      principal: "person:k1",
      keyId: "k1",
      keyHash: "abc",
    });
    expect(participantOf(owner, "abc", "claude").sender).toBe("swift-otter/claude");
  });

  it("and one that the first version kept with a socket has the person's Limiter, as everyone has", () => {
    const keyHash = "0123456789abcdef".repeat(4);
    const guest = { sender: "~brisk-lynx-4f2a9c", principal: "address:192.0.2.1" };
    const first = { sender: "swift-otter/claude", principal: `key:${keyHash}`, keyId: "k1" };
    expect(currentParticipant(first)).toEqual(participantOf(owner, keyHash, "claude"));
    for (const today of [participantOf(owner, keyHash), guest]) expect(currentParticipant(today)).toEqual(today);
  });

  it("so that no name of an agent makes it look like another person's or a guest", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9-]{1,32}$/)), (name) => {
        const as = parseAgentName(name);
        if (typeof as !== "string") return;
        const { sender } = participantOf(owner, "abc", as);
        expect([personOf(sender), isAgent(sender), isGuest(sender)]).toEqual(["swift-otter", true, false]);
        expect(sender.split("/")).toHaveLength(2);
      }),
    );
  });
});
