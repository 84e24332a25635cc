import { beforeEach, describe, expect, it } from "vitest";
import { type Fault, fault } from "../protocol.ts";
import { DEFAULT_SETTINGS } from "../room-record.ts";
import type { Entry, Outcome } from "../writes/entry.ts";
import { Decisions } from "./decisions.ts";

const HELD = { id: "h", sender: "a-b", message: "m", content: "hello", ref: null, at: 0, tag: null, why: "newcomer" };
const moderator = { sender: "c-d", principal: "person:1", role: "moderator" } as const;

let state: string;
let seq: number | null;
/** Those who were told that a message was refused. */
let told: string[];
let writesDown: () => void;
let waiting: Entry[];
let decisions: Decisions;

beforeEach(() => {
  [state, seq, told, waiting, writesDown] = ["waiting", null, [], [], () => undefined];
  decisions = new Decisions({
    now: () => 0,
    record: () => ({ id: "room", access: "open", settings: DEFAULT_SETTINGS }) as never,
    reader: (participant) => participant,
    moderation: {
      refuse: () => undefined,
      find: () => ({ ...HELD, state, seq }),
      decided: (_held: unknown, _reader: unknown, outcome: { seq: number } | "refused") => {
        writesDown();
        state = outcome === "refused" ? "refused" : "approved";
        seq = outcome === "refused" ? null : outcome.seq;
      },
    } as never,
    log: { get: (place) => ({ ...placed(place), id: "m" }) },
    place: (entry) => void waiting.push(entry),
    tellAuthor: (sender) => void told.push(sender),
  });
});

const placed = (at: number) => ({ kind: "text", sender: "a-b", content: "hello", ref: null, seq: at, at: 0 }) as const;

/** The batch comes to what waits for it. */
function settle(outcome: number | Fault): void {
  for (const { message, settle } of waiting.splice(0)) {
    settle(
      (typeof outcome === "number"
        ? { message: { ...message, seq: outcome, at: 0 }, repeated: false }
        : outcome) as Outcome,
    );
  }
}

describe("an approval", () => {
  it("is answered also when it can't be written down: the message has its place, and the batch goes on", async () => {
    writesDown = () => {
      throw new Error("database or disk is full");
    };
    const approved = decisions.approve(moderator, "h");
    settle(7);
    expect(await approved).toMatchObject({ message: { seq: 7 }, repeated: false });
  });

  it("that is asked for twice while the message has no place yet, is one", async () => {
    const both = Promise.all([decisions.approve(moderator, "h"), decisions.approve(moderator, "h")]);
    expect(waiting).toHaveLength(1);
    settle(7);
    expect(await both).toMatchObject([{ repeated: false }, { message: { seq: 7 }, repeated: true }]);
    expect(await decisions.approve(moderator, "h")).toMatchObject({ message: { seq: 7 }, repeated: true });
  });
});

describe("a refusal that comes while an approved message has no place yet", () => {
  it("is too late, and its author is told nothing", async () => {
    const approved = decisions.approve(moderator, "h");
    const refused = decisions.refuse(moderator, "h");
    settle(7);
    expect(await approved).toMatchObject({ message: { seq: 7 } });
    expect(await refused).toMatchObject({ fault: "conflict" });
    expect([state, told]).toEqual(["approved", []]);
  });

  it("counts when the message gets none", async () => {
    const approved = decisions.approve(moderator, "h");
    const refused = decisions.refuse(moderator, "h");
    settle(fault("unavailable", "The room's storage is full."));
    expect(await approved).toMatchObject({ fault: "unavailable" });
    expect(await refused).toBeUndefined();
    expect([state, told]).toEqual(["refused", ["a-b"]]);
  });
});

describe("an approval that comes after a refusal", () => {
  it("is too late", async () => {
    const refused = decisions.refuse(moderator, "h");
    expect(await refused).toBeUndefined();
    expect(await decisions.approve(moderator, "h")).toMatchObject({ fault: "conflict" });
    expect(waiting).toEqual([]);
  });
});
