import { beforeEach, describe, expect, it, vi } from "vitest";
import { RoomStorage, TestD1 } from "../../test/unit/sqlite.ts";
import { archivedRoster } from "./d1-roster.ts";
import { Roster } from "./roster.ts";
import { RosterCopy } from "./roster-copy.ts";

const DEN = { id: "den", createdAt: "2026-11-26T00:00:00.000Z" };
const NOW = Date.parse("2026-11-26T12:00:00.000Z");

let db: TestD1;
let storage: RoomStorage;
let roster: Roster;
let wakes: number[];
let copy: RosterCopy;

beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  db = new TestD1();
  db.rows(`INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '${DEN.createdAt}')`);
  storage = new RoomStorage();
  roster = new Roster(storage);
  wakes = [];
  copy = new RosterCopy({ room: DEN, roster, db, wakeIn: (delay) => wakes.push(delay) });
});

const member = (sender: string) => ({ sender, since: NOW, invite: null, uses: [], removed: false });
const invite = (id: string) => {
  const of = { secretHash: "0a", role: "member" as const, uses: 1, used: 0, createdBy: "calm-heron", createdAt: NOW };
  return { id, ...of, expiresAt: null, revoked: true };
};

describe("a D1 that was set back", () => {
  it("gets what it has lost, and forgets again who was erased and what is not kept any more", async () => {
    for (const sender of ["a-b", "c-d", "e-f"]) roster.put({ ...member(sender), role: "member" });
    roster.putInvite(invite("i1"));
    await copy.run();
    const setBack = db.remember();
    roster.put({ ...member("a-b"), role: null });
    roster.forgetFormer("a-b", NOW);
    roster.put({ ...member("g-h"), role: "reader" });
    await copy.run();
    expect((await archivedRoster(db, "den")).members.map(({ sender }) => sender)).toEqual(["c-d", "e-f", "g-h"]);

    setBack();
    const strange = "INSERT INTO invites SELECT room_id, 'i0', secret_hash, role, uses, used, created_by, created_at";
    db.rows(`${strange}, expires_at, revoked, change FROM invites WHERE id = 'i1'`);
    roster.copyAgain();
    db.trouble = "away";
    await copy.run();
    expect(roster.mayHaveReturned, "while D1 is away").toBe(true);
    db.trouble = undefined;
    await copy.run();
    const { members, invites } = await archivedRoster(db, "den");
    expect(members.map(({ sender }) => sender)).toEqual(["c-d", "e-f", "g-h"]);
    expect(invites.map(({ id }) => id)).toEqual(["i1"]);

    // It is all done: nothing is asked of D1 any more, and nobody is woken.
    const before = [db.batches, wakes.length];
    await copy.run();
    expect([db.batches, wakes.length]).toEqual(before);
  });

  it("is looked through after a crash, too", async () => {
    roster.put({ ...member("a-b"), role: "member" });
    await copy.run();
    roster.copyAgain();
    roster = new Roster(storage);
    await new RosterCopy({ room: DEN, roster, db, wakeIn: () => undefined }).run();
    expect([roster.mayHaveReturned, roster.uncopied(10).members]).toEqual([false, []]);
  });

  it("is not looked through in a room that is deleted while D1 is asked", async () => {
    roster.put({ ...member("a-b"), role: "member" });
    roster.copyAgain();
    const noted = () => storage.sql.exec("SELECT * FROM roster_changes").toArray();
    const before = noted();
    copy = new RosterCopy({ room: DEN, roster, db, wakeIn: () => copy.close() });
    await copy.run();
    expect(noted()).toEqual(before);
  });
});
