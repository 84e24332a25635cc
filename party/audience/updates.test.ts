import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StoredMessage } from "../log/stored-message.ts";
import type { PresenceChange, RoomInfo, UpdateFrame } from "../protocol.ts";
import { DRAFT_INTERVAL, DRAFT_TIMEOUT, Drafts } from "./drafts.ts";
import { Updates } from "./updates.ts";

const NOON = 1_800_000_000_000;

const CONNECTION = {};
const author = (sender: string) => ({ sender, principal: `key:${sender}`, connection: CONNECTION });

let drafts: Drafts;
let sockets: number;
let presence: PresenceChange | undefined;
let info: RoomInfo;
let sent: UpdateFrame[];
let wakes: number;
let updates: Updates;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  drafts = new Drafts();
  sockets = 1;
  presence = undefined;
  info = { id: "den", name: "Den", topic: "", guests: "write", loopGuard: 3, agentsPaused: false };
  sent = [];
  wakes = 0;
  updates = new Updates({
    now: Date.now,
    drafts,
    audience: () => sockets,
    takePresenceChange: () => {
      const change = presence;
      presence = undefined;
      return change;
    },
    info: () => info,
    broadcast: (update) => void sent.push(update),
    // A flush with nothing in it: it only tells.
    wake: () => {
      wakes++;
      updates.tell();
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const message = (seq: number, id: string): StoredMessage => {
  return { seq, id, kind: "text", sender: "a-b/c", content: "Hello", ref: null, at: NOON };
};

it("tells of a message at once, and with it of all that has gathered, in one frame", () => {
  presence = { joined: ["a-b"] };
  drafts.append(author("c-d"), "e", "one", NOON);
  updates.publish([message(1, "m")]);
  expect(sent).toEqual([
    {
      type: "update",
      messages: [expect.objectContaining({ seq: 1, id: "m" })],
      presence: { joined: ["a-b"] },
      drafts: [{ id: "e", sender: "c-d", append: "one" }],
    },
  ]);
});

it("tells each thing once, and nothing when there is nothing", () => {
  updates.publish([message(1, "m")]);
  updates.tell();
  updates.tell();
  expect(sent).toHaveLength(1);
});

it("lets a message take the place of its draft, of which nothing more is told", () => {
  drafts.append(author("a-b/c"), "m", "Hel", NOON);
  updates.tell();
  drafts.append(author("a-b/c"), "m", "lo", NOON);
  updates.publish([message(1, "m")]);
  vi.advanceTimersByTime(DRAFT_TIMEOUT + DRAFT_INTERVAL);
  expect(sent.map((update) => update.drafts)).toEqual([[{ id: "m", sender: "a-b/c", append: "Hel" }], undefined]);
});

describe("who has come and gone", () => {
  it("waits a moment for others, the longer the more are there", () => {
    for (const [crowd, wait] of [
      [1, 20],
      [300, 600],
      [30_000, 2_000],
    ] as const) {
      sockets = crowd;
      sent = [];
      presence = { spectators: crowd };
      updates.presenceChanged();
      vi.advanceTimersByTime(wait - 1);
      updates.presenceChanged();
      expect(sent).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(sent).toEqual([{ type: "update", presence: { spectators: crowd } }]);
      vi.advanceTimersByTime(10_000);
      expect(sent).toHaveLength(1);
    }
    expect(wakes).toBe(3);
  });
});

describe("the room", () => {
  it("is told anew when the owner has changed it", () => {
    updates.roomChanged();
    expect(sent).toEqual([{ type: "update", room: info }]);
  });

  it("is told anew when agents have to wait, and when they need not any more", () => {
    updates.begin();
    info = { ...(info as RoomInfo), agentsPaused: true };
    updates.publish([message(3, "m")]);
    expect(sent.at(-1)?.room).toMatchObject({ agentsPaused: true });
    updates.publish([message(4, "n")]);
    expect(sent.at(-1)).not.toHaveProperty("room");
    info = { ...info, agentsPaused: false };
    updates.publish([message(5, "o")]);
    expect(sent.at(-1)?.room).toMatchObject({ agentsPaused: false });
  });

  it("is told by nobody once it is closed, and keeps no timer", () => {
    updates.presenceChanged();
    drafts.append({ sender: "a-b", principal: "person:1", connection: {} }, "d1", "", NOON);
    updates.watchDrafts();
    updates.close();
    updates.tell();
    updates.presenceChanged();
    drafts.append(author("c-d"), "d2", "", NOON);
    updates.watchDrafts();
    expect([sent, vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe("drafts", () => {
  it("are told at their pace by a timer of their own", () => {
    drafts.append(author("a-b"), "m", "one", NOON);
    updates.watchDrafts();
    vi.advanceTimersByTime(0);
    expect(sent).toHaveLength(1);
    drafts.append(author("a-b"), "m", " two", Date.now());
    drafts.append(author("a-b"), "m", " three", Date.now());
    updates.watchDrafts();
    vi.advanceTimersByTime(DRAFT_INTERVAL - 1);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent.at(-1)?.drafts).toEqual([{ id: "m", sender: "a-b", append: " two three" }]);
  });

  it("end when nothing is appended any more, with whatever is told next", () => {
    drafts.append(author("a-b"), "m", "one", NOON);
    updates.tell();
    vi.advanceTimersByTime(DRAFT_TIMEOUT);
    expect(sent).toHaveLength(1);
    updates.publish([message(1, "other")]);
    expect(sent.at(-1)?.drafts).toEqual([{ id: "m", sender: "a-b", end: true }]);
  });

  it("end by a look at them, where nothing else is told", () => {
    drafts.append(author("a-b"), "m", "one", NOON);
    updates.tell();
    vi.advanceTimersByTime(DRAFT_TIMEOUT);
    updates.expireDrafts();
    vi.advanceTimersByTime(0);
    expect(sent.at(-1)?.drafts).toEqual([{ id: "m", sender: "a-b", end: true }]);
  });

  it("keep no timer once they are told, and so nothing awake, however long they are under way (promise 7)", () => {
    for (const id of ["m", "n"]) drafts.append(author("a-b"), id, "", NOON);
    updates.watchDrafts();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(DRAFT_INTERVAL);
    expect([sent.length, vi.getTimerCount()]).toEqual([1, 0]);
    drafts.endWhere(({ sender }) => sender === "a-b");
    updates.watchDrafts();
    vi.advanceTimersByTime(0);
    expect([sent.length, vi.getTimerCount()]).toEqual([2, 0]);
  });
});
