/** What an upgrade makes of a D1 of version 0.2. */

import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { restore } from "../states/state-folder.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);
/** The last migration of version 0.2. */
const LAST = "0011";
const AT = "2026-01-03T10:00:00.007Z";
const MS = Date.parse(AT);

let db: DatabaseSync;
beforeEach(() => {
  db = new DatabaseSync(":memory:");
  for (const file of files((name) => name.slice(0, 4) <= LAST)) db.exec(file);
  db.exec(`INSERT INTO rooms (id, name, created_at, last_seq, unindexed_from) VALUES
    ('den', 'Den', '${AT}', 7, NULL), ('old', 'Old', '${AT}', 7, 1), ('trolls', 'Trolls', '${AT}', 7, NULL)`);
});

const files = (isWanted: (name: string) => boolean): string[] =>
  readdirSync(FOLDER)
    .sort()
    .filter(isWanted)
    .map((name) => readFileSync(new URL(name, FOLDER), "utf8"));

function upgrade(): void {
  for (const file of files((name) => name.slice(0, 4) > LAST)) db.exec(file);
}

const stateOf = (room: string): Record<string, unknown> => {
  const rows = db.prepare("SELECT part, body, revision FROM room_state WHERE room_id = ? ORDER BY part").all(room);
  expect(rows.every(({ revision }) => revision === 0)).toBe(true);
  return Object.fromEntries(rows.map(({ part, body }) => [part, JSON.parse(String(body))]));
};

const insert = (table: string, row: Record<string, string | number | null | Uint8Array>) =>
  db.prepare(`INSERT INTO ${table} VALUES (${Object.keys(row).map(() => "?")})`).run(...Object.values(row));

const member = { sender: "a-b", role: "moderator", since: AT, invite: "i1", uses: '["i1","i2"]', removed: 0 };

describe("an upgrade from 0.2", () => {
  it("keeps the members and invites of each room", () => {
    insert("members", { room: "den", ...member, change: 2 });
    insert("members", {
      room: "den",
      ...member,
      sender: "~c-d",
      role: null,
      invite: null,
      uses: "[]",
      removed: 1,
      change: 3,
    });
    insert("members", { room: "old", ...member, sender: "c-d", change: 1 });
    const invite = { id: "i1", hash: "0a", role: "reader", uses: 3, used: 1, by: "c-d", at: AT };
    insert("invites", { room: "den", ...invite, expires: null, revoked: 0, change: 1 });
    insert("invites", { room: "den", ...invite, id: "i2", expires: "2026-01-04T00:00:00.999Z", revoked: 1, change: 4 });
    upgrade();
    const told = { id: "i1", secretHash: "0a", role: "reader", uses: 3, used: 1, createdBy: "c-d", createdAt: MS };
    expect(stateOf("den")).toEqual({
      members: [
        { sender: "a-b", role: "moderator", since: MS, invite: "i1", uses: ["i1", "i2"], removed: false },
        { sender: "~c-d", role: null, since: MS, invite: null, uses: [], removed: true },
      ],
      invites: [
        { ...told, expiresAt: null, revoked: false },
        { ...told, id: "i2", expiresAt: Date.parse("2026-01-04T00:00:00.999Z"), revoked: true },
      ],
    });
    expect(stateOf("old")).toMatchObject({ members: [{ sender: "c-d" }] });
  });

  it("keeps who did what, and what waits for a moderator, in order", () => {
    const deed = { at: MS, who: "a-b", deed: "mute", target: "c-d", detail: '{"until":null}' };
    for (const id of ["10", "9"]) {
      insert("moderation", { room: "den", kind: "deed", id, body: JSON.stringify({ v: 2, ...deed }) });
    }
    const waiting = {
      sender: "c-d",
      message: "m1",
      content: 'Hello\n"you"',
      ref: null,
      at: MS,
      tag: null,
      why: "links",
    };
    const held = { ...waiting, state: "waiting", seq: null };
    const first = { v: 1, ...held, at: MS - 1 };
    insert("moderation", { room: "den", kind: "held", id: "h1", body: JSON.stringify({ v: 2, ...held, kind: "ask" }) });
    insert("moderation", { room: "den", kind: "held", id: "h2", body: JSON.stringify(first) });
    upgrade();
    expect(stateOf("den")).toEqual({
      deeds: [9, 10].map((n) => ({ n, ...deed, detail: { until: null } })),
      held: [
        { id: "h2", ...held, at: MS - 1, kind: "text" },
        { id: "h1", ...held, kind: "ask" },
      ],
    });
  });

  it("keeps open asks, and the pairs by which what was erased is recognised", () => {
    const terms = { v: 1, options: [{ id: "yes", label: "Yes" }], from: "people" };
    for (const seq of [12, 5])
      insert("open_asks", { room: "den", seq, sender: "a-b", until: MS, terms: JSON.stringify(terms) });
    insert("open_asks", { room: "no-such-room", seq: 1, sender: "a-b", until: MS, terms: JSON.stringify(terms) });
    insert("erased_pairs", { room: "den", pairs: new Uint8Array([0, 171, 255]) });
    upgrade();
    expect(stateOf("den")).toEqual({
      asks: [5, 12].map((seq) => ({ seq, sender: "a-b", until: MS, terms })),
      pairs: "00abff",
    });
  });

  it("has a room write all of it again whose erasures were under way, or whose senders are not all known", () => {
    insert("erasures", { room: "trolls", seq: 7, up_to: 6, sender: "c-d" });
    upgrade();
    const rows = db.prepare("SELECT id, copied_at FROM rooms ORDER BY id").all();
    expect(Object.fromEntries(rows.map(({ id, copied_at }) => [id, copied_at]))).toEqual({
      den: 0,
      lobby: 0,
      old: -1,
      trolls: -1,
    });
  });

  it("comes to its end in a room with more than a value may have: the room's own copy brings the rest", () => {
    const held = { v: 2, sender: "c-d", message: "m", content: "\u{1f600}".repeat(8_000), at: MS, state: "waiting" };
    for (let n = 0; n < 200; n++) {
      insert("moderation", { room: "den", kind: "held", id: `h${n}`, body: JSON.stringify({ ...held, at: MS + n }) });
    }
    upgrade();
    const [row] = db.prepare("SELECT length(CAST(body AS BLOB)) AS size FROM room_state").all();
    expect(Number(row?.size)).toBeGreaterThan(1_800_000);
    expect(Number(row?.size)).toBeLessThan(2_000_000);
  });

  it("keeps what a server of 0.2.0 has left, and breaks no reference", () => {
    const folder = mkdtempSync(join(tmpdir(), "meet-ai-migration-"));
    restore(join(import.meta.dirname, "../states/0.2.0.json"), folder);
    const [file] = globSync("d1/*/*.sqlite", { cwd: folder }).filter((name) => !name.includes("metadata"));
    db = new DatabaseSync(join(folder, String(file)));
    const before = db.prepare("SELECT sender, role FROM members WHERE room_id = 'attic' ORDER BY sender").all();
    upgrade();
    expect(before.length).toBeGreaterThan(1);
    expect(stateOf("attic")).toMatchObject({ members: before, invites: [{ uses: 5, revoked: false }] });
    expect(stateOf("den")).toMatchObject({ pairs: expect.stringMatching(/^[0-9a-f]{200,}$/) });
    expect(db.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
    db.close();
    rmSync(folder, { recursive: true });
  });
});
