import { expect, it } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { isFault } from "../protocol.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { HELD_FOR, HeldMessages, MOST_HELD } from "./held-messages.ts";
import { ModerationTables } from "./moderation-tables.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

it("has so many of one address and no more, whatever they are called there, until a week has passed", () => {
  const held = new HeldMessages(new ModerationTables(new RoomStorage(new TestStorage())));
  let guests = 0;
  const isHeld = (behind: string | undefined, now = NOON) => {
    const sender = `~brisk-lynx-${String(guests++).padStart(6, "0")}`;
    const author = { sender, principal: "address:1", ...(behind !== undefined && { behind }) };
    return !isFault(held.add(author, { id: "m", kind: "text", sender, content: "hi", ref: null }, "guest", now));
  };
  const many = Array.from({ length: MOST_HELD.address + 3 }, () => isHeld("t1"));
  expect(many.filter(Boolean)).toHaveLength(MOST_HELD.address);
  expect([isHeld("t2"), isHeld(undefined), isHeld("t1", NOON + HELD_FOR)]).toEqual([true, true, true]);
});
