import { expect, it } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { DailyQuotas } from "./daily-quotas.ts";

const NOON = 1_800_000_000_000;
const DAY = 86_400_000;
const LIMITS = {
  roomsPerDay: 2,
  keysPerDay: 0,
  rotationsPerDay: 1,
  sitesPerDay: 5,
  siteUsersPerDay: 5,
  siteRoomsPerDay: 5,
};

function setUp() {
  const clock = { now: NOON };
  const storage = new TestKeyValues();
  const open = () => new DailyQuotas({ limits: LIMITS, storage, now: () => clock.now });
  return { clock, storage, open };
}

it("are written down before they are told, each for itself", () => {
  const { clock, open } = setUp();
  expect(open().take("rooms")).toEqual({ at: NOON, quota: { limit: 2, remaining: 1, window: 86_400 } });
  clock.now += 1_000;
  expect(open().take("rooms")).toMatchObject({ quota: { remaining: 0 } });
  expect(open().take("rooms")).toEqual({
    fault: "rate_limited",
    message: "At most 2 new rooms in 24 hours.",
    retryAfter: 86_399,
  });
  expect(open().take("rotations")).toMatchObject({ quota: { remaining: 0 } });
  expect(open().take("rotations")).toMatchObject({ message: "At most 1 rotations of a key in 24 hours." });
  clock.now = NOON + DAY;
  expect(open().take("rooms")).toMatchObject({ quota: { remaining: 0 } });
});

it("are given back exactly where they were taken", () => {
  const { clock, open } = setUp();
  const quotas = open();
  const { at } = quotas.take("rooms") as { at: number };
  clock.now += 1_000;
  quotas.take("rooms");
  quotas.giveBack("rooms", at);
  expect(open().take("rooms")).toMatchObject({ quota: { remaining: 0 } });
});

it("refuse everything when none is allowed", () => {
  const { open } = setUp();
  expect(open().take("keys")).toMatchObject({ fault: "rate_limited" });
});

it("are kept in the form of the first version, so that it can be started again", () => {
  const { storage, open } = setUp();
  storage.put("daily:rooms", [[NOON - 1_000, 1]]);
  expect(open().take("rooms")).toMatchObject({ quota: { remaining: 0 } });
  expect(storage.get("daily:rooms")).toEqual([
    [NOON - 1_000, 1],
    [NOON, 1],
  ]);
});

it("are those of an earlier Limiter as soon as they are taken over, whatever was taken before", () => {
  const { open } = setUp();
  const quotas = open();
  quotas.take("rooms");
  quotas.inherit("rooms", [
    [NOON - 2_000, 1],
    [NOON - 1_000, 1],
  ]);
  expect(quotas.take("rooms")).toMatchObject({ fault: "rate_limited", retryAfter: DAY / 1_000 - 2 });
});
