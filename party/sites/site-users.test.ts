import { beforeEach, describe, expect, it } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { NAMES_BYTES, SiteUsers } from "./site-users.ts";

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

let disk: TestStorage;
let users: SiteUsers;
beforeEach(() => {
  disk = new TestStorage();
  users = open();
});

const note = (subject: string, name?: string, now = NOW, role: "member" | "moderator" = "member") =>
  users.note(
    { sender: `${subject}@acme`, principal: `subject:acme/${subject}`, vouched: { role, until: now + 60_000 } },
    name,
    now,
  );
const open = () => new SiteUsers(new RoomStorage(disk));
const stored = () => disk.sql.exec<{ sender: string }>("SELECT sender FROM site_users_1").toArray().length;

describe("the users of sites in a room", () => {
  it("cost nothing where there are none", () => {
    expect(users.inFrame('{"sender":"anna@acme"}')).toBe('{"sender":"anna@acme"}');
    expect(users.reserved).toBe(0);
    expect(disk.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
  });

  it("have the name of their last token that had one", () => {
    note("anna", "Anna");
    note("anna", undefined, NOW + 1);
    expect(users.of(["anna@acme", "bob@acme", "swift-otter"])).toEqual({ "anna@acme": "Anna" });
    note("anna", "Berg", NOW + 2);
    expect(open().of(["anna@acme"])).toEqual({ "anna@acme": "Berg" });
  });

  it("are in a frame's names once, and only those who are in it", () => {
    note("anna", 'Anna "x" \u2028');
    note("bob", "Bob");
    const frame = { messages: [{ sender: "anna@acme" }, { sender: "anna@acme" }], presence: { joined: ["eve@acme"] } };
    expect(JSON.parse(users.inFrame(JSON.stringify(frame)))).toEqual({
      ...frame,
      names: { "anna@acme": 'Anna "x" \u2028' },
    });
  });

  it("have names that take no more of a frame than is left for them", () => {
    const subjects = Array.from({ length: 500 }, (_, index) => `user-${index}`);
    for (const subject of subjects) note(subject, "ﷺ".repeat(60));
    const json = JSON.stringify({ people: subjects.map((subject) => `${subject}@acme`) });
    expect(Buffer.byteLength(users.inFrame(json)) - Buffer.byteLength(json)).toBeLessThanOrEqual(NAMES_BYTES);
    expect(Object.keys(JSON.parse(users.inFrame(json)).names).length).toBeGreaterThan(3);
  });

  it("are remembered a thousand at most, those who came last", () => {
    for (let index = 0; index < 1_050; index++) note(`u${index}`, "U", NOW + index);
    expect(stored()).toBeLessThanOrEqual(1_000);
    expect(users.of(["u0@acme"])).toBeUndefined();
    expect(users.of(["u1049@acme"])).toBeDefined();
  });

  it("are written down once, as long as nothing is new", () => {
    note("anna", "Anna");
    const before = disk.sql.exec("SELECT seen FROM site_users_1").toArray();
    users.note(
      { sender: "anna@acme", principal: "subject:acme/anna", vouched: { role: "member", until: NOW } },
      "Anna",
      NOW + 5,
    );
    expect(disk.sql.exec("SELECT seen FROM site_users_1").toArray()).toEqual(before);
  });

  it("have the role that the site has given them, until it ends", () => {
    note("anna", "Anna", NOW, "moderator");
    expect(users.roleOf("anna@acme", NOW)).toBe("moderator");
    expect(users.roleOf("anna@acme", NOW + 60_000)).toBeUndefined();
    expect(users.roleOf("bob@acme", NOW)).toBeUndefined();
  });

  it("are forgotten when they are erased, and when nothing of their time is left", () => {
    for (const subject of ["anna", "bob"]) note(subject, subject);
    note("carl", "Carl", NOW + 2 * DAY);
    users.forget("anna@acme");
    expect(users.of(["anna@acme"])).toBeUndefined();
    users.forgetBefore(NOW + DAY, NOW + 3 * DAY);
    expect([users.of(["bob@acme"]), users.of(["carl@acme"])]).toEqual([undefined, { "carl@acme": "Carl" }]);
  });
});
