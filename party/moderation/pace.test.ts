import { expect, it } from "vitest";
import { Pace } from "./pace.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const person = { sender: "swift-otter", principal: "person:1" };
const guest = (sender: string) => ({ sender, principal: "address:192.0.2.1" });

function desk(recent: { sender: string; at: number }[] = []) {
  const clock = { now: NOON };
  return { clock, pace: new Pace({ now: () => clock.now, recent: () => recent }) };
}

it("lets a sender write again after so many seconds, and says how many are left", () => {
  const { pace, clock } = desk();
  expect(pace.wait(person, 30)).toBe(0);
  pace.note(person);
  expect([pace.wait(person, 30), pace.wait(person, 0)]).toEqual([30, 0]);
  clock.now += 29_500;
  expect(pace.wait(person, 30)).toBe(1);
  clock.now += 500;
  expect(pace.wait(person, 30)).toBe(0);
});

it("counts all agents of a person as one, apart from the person", () => {
  const { pace } = desk();
  pace.note({ ...person, sender: "swift-otter/a" });
  expect(pace.wait({ ...person, sender: "swift-otter/b" }, 30)).toBe(30);
  expect(pace.wait(person, 30)).toBe(0);
});

it("counts the guests of one address as one", () => {
  const { pace } = desk();
  pace.note(guest("~one-guest-000000"));
  expect(pace.wait(guest("~two-guest-000000"), 30)).toBe(30);
  expect(pace.wait({ ...guest("~two-guest-000000"), principal: "address:192.0.2.2" }, 30)).toBe(0);
});

it("goes by the newest messages after the room has slept", () => {
  const { pace } = desk([{ sender: "swift-otter", at: NOON - 10_000 }]);
  expect(pace.wait(person, 30)).toBe(20);
});

it("goes by no message that is of a time to come: the clock was set back, and the log's times never go back", () => {
  const { pace } = desk([
    { sender: "swift-otter", at: NOON - 10_000 },
    { sender: "swift-otter", at: NOON + 3_600_000 },
  ]);
  expect(pace.wait(person, 30)).toBe(20);
});
