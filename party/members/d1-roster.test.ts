import { beforeEach, describe, expect, it } from "vitest";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { archivedRoster, copyRoster } from "./d1-roster.ts";
import type { InviteRow, MemberRow } from "./roster-tables.ts";

const DEN = { id: "den", createdAt: "2026-11-26T00:00:00.000Z" };
const SINCE = Date.parse("2026-11-26T12:00:00.000Z");

let db: TestD1;

beforeEach(() => {
  db = new TestD1();
  db.rows(`INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '${DEN.createdAt}')`);
});

const member = (change: Partial<MemberRow>): MemberRow => ({
  sender: "a-b",
  role: "member",
  since: SINCE,
  invite: null,
  uses: [],
  removed: false,
  change: 1,
  ...change,
});

const invite = (change: Partial<InviteRow>): InviteRow => ({
  id: "i1",
  secretHash: "0a",
  role: "reader",
  uses: 2,
  used: 0,
  createdBy: "a-b",
  createdAt: SINCE,
  expiresAt: null,
  revoked: false,
  change: 1,
  ...change,
});

const copy = (members: MemberRow[], invites: InviteRow[] = [], forgotten: string[] = []) =>
  copyRoster(db, DEN, { members, invites, forgotten, erased: [] });

describe("a copy of the roster", () => {
  it("has all of it, and changes nothing when it comes twice", async () => {
    const members = [member({}), member({ sender: "~c-d-4f2a9c", invite: "i1", uses: ["i1"], change: 2 })];
    const invites = [invite({}), invite({ id: "i2", expiresAt: SINCE + 1, change: 3 })];
    for (let count = 0; count < 2; count++) await copy(members, invites);
    expect(await archivedRoster(db, "den")).toEqual({ members, invites });
  });

  it("is not undone by one that comes late", async () => {
    await copy([member({ role: null, removed: true, change: 5 })], [invite({ used: 2, revoked: true, change: 6 })]);
    await copy([member({ change: 4 })], [invite({ used: 1, change: 3 })]);
    const { members, invites } = await archivedRoster(db, "den");
    expect(members).toEqual([member({ role: null, removed: true, change: 5 })]);
    expect(invites).toMatchObject([{ used: 2, revoked: true }]);
  });

  it("that is of a room that is gone changes nothing in the one that has its id by now", async () => {
    const earlier = { ...DEN, createdAt: "2026-11-25T00:00:00.000Z" };
    await copyRoster(db, earlier, { members: [member({})], invites: [invite({})], forgotten: [], erased: [] });
    expect(await archivedRoster(db, "den")).toEqual({ members: [], invites: [] });
  });

  it("takes former members away who were erased, but not those who have come again since", async () => {
    await copy([member({ role: null, change: 3 }), member({ sender: "c-d", change: 8 })]);
    const erased = ["a-b", "c-d"].map((sender) => ({ sender, change: 5 }));
    for (let count = 0; count < 2; count++) {
      await copyRoster(db, DEN, { members: [], invites: [], forgotten: [], erased });
    }
    expect((await archivedRoster(db, "den")).members.map(({ sender }) => sender)).toEqual(["c-d"]);
  });

  it("takes along what is forgotten", async () => {
    await copy([], [invite({}), invite({ id: "i2" })]);
    await copy([], [], ["i1"]);
    expect((await archivedRoster(db, "den")).invites.map(({ id }) => id)).toEqual(["i2"]);
  });
});
