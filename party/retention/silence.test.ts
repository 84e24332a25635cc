import { expect, it } from "vitest";
import { LOBBY, type RoomRecord } from "../room-record.ts";
import { silentUntil } from "./silence.ts";

const MADE = "2026-01-03T10:00:00.000Z";
const roomOf = (id: string, days: number | undefined) =>
  ({ id, createdAt: MADE, settings: { ending: days === undefined ? null : { days, since: MADE } } }) as RoomRecord;

it("never ends the lobby, whatever its row says", () => {
  expect(silentUntil(roomOf("den", 7), 0)).toBe(Date.parse("2026-01-10T10:00:00.000Z"));
  expect(silentUntil(roomOf("den", undefined), 0)).toBeUndefined();
  expect(silentUntil(roomOf(LOBBY, 7), 0)).toBeUndefined();
});
