import { describe, expect, test } from "vitest";
import type { Message } from "../../../party/protocol.ts";
import { EMPTY_ROOM, type RoomState } from "../../view/room-state.ts";
import { itemsOf } from "./rows.ts";

const said = (seq: number, sender = "amber-fox", kind: Message["kind"] = "text"): Message => ({
  seq,
  id: `m${seq}`,
  kind,
  sender,
  content: kind === "text" ? `Message ${seq}` : "",
  createdAt: new Date(Date.UTC(2026, 10, 20, 12, 0, seq)).toISOString(),
});

const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => said(first + index));

function itemsFor(messages: readonly Message[], more: Partial<RoomState> = {}, unreadFrom?: number) {
  return itemsOf({ ...EMPTY_ROOM, status: "open", messages, ...more }, unreadFrom, Date.now(), true);
}

describe("the line above what is new", () => {
  /** The message below the line. */
  const lineAbove = (messages: readonly Message[], unreadFrom: number | undefined) => {
    const items = itemsFor(messages, {}, unreadFrom);
    const next = items[items.findIndex(({ kind }) => kind === "unread") + 1];
    return items.some(({ kind }) => kind === "unread") && next?.kind === "row" ? next.row.message.seq : undefined;
  };

  test.each([
    ["above the first that is new", from(1, 9), 6, 6],
    ["nowhere when nothing is", from(1, 9), undefined, undefined],
    ["nowhere when all that is new is yet to come", from(1, 9), 10, undefined],
    ["not above the first message of the room", from(1, 9), 1, undefined],
    ["not above a window in which all is new", from(36, 85), 6, undefined],
    ["not while what is before it is not there", from(6, 85), 6, undefined],
    ["as soon as it is", from(5, 85), 6, 6],
    ["above the first text, after a deletion", [...from(1, 5), said(6, "amber-fox", "deletion"), said(7)], 6, 7],
    ["even if the text before it has gone from the window", [said(5, "amber-fox", "deletion"), said(6)], 6, 6],
  ])("stands %s", (_where, messages, unreadFrom, expected) => {
    expect(lineAbove(messages, unreadFrom)).toBe(expected);
  });
});

test("a draft shows the message that it answers", () => {
  const draft = { id: "d", sender: "swift-otter/claude", content: "Because", replyTo: 2 };
  const item = itemsFor(from(1, 3), { drafts: [draft] }).at(-1);
  expect(item).toMatchObject({ row: { state: "draft", message: { replyTo: 2 }, answers: { seq: 2 } } });
});

describe("a person", () => {
  const you = (sender: string, owner = false) =>
    ({ type: "you", sender, owner, quota: { limit: 5, remaining: 5, window: 60 } }) as const;

  const rowFor = (reader: ReturnType<typeof you> | undefined, sender: string, more: Partial<RoomState> = {}) => {
    const item = itemsFor([said(1, sender)], { you: reader, ...more }).at(-1);
    if (item?.kind !== "row") throw new Error("There is no row.");
    return item.row;
  };

  test.each([
    ["their own message", you("swift-otter"), "swift-otter", true],
    ["their agent's", you("swift-otter"), "swift-otter/claude", true],
    ["not another person's", you("swift-otter"), "calm-heron", false],
    ["not another person's agent's", you("swift-otter"), "calm-heron/claude", false],
    ["not one of a name that begins like theirs", you("swift-otter"), "swift-otter-2/claude", false],
    ["as a guest their own", you("~brisk-lynx-4f2a9c"), "~brisk-lynx-4f2a9c", true],
    ["as a guest nobody else's", you("~brisk-lynx-4f2a9c"), "swift-otter/claude", false],
    ["as nobody nothing", undefined, "swift-otter/claude", false],
    ["as the room's owner anybody's", you("swift-otter", true), "calm-heron/claude", true],
  ])("may delete %s", (_what, reader, sender, deletable) => {
    expect(rowFor(reader, sender).deletable).toBe(deletable);
    expect(rowFor(reader, sender, { status: "offline" }).deletable).toBe(false);
  });

  test("is called you for what they have said, not for what their agents have", () => {
    expect(rowFor(you("swift-otter"), "swift-otter").own).toBe(true);
    expect(rowFor(you("swift-otter"), "swift-otter/claude").own).toBe(false);
  });
});
