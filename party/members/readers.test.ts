import { beforeEach, expect, it } from "vitest";
import { TestStorage } from "../../test/unit/sqlite.ts";
import type { Audience } from "../audience/audience.ts";
import type { Participant } from "../identity/sender.ts";
import { CLOSE } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { RoomStorage } from "../storage/room-storage.ts";
import { Membership } from "./membership.ts";
import { Readers } from "./readers.ts";
import { Roster } from "./roster.ts";

const NOON = Date.parse("2026-11-26T12:00:00.000Z");
const person: Participant = { sender: "calm-heron", principal: "person:k1", keyId: "k1" };
const siteUser = (name: string, until: number): Participant => {
  return { sender: `${name}@acme`, principal: `site:${name}`, vouched: { until } } as Participant;
};
const guest: Participant = { sender: "~sly-fox-4f2a9c", principal: "address:1" };

let now: number;
let here: Participant[];
/** Who was let go, and with which code. */
let gone: [sender: string, code: number][];
/** How often everybody was looked at. */
let looks: number;
let woken: number[];
let record: RoomRecord;
let roster: Roster;

beforeEach(() => {
  [now, here, gone, looks, woken] = [NOON, [], [], 0, []];
  record = { access: "open", createdBy: "k1", createdByHandle: "calm-heron", createdAt: "" } as RoomRecord;
  roster = new Roster(new RoomStorage(new TestStorage()));
});

/** The readers of a room that has just woken. */
function readers(): Readers {
  const letGo = (code: number, whom: (participant: Participant | undefined) => boolean) => {
    looks++;
    const left = here.filter((participant) => whom(participant));
    here = here.filter((participant) => !left.includes(participant));
    gone.push(...left.map(({ sender }): [string, number] => [sender, code]));
  };
  const audience = {
    closeAll: (code: number, _reason: string, whom: (participant: Participant | undefined) => boolean) =>
      letGo(code, whom),
    dismiss: (_fault: unknown, code: number, whom: (participant: Participant | undefined) => boolean) =>
      letGo(code, whom),
  } as unknown as Audience;
  const current = { now: () => now, record: () => record, roster };
  const membership = new Membership({
    ...current,
    personExists: async () => true,
    changed: () => undefined,
    noted: () => undefined,
    did: () => undefined,
  });
  return new Readers({ ...current, membership, audience, wakeIn: (delay) => void woken.push(now + delay) });
}

it("whose token has ended hear nothing more, though the alarm has not rung yet; others stay", () => {
  const room = readers();
  here = [person, siteUser("anna", NOON + 1_000), siteUser("ben", NOON + 5_000)];
  for (const participant of here) room.watch(participant);
  expect(woken).toEqual([NOON + 1_000, NOON + 5_000]);
  room.endOverdue();
  now += 999;
  room.endOverdue();
  expect(gone).toEqual([]);
  now += 1;
  // As a batch does before anything of it is told.
  room.endOverdue();
  expect(gone).toEqual([["anna@acme", CLOSE.identifyAgain]]);
  now += 4_000;
  room.endOverdue();
  expect(gone.map(([sender]) => sender)).toEqual(["anna@acme", "ben@acme"]);
  expect(here).toEqual([person]);
});

it("whose token has ended while the room slept hear nothing of what wakes it", () => {
  here = [siteUser("anna", NOON - 1)];
  readers().endOverdue();
  expect(gone).toEqual([["anna@acme", CLOSE.identifyAgain]]);
});

it("are looked at again only when somebody's time is over", () => {
  const room = readers();
  here = [person, siteUser("anna", NOON + 1_000)];
  room.endOverdue();
  for (let batch = 0; batch < 10; batch++) room.endOverdue();
  expect(looks).toBe(1);
  // Who comes later, and ends sooner, counts.
  here.push(siteUser("ben", NOON + 10));
  room.watch(siteUser("ben", NOON + 10));
  now += 10;
  room.endOverdue();
  expect([looks, gone.map(([sender]) => sender)]).toEqual([2, ["ben@acme"]]);
});

it("who are guests by an invite that has ended hear nothing more of a members' room", () => {
  record = { ...record, access: "members" };
  const invite = { id: "i1", secretHash: "0a", role: "member" as const, uses: 1, used: 1, createdBy: "calm-heron" };
  roster.putInvite({ ...invite, createdAt: NOON, expiresAt: NOON + 1_000, revoked: false });
  roster.put({ sender: guest.sender, role: "member", since: NOON, invite: "i1", uses: ["i1"], removed: false });
  const room = readers();
  here = [person, guest];
  expect(room.refuse(guest)).toBeUndefined();
  room.watch(guest);
  now += 999;
  room.endOverdue();
  expect(gone).toEqual([]);
  now += 1;
  room.endOverdue();
  expect(gone).toEqual([[guest.sender, CLOSE.forbidden]]);
});
