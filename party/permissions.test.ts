import { describe, expect, it } from "vitest";
import { operator, type Participant } from "./identity/sender.ts";
import { inRoom, isOwner, mayDelete, refuseWriter } from "./permissions.ts";
import { DEFAULT_SETTINGS, type RoomRecord, type RoomSettings, roomInfo } from "./room-record.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const person: Participant = { sender: "swift-otter", principal: "key:1", keyId: "k1" };
const agent: Participant = { ...person, sender: "swift-otter/claude" };
const guest: Participant = { sender: "~brisk-lynx-4f2a9c", principal: "address:192.0.2.1" };
const other: Participant = { sender: "calm-heron", principal: "key:2", keyId: "k2" };

function room(settings: Partial<RoomSettings> = {}, createdBy: string | null = "k2"): RoomRecord {
  return {
    id: "den",
    name: "Den",
    topic: "",
    listed: true,
    access: "open",
    createdByHandle: null,
    createdBy,
    createdAt: "2026-11-24T00:00:00.000Z",
    settings: { ...DEFAULT_SETTINGS, ...settings },
    revision: 1,
    lastSeq: 0,
    epoch: null,
    lastMessageAt: null,
    firstSeq: 1,
    goneBefore: null,
    knownKeepDays: 0,
    guestPepper: "pepper",
  };
}

describe("who may write", () => {
  it("is everybody in a room as it is made", () => {
    for (const writer of [person, agent, guest]) expect(refuseWriter(room(), writer, undefined, NOON)).toBeUndefined();
  });

  it("is nobody who is muted, with the time that is left", () => {
    const mutes = { "swift-otter": null, "~brisk-lynx-4f2a9c": "2026-11-24T12:00:01.500Z" };
    expect(refuseWriter(room({ mutes }), person, undefined, NOON)).toEqual({
      fault: "muted",
      message: expect.any(String),
    });
    expect(refuseWriter(room({ mutes }), guest, undefined, NOON)).toMatchObject({ fault: "muted", retryAfter: 2 });
    expect(refuseWriter(room({ mutes }), guest, undefined, NOON + 1_500)).toBeUndefined();
    expect(refuseWriter(room({ mutes }), other, undefined, NOON)).toBeUndefined();
  });

  it("is no agent of a muted person; but a muted agent's person writes on", () => {
    expect(refuseWriter(room({ mutes: { "swift-otter": null } }), agent, undefined, NOON)).toMatchObject({
      fault: "muted",
    });
    const mutes = { "swift-otter/claude": null };
    expect(refuseWriter(room({ mutes }), agent, undefined, NOON)).toMatchObject({ fault: "muted" });
    expect(refuseWriter(room({ mutes }), person, undefined, NOON)).toBeUndefined();
  });

  it("is no agent of a muted person whose own, older mute has ended", () => {
    const ended = "2026-11-24T11:59:59.000Z";
    const writer = (mutes: RoomSettings["mutes"]) => refuseWriter(room({ mutes }), agent, undefined, NOON);
    expect(writer({ "swift-otter": null, "swift-otter/claude": ended })).toEqual({
      fault: "muted",
      message: "You are muted here.",
    });
    const later = { "swift-otter": "2026-11-24T12:00:09.000Z", "swift-otter/claude": "2026-11-24T12:00:02.000Z" };
    expect(writer(later)).toMatchObject({ fault: "muted", retryAfter: 9 });
    expect(writer({ "swift-otter": ended, "swift-otter/claude": null })).toMatchObject({ fault: "muted" });
    expect(writer({ "swift-otter": ended, "swift-otter/claude": ended })).toBeUndefined();
  });

  it("is not found in what every object has by itself", () => {
    const writer = { ...person, sender: "constructor" };
    expect(refuseWriter(room(), writer, undefined, NOON)).toBeUndefined();
  });

  it("is no guest where guests read", () => {
    const quiet = room({ guests: "read" });
    expect(refuseWriter(quiet, guest, undefined, NOON)).toMatchObject({ fault: "read_only" });
    expect(refuseWriter(quiet, person, undefined, NOON)).toBeUndefined();
    expect(refuseWriter(quiet, agent, undefined, NOON)).toBeUndefined();
  });

  it("is no page of an origin that the owner has not named; what is not a page may", () => {
    const home = room({ origins: ["https://example.com"] });
    expect(refuseWriter(home, person, "https://example.com", NOON)).toBeUndefined();
    expect(refuseWriter(home, person, undefined, NOON)).toBeUndefined();
    expect(refuseWriter(home, person, "https://example.com.evil.example", NOON)).toMatchObject({ fault: "forbidden" });
    expect(refuseWriter(home, person, "null", NOON)).toMatchObject({ fault: "forbidden" });
  });
});

describe("who may delete a message", () => {
  it.each([
    ["its author", person, "swift-otter", true],
    ["an agent its own", agent, "swift-otter/claude", true],
    ["a person their agent's", person, "swift-otter/claude", true],
    ["an agent its person's", agent, "swift-otter", false],
    ["an agent its sister's", agent, "swift-otter/gemini", false],
    ["a stranger", person, "calm-heron", false],
    ["a guest somebody's", guest, "swift-otter", false],
    ["the owner anybody's", other, "~brisk-lynx-4f2a9c", true],
    ["the operator anybody's", operator, "~brisk-lynx-4f2a9c", true],
  ])("%s", (_, who, author, may) => {
    expect(mayDelete(inRoom(room(), who, undefined), { sender: author, role: undefined })).toBe(may);
  });

  it("in a room that is nobody's no one is the owner, least of all a guest", () => {
    expect(isOwner(room({}, null), guest)).toBe(false);
    const reader = inRoom(room({}, null), guest, undefined);
    expect(mayDelete(reader, { sender: "swift-otter", role: undefined })).toBe(false);
  });
});

it("tells everybody what they need to know of a room and no more", () => {
  expect(roomInfo(room({ mutes: { "a-b": null }, origins: ["https://example.com"] }), true)).toEqual({
    id: "den",
    name: "Den",
    topic: "",
    access: "open",
    guests: "write",
    loopGuard: 30,
    agentsPaused: true,
  });
});

describe("a mute of an address", () => {
  const later = "2026-11-24T12:00:02.000Z";
  const byAddress = (until = later) =>
    room({ addressMutes: [{ sender: "~one-troll-000000", tags: ["t1", "t2"], until }] });
  const from = (who: Participant, behind?: string) =>
    inRoom(byAddress(), { ...who, ...(behind && { behind }) }, undefined);

  it("reaches every name, key and agent that writes from there, until it ends", () => {
    for (const who of [person, agent, guest]) {
      const refused = { fault: "muted", retryAfter: 2 };
      expect(refuseWriter(byAddress(), from(who, "t2"), undefined, NOON)).toMatchObject(refused);
      expect(refuseWriter(byAddress(), from(who, "t2"), undefined, NOON + 2_000)).toBeUndefined();
      expect(refuseWriter(byAddress(), from(who, "t3"), undefined, NOON)).toBeUndefined();
      expect(refuseWriter(byAddress(), from(who), undefined, NOON)).toBeUndefined();
    }
  });

  it("never reaches the owner, the moderators, their agents or the operator", () => {
    const spared = [
      inRoom(byAddress(), { ...other, behind: "t1" }, undefined),
      inRoom(byAddress(), { ...other, sender: "calm-heron/claude", behind: "t1" }, undefined),
      inRoom(byAddress(), { ...person, behind: "t1" }, "moderator"),
      inRoom(byAddress(), { ...agent, behind: "t1" }, "moderator"),
      inRoom(byAddress(), { ...operator, behind: "t1" }, undefined),
    ];
    for (const who of spared) expect(refuseWriter(byAddress(), who, undefined, NOON)).toBeUndefined();
    const member = inRoom(byAddress(), { ...person, behind: "t1" }, "member");
    expect(refuseWriter(byAddress(), member, undefined, NOON)).toMatchObject({ fault: "muted" });
  });

  it("lasts as long as a mute of the name where that is longer", () => {
    const both = { ...byAddress(), settings: { ...byAddress().settings, mutes: { "swift-otter": null } } };
    expect(refuseWriter(both, from(person, "t1"), undefined, NOON)).toEqual({
      fault: "muted",
      message: "You are muted here.",
    });
  });
});
