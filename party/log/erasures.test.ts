/** Erasures in the room's own storage: nobody is shown what they take, and in the end nothing of it is left, nor the name. */

import { describe, expect, it } from "vitest";
import { erasure, openLog, startedLog } from "../../test/unit/entries.ts";
import { seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import type { Seq } from "../protocol.ts";
import type { RoomLog } from "./room-log.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const said = (count: number, sender: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(sender(index), `m${index}`, `secret ${index}`));

const stored = (storage: TestStorage) => JSON.stringify(storage.sql.exec("SELECT * FROM messages").toArray());

/** Everything that a reader may be shown. */
const shown = (log: RoomLog): string =>
  JSON.stringify([
    log.after(0, 9_999),
    log.before(9_999, 9_999),
    log.jsonAfter(0, 9_999),
    log.jsonBefore(9_999, 9_999),
    log.get(1),
    log.since(0),
  ]);

describe("what is erased", () => {
  it("is shown to nobody from then on, before and after it is overwritten, and over restarts", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(
      said(1_300, (index) => (index % 2 === 0 ? "bob" : "bob/claude")),
      NOON,
    );
    expect(shown(log)).toContain("secret");
    log.append([erasure("bob", 1_300), text("carl", "1", "stays")], NOON);
    for (const one of [log, openLog(storage)]) {
      expect(shown(one)).not.toMatch(/secret|sender":"bob|"m1"/);
      expect(shown(one)).toContain("stays");
      expect(one.find("bob", "m6")).toMatchObject({ seq: 7, sender: "", content: "" });
    }
    // A step is bounded, and goes on where a restart has cut it off.
    expect([log.eraseStep(), log.erasures[0]?.here]).toEqual([true, 512]);
    const woken = openLog(storage);
    expect([woken.eraseStep(), woken.eraseStep(), woken.eraseStep()]).toEqual([true, false, false]);
    expect(stored(storage)).not.toContain("secret");
    expect(seqs(woken.after(0, 9_999))).toHaveLength(1_302);
    expect(woken.dirty.packs(99, 0)).toEqual(Array.from({ length: 13 }, (_, index) => index * 100 + 1));
    expect(woken.dirty.parts()).toEqual(["pairs"]);
  });

  it("leaves no name, once it is carried out everywhere", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(
      said(3, () => "bob"),
      NOON,
    );
    log.append([erasure("bob", 3)], NOON);
    log.endErasure(4);
    expect([log.erasures.length, log.newestErasure, log.newestErased]).toEqual([1, 4, 0]);
    while (log.eraseStep());
    for (let time = 0; time < 2; time++) log.endErasure(4);
    for (const one of [log, openLog(storage)]) {
      expect([one.erasures, one.newestErasure, one.newestErased]).toEqual([[], 4, 4]);
      expect(one.get(4)).toMatchObject({ kind: "erasure", id: "erased:4", sender: "anna", content: "", ref: 3 });
      expect(shown(one)).not.toContain("bob");
    }
    expect(stored(storage)).not.toContain("bob");
    log.append([erasure("carl", 4)], NOON);
    expect([log.newestErasure, log.newestErased]).toEqual([5, 4]);
  });

  it("counts no more as somebody's who wrote here, but for what they have said since", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append([text("bob", "1"), text("bob/claude", "1"), text("bobby", "1")], NOON);
    // It was asked for after the second message.
    log.append([erasure("bob", 1), text("bobby", "2")], NOON);
    expect(["bob", "bobby", "bob/claude"].map((sender) => log.writers.hasWritten(sender))).toEqual([true, true, true]);
    expect(log.writers.untold(9)).toEqual(["bob/claude", "bobby"]);
    log.append([erasure("bob", log.head)], NOON);
    expect(log.writers.hasWritten("bob")).toBe(false);
    log.append([text("bob", "3")], NOON);
    expect([log.writers.hasWritten("bob"), openLog(storage).writers.untold(9)]).toEqual([true, ["bob", "bobby"]]);
  });

  it("has not begun when its entry is not kept", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(
      said(3, () => "bob"),
      NOON,
    );
    storage.refuse("too much");
    expect(() => log.append([erasure("bob", 3), text("carl", "1", "too much")], NOON)).toThrow("full");
    expect([log.erasures, log.newestErasure, log.writers.hasWritten("bob")]).toEqual([[], 0, true]);
    expect(shown(log)).toContain("secret");
    expect(seqs(log.append([text("carl", "2")], NOON))).toEqual([4 satisfies Seq]);
  });

  it("ends with its messages where they are gone because of their age", () => {
    const log = startedLog();
    log.append(
      said(3, () => "bob"),
      NOON,
    );
    log.append([erasure("bob", 3), text("carl", "1")], NOON);
    log.hideBelow(5);
    log.removeGone();
    expect([log.erasures, log.newestErasure, log.eraseStep()]).toEqual([[], 0, false]);
  });
});
