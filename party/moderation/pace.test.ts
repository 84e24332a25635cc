import { expect, it } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, TestStorage, text } from "../../test/unit/sqlite.ts";
import { MOST_READ_BACK, Pace } from "./pace.ts";
import { writtenSince } from "./room-screen.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const person = { sender: "swift-otter", principal: "person:1" };
const guest = (sender: string) => ({ sender, principal: "address:192.0.2.1" });

/** `log`: newest first. */
function desk(log: { sender: string; at: number }[] = []) {
  const clock = { now: NOON };
  const writtenSince = (since: number) => log.filter(({ at }) => at >= since);
  return { clock, pace: new Pace({ now: () => clock.now, writtenSince }) };
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
    { sender: "swift-otter", at: NOON + 3_600_000 },
    { sender: "swift-otter", at: NOON - 10_000 },
  ]);
  expect(pace.wait(person, 30)).toBe(20);
});

it("knows after a sleep who wrote within the time, however many wrote since, and reads more when it gets slower", () => {
  const others = Array.from({ length: 4_990 }, (_, n) => ({ sender: `other-${n}`, at: NOON - 1_000 }));
  const { pace } = desk([...others, { sender: "swift-otter", at: NOON - 20_000 }]);
  expect([pace.wait(person, 10), pace.wait(person, 30), pace.wait({ ...person, sender: "other-0" }, 30)]).toEqual([
    0, 10, 29,
  ]);
});

it("reads the log back by time, a bounded number of messages, and not what is no text of theirs", () => {
  const storage = new TestStorage();
  const log = startedLog(storage);
  const append = (count: number, at: number) => {
    log.append(
      Array.from({ length: count }, (_, n) => text(`sender-${n}`, `${at}-${n}`)),
      at,
    );
  };
  append(300, NOON - 60_000);
  append(250, NOON - 20_000);
  log.append([deletion("sender-0", 1)], NOON - 10_000);
  const woken = openLog(storage);
  expect([...writtenSince(woken, NOON - 30_000)].map(({ seq }) => seq)).toEqual(
    Array.from({ length: 250 }, (_, n) => 550 - n),
  );
  // It reads no further than to the first message that is older.
  expect(storage.countRows(() => void [...writtenSince(woken, NOON - 15_000)])).toBeLessThan(120);
  append(MOST_READ_BACK, NOON);
  expect([...writtenSince(log, 0)]).toHaveLength(MOST_READ_BACK);
});
