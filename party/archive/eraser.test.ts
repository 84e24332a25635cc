/** An erasure in D1: whatever is cut off, late, lost or set back meanwhile, in the end nothing of it is left there. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { RoomStorage, text } from "../../test/unit/sqlite.ts";
import { Journal } from "../log/journal.ts";
import { archivedHistory } from "./d1-reader.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

let lobby: Lobby;
let storage: RoomStorage;
beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  lobby = new Lobby();
  storage = new RoomStorage();
  const journal = new Journal(storage);
  journal.start({ messages: [] });
  lobby.reopen(journal);
});

/** Somebody says what stays; `lobby.say` says what is erased. */
const sayOther = (content: string) => lobby.journal.append([text("calm-heron", content, content)], NOON);

/** Appends the erasure of `swift-otter`. */
function erase(): void {
  const { head } = lobby.journal;
  const entry = {
    id: `erase:${head}`,
    kind: "erasure" as const,
    sender: "calm-heron",
    content: "swift-otter",
    ref: head,
  };
  lobby.journal.append([entry], NOON);
}

/** How many messages D1 has of the one who is erased. */
const left = (): number => lobby.db.messages.filter(({ sender }) => sender === "swift-otter").length;
const isUnderWay = (): boolean => lobby.db.rows("SELECT * FROM erasures").length > 0;

/** Runs the archive until nothing is left to do. */
async function carryOut(): Promise<void> {
  while (lobby.journal.eraser.step());
  for (
    let run = 0;
    run < 20 && (lobby.journal.archived < lobby.journal.head || lobby.journal.erasures.length > 0);
    run++
  )
    await lobby.copy();
}

describe("an erasure in D1", () => {
  it("empties packs and rows, leaves others' messages, and forgets that the sender wrote here", async () => {
    lobby.sayMany(450);
    sayOther("stays");
    await lobby.copy();
    lobby.db.unpack();
    lobby.sayMany(300);
    await lobby.copy();
    erase();
    await carryOut();
    expect([left(), isUnderWay()]).toEqual([0, false]);
    expect(lobby.db.messages.map(({ seq }) => seq)).toEqual(lobby.journal.after(0, 999).map(({ seq }) => seq));
    expect(lobby.contentOf(451)).toBe("stays");
    expect(lobby.db.messages[0]).toMatchObject({ id: "erased:1", sender: "", content: "", ref: null });
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([{ sender: "calm-heron" }]);
  });

  it("is followed by what its sender writes later, of which D1 notes again who wrote it", async () => {
    lobby.say("before");
    await lobby.copy();
    erase();
    await carryOut();
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([]);
    lobby.say("long after");
    await lobby.copy();
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([{ sender: "swift-otter" }]);
  });

  it("finds who wrote before D1 noted it: the room finds out by itself, some whenever a pack is full", async () => {
    lobby.sayMany(250);
    await lobby.copy();
    lobby.db.rows("DELETE FROM senders");
    lobby.db.rows("UPDATE rooms SET unindexed_from = 1 WHERE id = 'lobby'");
    lobby.reopen(lobby.journal);
    for (let said = 0; said < 60; said++) sayOther(`other ${said}`);
    await lobby.copy();
    const senders = lobby.db.rows("SELECT sender FROM senders ORDER BY sender");
    expect(senders).toEqual([{ sender: "calm-heron" }, { sender: "swift-otter" }]);
    expect(lobby.db.rows("SELECT unindexed_from FROM rooms WHERE id = 'lobby'")).toEqual([{ unindexed_from: null }]);
  });

  it("does not count as something that its author wrote, also where it is found out later who wrote", async () => {
    lobby.sayMany(3);
    erase();
    await carryOut();
    lobby.db.rows("DELETE FROM senders");
    lobby.db.rows("UPDATE rooms SET unindexed_from = 1");
    lobby.reopen(new Journal(storage));
    await lobby.findWriters();
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([]);
  });

  it("of a long room takes several runs, and goes on where a restart has cut it off", async () => {
    lobby.sayMany(9_000);
    await lobby.copy();
    erase();
    await lobby.copy();
    await lobby.copy();
    const before = left();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(9_000);
    lobby.reopen(new Journal(storage));
    expect(lobby.journal.get(1)).toMatchObject({ sender: "", content: "" });
    await carryOut();
    expect([left(), isUnderWay()]).toEqual([0, false]);
  });

  it("gets nothing back by a copy or a rewrite from before it that arrives late", async () => {
    lobby.sayMany(150);
    sayOther("stays");
    const late = [...(await lobby.batchesOf(() => lobby.copy()))];
    lobby.delete(3);
    late.push(...(await lobby.batchesOf(() => lobby.copy())));
    erase();
    late.push(...(await lobby.batchesOf(carryOut)));
    expect(left()).toBe(0);
    for (const again of late) await again();
    expect([left(), lobby.contentOf(151)]).toEqual([0, "stays"]);
  });

  it.each(["away", "read-only", "mute"] as const)("is done when D1 was %s in between", async (trouble) => {
    lobby.sayMany(900);
    await lobby.copy();
    erase();
    lobby.db.trouble = trouble;
    await lobby.copy();
    await lobby.copy();
    lobby.db.trouble = undefined;
    lobby.say("said later");
    await carryOut();
    expect([left(), isUnderWay()]).toEqual([1, false]);
    expect(lobby.db.rows("SELECT sender FROM senders WHERE sender = 'swift-otter'")).toHaveLength(1);
  });

  it("is done again in a D1 that was set back, to before it or into its middle", async () => {
    lobby.sayMany(2_500);
    await lobby.copy();
    const before = lobby.db.remember();
    erase();
    await lobby.copy();
    const begun = lobby.db.remember();
    await carryOut();
    for (const setBack of [begun, before]) {
      setBack();
      expect(left()).toBe(2_500);
      sayOther(`after it ${setBack === before}`);
      await lobby.copy();
      await carryOut();
      for (let run = 0; run < 9; run++) await lobby.copy();
      expect([left(), isUnderWay()]).toEqual([0, false]);
    }
  });

  it("is gone on with by a room that has lost its own storage, and that shows nothing of it from its first moment", async () => {
    lobby.sayMany(2_500);
    await lobby.copy();
    erase();
    await lobby.copy();
    expect(isUnderWay()).toBe(true);
    const { messages, pairs, erasures } = await archivedHistory(lobby.db, "lobby", lobby.journal.head);
    const anew = new RoomStorage();
    const rebuilt = new Journal(anew);
    rebuilt.start({ messages, pairs, erasures });
    expect(rebuilt.after(rebuilt.oldest - 1, 999).some(({ sender }) => sender === "swift-otter")).toBe(false);
    expect(rebuilt.find("swift-otter", "m2500")?.seq).toBe(2_500);
    lobby.reopen(rebuilt);
    await carryOut();
    expect([left(), isUnderWay()]).toEqual([0, false]);
    const woken = new Journal(anew);
    expect(woken.after(woken.oldest - 1, 999).some(({ sender }) => sender === "swift-otter")).toBe(false);
    const again = await archivedHistory(lobby.db, "lobby", rebuilt.head);
    const second = new Journal(new RoomStorage());
    second.start({ messages: again.messages, pairs: again.pairs, erasures: again.erasures });
    expect([second.find("swift-otter", "m2500")?.seq, second.find("swift-otter", "m2501")]).toEqual([2_500, undefined]);
  });
});
