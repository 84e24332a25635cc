import { expect, it } from "vitest";
import { erasure, openLog, startedLog } from "../../test/unit/entries.ts";
import { TestStorage, text } from "../../test/unit/sqlite.ts";
import { ERASED_AT_ONCE, type RoomLog } from "./room-log.ts";
import { TAIL_MESSAGES } from "./tail.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
/** So many that some are in no memory, and one step does not take all. */
const SAID = Math.max(TAIL_MESSAGES, ERASED_AT_ONCE) + 100;

/** A log in which anna, her agent and bob have spoken in turn, and anna is erased; who has it open has read the newest. */
function erasedLog(disk = new TestStorage()): RoomLog {
  const log = startedLog(disk);
  const senders = ["anna", "anna/bot", "bob"];
  const lines = Array.from({ length: SAID }, (_, index) => text(senders[index % 3] as string, `m${index + 1}`));
  log.append(lines, NOON);
  log.before(log.head + 1, 50);
  log.append([erasure("anna", SAID, "bob"), text("anna", "later")], NOON);
  return log;
}

/** Everything that a reader may see, by each way to read, but the entry of the erasure. */
const seen = (log: RoomLog): string[] => {
  const one = Math.floor(SAID / 2);
  const messages = [
    ...log.after(0, SAID),
    ...log.before(log.head + 1, SAID),
    ...[log.get(1), log.get(one), log.find("anna", "m1"), log.since(NOON)].filter((message) => message !== undefined),
  ];
  const texts = [...log.jsonAfter(0, SAID), ...log.jsonBefore(log.head + 1, SAID)];
  const shown = [...messages.map((message) => JSON.stringify(message)), ...texts];
  return shown.filter((message) => /anna/.test(message) && !/"kind":"erasure"|"later"/.test(message));
};

it("from its entry on no reader is shown any of it, long before it is overwritten, over a restart", () => {
  const disk = new TestStorage();
  const log = erasedLog(disk);
  expect(seen(log)).toEqual([]);
  expect(seen(openLog(disk))).toEqual([]);
  const kept = disk.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM messages WHERE sender GLOB 'anna*'").toArray();
  expect(kept[0]?.n).toBeGreaterThan(SAID / 2);
  expect(log.get(SAID + 2)).toMatchObject({ sender: "anna", id: "later" });
});

it("the overwriting goes on where it was after a restart, and leaves what came later", () => {
  const disk = new TestStorage();
  expect(erasedLog(disk).eraseStep()).toBe(true);
  const log = openLog(disk);
  while (log.eraseStep());
  const left = disk.sql.exec<{ id: string }>("SELECT id FROM messages WHERE sender GLOB 'anna*'").toArray();
  expect([left, seen(log)]).toEqual([[{ id: "later" }], []]);
});

it("once it has ended its entry has no name any more, and who resumes from before it starts over", () => {
  const disk = new TestStorage();
  const log = erasedLog(disk);
  const { seq } = log.get(SAID + 1) as { seq: number };
  log.endErasure(seq);
  expect(log.get(seq)?.content).toBe("anna");
  while (log.eraseStep());
  expect([log.newestErasure, log.newestErased]).toEqual([seq, 0]);
  log.endErasure(seq);
  for (const each of [log, openLog(disk)]) {
    expect(each.get(seq)).toMatchObject({ kind: "erasure", sender: "bob", id: `erased:${seq}`, content: "" });
    expect(each.jsonAfter(seq - 1, 1)[0]).not.toContain("anna");
    expect([each.erasures, each.newestErased]).toEqual([[], seq]);
    expect(seen(each)).toEqual([]);
  }
});
