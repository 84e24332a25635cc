import { describe, expect, it } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { DeedLog, KEPT_FOR, MOST_DEEDS } from "./deed-log.ts";
import { ModerationTables } from "./moderation-tables.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

function desk() {
  const storage = new TestStorage();
  const log = new DeedLog(new ModerationTables(new RoomStorage(storage)));
  const count = () => storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM deeds").toArray()[0]?.count;
  return { log, count };
}

describe("who did what", () => {
  it("is shown newest first, a page at a time", () => {
    const { log } = desk();
    for (let n = 1; n <= 5; n++) log.add({ by: "a-b", deed: "mute", target: `t-${n}` }, NOON + n);
    const first = log.page(undefined, 3, NOON);
    expect(first.entries.map(({ target }) => target)).toEqual(["t-5", "t-4", "t-3"]);
    const second = log.page(first.next ?? 0, 3, NOON);
    expect(second.entries.map(({ target }) => target)).toEqual(["t-2", "t-1"]);
    expect(second.next).toBeNull();
  });

  it("is written once for one revision of the room, however often it is told", () => {
    const { log } = desk();
    const deed = { by: "a-b", deed: "mute", target: "c-d", detail: { until: null } } as const;
    for (let n = 0; n < 3; n++) log.add(deed, NOON, 7);
    log.add(deed, NOON, 8);
    expect(log.page(undefined, 9, NOON).entries).toEqual([
      { id: 2, at: "2026-11-24T12:00:00.000Z", by: "a-b", deed: "mute", target: "c-d", until: null },
      { id: 1, at: "2026-11-24T12:00:00.000Z", by: "a-b", deed: "mute", target: "c-d", until: null },
    ]);
  });

  it("is bounded by number and by age", () => {
    const { log, count } = desk();
    for (let n = 1; n <= MOST_DEEDS + 150; n++) log.add({ by: "a-b", deed: "delete", target: "c-d" }, NOON);
    expect(count()).toBeLessThanOrEqual(MOST_DEEDS + 100);
    let shown = 0;
    for (let next: number | null | undefined; next !== null; ) {
      const page = log.page(next, 200, NOON);
      shown += page.entries.length;
      next = page.next;
    }
    expect(shown).toBe(MOST_DEEDS);
    expect(log.page(undefined, 9, NOON + KEPT_FOR).entries).toEqual([]);
    expect(log.sweep(NOON + 1)).toBe(KEPT_FOR - 1);
    expect([log.sweep(NOON + KEPT_FOR), count()]).toEqual([undefined, 0]);
  });

  it("does not name who was erased, nor their agents", () => {
    const { log } = desk();
    for (const target of ["c-d", "c-d/x", "c-dd"]) log.add({ by: "a-b", deed: "mute", target }, NOON);
    for (const by of ["c-d", "c-dd"]) log.add({ by, deed: "delete", target: "e-f" }, NOON);
    log.forget("c-d");
    expect(log.page(undefined, 9, NOON).entries.map(({ by, target }) => [by, target])).toEqual([
      ["c-dd", "e-f"],
      ["", "e-f"],
      ["a-b", "c-dd"],
      ["a-b", undefined],
      ["a-b", undefined],
    ]);
  });
});
