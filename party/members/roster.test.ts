import { beforeEach, describe, expect, it, vi } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { sha256Hex } from "../identity/sender.ts";
import { Closed } from "../log/closed.ts";
import { inRoom } from "../permissions.ts";
import type { RoomRecord } from "../room-record.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { Invitations, MOST_INVITES } from "./invitations.ts";
import { newInviteSecret, presentedInvite } from "./invite-secret.ts";
import { Membership, MOST_MEMBERS } from "./membership.ts";
import { REVOKED_KEPT, Roster } from "./roster.ts";
import type { InviteRow, MemberRow } from "./roster-tables.ts";

const owner = { sender: "calm-heron", principal: "person:k1", keyId: "k1", keyHash: "0a" };
const record = { access: "members", createdBy: "k1", createdByHandle: "calm-heron", createdAt: "" } as RoomRecord;

let storage: TestStorage;
let now: number;
let changed: string[];
/** What happens while D1 is asked for a handle. */
let meanwhile: () => void;

beforeEach(() => {
  meanwhile = () => undefined;
  storage = new TestStorage();
  now = Date.parse("2026-11-26T12:00:00.000Z");
  changed = [];
});

function room(roster = open()) {
  const deps = {
    now: () => now,
    record: () => record,
    roster,
    personExists: async () => {
      meanwhile();
      return true;
    },
    changed: (sender: string) => void changed.push(sender),
    noted: () => undefined,
    did: () => undefined,
  };
  const membership = new Membership(deps);
  return { roster, membership, invitations: new Invitations(deps), reader: inRoom(record, owner, undefined) };
}

const open = () => new Roster(new RoomStorage(storage));

const member = (sender: string) => ({ sender, since: now, invite: null, uses: [], removed: false });

let invited = 0;
/** An invite that is to be, each another one. */
const wish = (expiresAt: number | null = null) => {
  return { id: `invite-${invited++}`, secretHash: "0a", role: "member" as const, uses: 1, expiresAt };
};

/** Fills the tables, past what a room lets anybody do in a moment. */
function fill(roster: Roster, count: number) {
  const members = Array.from({ length: count }, (_, index) => {
    const sender = `member-${String(index).padStart(5, "0")}`;
    return { sender, role: "member" as const, since: now, invite: null, uses: [], removed: false };
  });
  begin(roster, members);
}

/** Writes members down at once, without the bounds of a room. */
function begin(
  roster: Roster,
  members: readonly Omit<MemberRow, "change">[],
  invites: readonly Omit<InviteRow, "change">[] = [],
) {
  for (const invite of invites) roster.putInvite(invite);
  for (const member of members) roster.put(member);
}

describe("a roster", () => {
  it("of nobody has no tables, and is asked nothing of", () => {
    const { roster } = room();
    expect(roster.roleOf("a-b", now)).toBeUndefined();
    expect([roster.members("", 10), roster.invites(), roster.counts]).toEqual([[], [], { members: 0, invites: 0 }]);
    const tables = storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name = 'roster'").toArray();
    expect(tables).toEqual([]);
  });

  it("has ten thousand members and no more, and reads few rows for any question", async () => {
    const { roster, membership, reader } = room();
    fill(roster, MOST_MEMBERS);
    const fresh = open();
    for (const [what, most, ask] of [
      ["which tables there are", 6, () => fresh.counts],
      ["a role", 3, () => fresh.roleOf("member-05000", now)],
      ["a role again", 0, () => fresh.roleOf("member-05000", now)],
      ["a stranger's", 3, () => fresh.roleOf("nobody-here", now)],
      ["a page", 101, () => fresh.members("member-07000", 100)],
      ["the count", 1, () => fresh.counts],
      ["a change", 3, () => fresh.put({ ...member("member-00002"), role: "reader" })],
    ] as const) {
      expect(storage.countRows(ask), what).toBeLessThanOrEqual(most);
    }
    // What was given is what was read: everything is looked up, but for the roster's one row and which tables there are.
    const asked = () => {
      const again = open();
      again.roleOf("member-05000", now);
      again.members("member-07000", 100);
      again.put({ ...member("member-00002"), role: "member" });
    };
    const scanned = storage.plansOf(asked).filter((step) => step.startsWith("SCAN"));
    expect([...new Set(scanned)].sort()).toEqual(["SCAN roster", "SCAN schema", "SCAN sqlite_master"]);
    expect(await membership.put(reader, "one-more", "member")).toMatchObject({ fault: "conflict" });
    expect(membership.remove(reader, "member-00000")).toBeUndefined();
    expect(await membership.put(reader, "one-more", "member")).toMatchObject({ role: "member" });
    expect(await membership.put(reader, "one-more-again", "member")).toMatchObject({ fault: "conflict" });
    expect(await membership.put(reader, "member-00001", "reader")).toMatchObject({ role: "reader" });
  });

  it("gives all members page by page, each once", () => {
    const { roster, membership, reader } = room();
    fill(roster, 250);
    const seen: string[] = [];
    for (let after = ""; ; ) {
      const page = membership.list(reader, after, 100);
      if ("fault" in page) throw new Error(page.message);
      seen.push(...page.members.map(({ sender }) => sender));
      if (page.next === null) break;
      after = page.next;
    }
    expect([seen.length, new Set(seen).size]).toEqual([250, 250]);
  });

  it("keeps nothing of a change that the disk refused", () => {
    const { roster } = room();
    roster.put({ ...member("a-b"), role: "reader" });
    storage.sql.exec(`CREATE TRIGGER refuse BEFORE INSERT ON members
      BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    expect(() => roster.put({ ...member("a-b"), role: "moderator" })).toThrow();
    expect(roster.roleOf("a-b", now)).toBe("reader");
  });
});

describe("a room that is deleted meanwhile", () => {
  it("writes nobody into the room that has its id by then", async () => {
    const { secret, id } = newInviteSecret();
    const { roster, invitations, reader, membership } = room();
    invitations.create(reader, { ...wish(), id, secretHash: await sha256Hex(secret) });
    const putting = membership.put(reader, "a-b", "moderator");
    roster.close();
    const newcomer = { sender: "c-d", principal: "person:k3", keyId: "k3", keyHash: "0c" };
    const outcomes = [await putting, invitations.join(newcomer, await presentedInvite(secret))];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ fault: "unavailable" });
    expect(open().members("", 10)).toEqual([]);
    expect(() => roster.put({ ...member("a-b"), role: "member" })).toThrow(Closed);
  });
});

describe("a member", () => {
  it("is one since they became one, whatever they are made later, until they leave", async () => {
    const { membership, reader } = room();
    const since = (at: number) => ({ since: new Date(at).toISOString() });
    const begun = now;
    await membership.put(reader, "a-b", "member");
    now += 1_000;
    expect(await membership.put(reader, "a-b", "moderator")).toMatchObject({ role: "moderator", ...since(begun) });
    expect(membership.find(reader, "a-b")).toMatchObject(since(begun));
    membership.remove(reader, "a-b");
    expect(await membership.put(reader, "a-b", "member")).toMatchObject(since(now));
  });
});

describe("guests whose invite is over", () => {
  const guest = (index: number) => `~sly-fox-${String(index).padStart(6, "0")}`;

  /** A room that is full of guests who have come by an invite that ends in a second. */
  function crowd() {
    const invite = { id: "i1", secretHash: "0a", role: "member" as const, uses: MOST_MEMBERS, used: MOST_MEMBERS };
    const invites = [{ ...invite, createdBy: owner.sender, createdAt: now, expiresAt: now + 1_000, revoked: false }];
    const members = Array.from({ length: MOST_MEMBERS }, (_, index) => ({
      ...member(guest(index)),
      role: "member" as const,
      ...{ invite: "i1", uses: ["i1"] },
    }));
    const made = room();
    begin(made.roster, members, invites);
    return made;
  }

  it("are in no list, and give their places to others", async () => {
    const { roster, membership, reader } = crowd();
    expect(membership.list(reader, "", 2)).toMatchObject({ members: [{ sender: guest(0) }, { sender: guest(1) }] });
    expect(await membership.put(reader, "one-more", "member")).toMatchObject({ fault: "conflict" });
    now += 120_000;
    expect(membership.list(reader, "", 2)).toMatchObject({ members: [], next: guest(1) });
    expect(await membership.put(reader, "one-more", "member")).toMatchObject({ role: "member" });
    expect(roster.counts.members).toBeLessThan(MOST_MEMBERS);
  });

  it("are not looked for again and again in a room that is full of others", async () => {
    const { membership, reader, roster } = crowd();
    const looks = vi.spyOn(storage.sql, "exec");
    const looked = () => looks.mock.calls.filter(([query]) => query.includes("LEFT JOIN")).length;
    await membership.put(reader, "one-more", "member");
    for (let asked = 0; asked < 10; asked++) roster.hasPlace(MOST_MEMBERS, now);
    expect(looked()).toBe(1);
    now += 60_000;
    roster.hasPlace(MOST_MEMBERS, now);
    expect(looked()).toBe(2);
  });
});

describe("an invite that somebody has used", () => {
  const member = { sender: "a-b", principal: "person:k2", keyId: "k2", keyHash: "0b" };

  async function invited(role: "member" | "moderator") {
    const made = room();
    const { id, secret } = newInviteSecret();
    const presented = await presentedInvite(secret);
    const { secretHash } = presented;
    expect(made.invitations.create(made.reader, { ...wish(), id, secretHash, role, uses: 10 })).toMatchObject({ id });
    expect(made.invitations.join(member, presented)).toMatchObject({ role });
    return {
      ...made,
      leave: () => made.membership.remove(made.membership.reader(member), "a-b"),
      again: () => made.invitations.join(member, presented),
    };
  }

  it("does not give a role back that was taken from them, when they leave and come again", async () => {
    for (const lowered of [["reader"], ["reader", "member"]] as const) {
      const { membership, reader, leave, again } = await invited("moderator");
      for (const role of lowered) expect(await membership.put(reader, "a-b", role)).toMatchObject({ role });
      expect(again()).toMatchObject({ role: lowered.at(-1) });
      expect(leave()).toBeUndefined();
      expect(again()).toMatchObject({ fault: "forbidden" });
      storage = new TestStorage();
    }
  });

  it("does not give them more than somebody has who brought them back by name", async () => {
    const { membership, reader, leave, again } = await invited("moderator");
    membership.remove(reader, "a-b");
    await membership.put(reader, "a-b", "reader");
    leave();
    expect(again()).toMatchObject({ fault: "forbidden" });
  });

  it("lets them in no more when they are removed just after they have left", async () => {
    const { membership, reader, leave, again } = await invited("member");
    leave();
    expect(membership.remove(reader, "a-b")).toBeUndefined();
    expect(again()).toMatchObject({ fault: "forbidden" });
  });

  it("lets them come back who have left by themselves, also as more than it gave them then", async () => {
    const { membership, reader, leave, again } = await invited("member");
    await membership.put(reader, "a-b", "moderator");
    leave();
    expect(again()).toMatchObject({ role: "member" });
  });
});

describe("invites", () => {
  it("are a thousand and no more; those that have expired make place", () => {
    const { roster, invitations, reader } = room();
    for (let count = 0; count < MOST_INVITES; count++) invitations.create(reader, wish(now + 60_000));
    expect(invitations.create(reader, wish())).toMatchObject({ fault: "conflict" });
    now += 60_000;
    expect(invitations.create(reader, wish())).toHaveProperty("id");
    expect(roster.counts.invites).toBe(1);
  });

  it("are made once when the call is repeated, also at the bound", () => {
    const { roster, invitations, reader } = room();
    const once = wish();
    expect(invitations.create(reader, once)).toEqual(invitations.create(reader, once));
    for (let count = 1; count < MOST_INVITES; count++) invitations.create(reader, wish());
    expect(invitations.create(reader, once)).toHaveProperty("id", once.id);
    expect(roster.counts.invites).toBe(MOST_INVITES);
  });

  it("that were revoked are forgotten when they are many", () => {
    const { invitations, reader } = room();
    for (let count = 0; count <= REVOKED_KEPT; count++) {
      const made = wish();
      invitations.create(reader, made);
      invitations.revoke(reader, made.id);
    }
    const rows = storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM invites").toArray();
    expect(rows[0]?.count).toBeLessThanOrEqual(REVOKED_KEPT);
  });
});

describe("a new member", () => {
  it("is made by nobody whose role was taken while D1 was asked", async () => {
    const { roster, membership, reader } = room();
    await membership.put(reader, "c-d", "moderator");
    const moderator = membership.reader({ sender: "c-d", principal: "person:2", keyId: "2" });
    expect(await membership.put(moderator, "e-f", "member")).toMatchObject({ sender: "e-f" });
    meanwhile = () => void membership.remove(reader, "c-d");
    expect(await membership.put(moderator, "g-h", "member")).toMatchObject({ fault: "forbidden" });
    expect(roster.roleOf("g-h", now)).toBeUndefined();
  });
});

describe("a former member who is erased", () => {
  it("is forgotten, and counted no more", async () => {
    const { roster, membership, reader } = room();
    await membership.put(reader, "a-b", "member");
    membership.erased("a-b");
    expect(roster.roleOf("a-b", now)).toBe("member");
    membership.remove(reader, "a-b");
    membership.erased("a-b/claude");
    expect(roster.member("a-b")).toBeDefined();
    for (let time = 0; time < 2; time++) membership.erased("a-b");
    expect([roster.member("a-b"), roster.counts.members]).toEqual([undefined, 0]);
  });

  it("and comes again, stays", async () => {
    const { roster, membership, reader } = room();
    await membership.put(reader, "a-b", "member");
    membership.remove(reader, "a-b");
    membership.erased("a-b");
    await membership.put(reader, "a-b", "reader");
    expect([roster.roleOf("a-b", now), roster.counts.members]).toEqual(["reader", 1]);
  });

  it("is not while an invite that they were removed from would let them in again", async () => {
    const { roster, membership, invitations, reader } = room();
    const { id, secret } = newInviteSecret();
    invitations.create(reader, { ...wish(), id, secretHash: await sha256Hex(secret), uses: 5 });
    const presented = await presentedInvite(secret);
    invitations.join({ sender: "a-b", principal: "person:1", keyId: "1" }, presented);
    membership.remove(reader, "a-b");
    membership.erased("a-b");
    expect(invitations.join({ sender: "a-b", principal: "person:1", keyId: "1" }, presented)).toMatchObject({
      fault: "forbidden",
    });
    invitations.revoke(reader, id);
    membership.erased("a-b");
    expect(roster.member("a-b")).toBeUndefined();
  });

  it("is so also as a guest whose invite is over, and gives the place back", async () => {
    const { roster, membership, invitations, reader } = room();
    const { id, secret } = newInviteSecret();
    invitations.create(reader, { ...wish(), id, secretHash: await sha256Hex(secret) });
    invitations.join({ sender: "~c-d-4f2a9c", principal: "address:1" }, await presentedInvite(secret));
    membership.erased("~c-d-4f2a9c");
    expect(roster.counts.members).toBe(1);
    invitations.revoke(reader, id);
    membership.erased("~c-d-4f2a9c");
    expect([roster.member("~c-d-4f2a9c"), roster.counts.members]).toEqual([undefined, 0]);
  });
});
