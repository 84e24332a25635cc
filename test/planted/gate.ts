/** Bugs in who may come in: at the gate, among members, and with invites. */

import { type PlantedBug, runtime, unit } from "./planted-bug.ts";

export const PLANTED_AT_THE_GATE: readonly PlantedBug[] = [
  {
    name: "the gate forgotten for pages of the log",
    breaks: 11,
    edits: [
      {
        file: "party/room-calls.ts",
        find: "    if (isFault(reading)) return reading;\n    if (reading.reader) reading.room.reachability",
        replace: `    if (isFault(reading)) {
      const open = await this.lifecycle.open(record);
      return isFault(open) ? open : open.page(at, limit);
    }
    if (reading.reader) reading.room.reachability`,
      },
    ],
    caughtBy: [runtime("gate", 'learns nothing by a page of the log with ""')],
  },
  {
    name: "a members' room in the list of rooms",
    breaks: 11,
    edits: [{ file: "api/directory.ts", find: "listed = 1 AND access = 'open'", replace: "listed = 1" }],
    caughtBy: [
      runtime("gate", "learns nothing by what is of no room"),
      runtime("members", "is not in the list of rooms, also where it is listed, and is again when it is open"),
    ],
  },
  {
    name: "an unknown socket welcomed",
    breaks: 11,
    edits: [
      {
        file: "party/chat-room.ts",
        find: "else if (!stream) this.audience.enterUnknown(socket, newcomer, cursor);",
        replace: "else if (!stream) this.audience.enter(socket, newcomer, cursor);",
      },
    ],
    caughtBy: [runtime("gate", "is told nothing over /api/rooms/{id}/ws")],
  },
  {
    name: "an unknown socket that hears everything when the room has slept",
    breaks: 11,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "if (!isOpen || state.waiting) return;",
        replace: "if (!isOpen) return;",
      },
    ],
    caughtBy: [runtime("members", "hears nothing while the room wakes for others, and may still say it")],
  },
  {
    name: "an agent that decides as its person",
    breaks: 11,
    edits: [
      {
        file: "party/permissions.ts",
        find: 'role: decides(role) && isBounded ? "member" : role',
        replace: 'role: decides(role) && isBounded && isGuest(participant.sender) ? "member" : role',
      },
    ],
    caughtBy: [runtime("members", "of an agent is its person's, and at most a member's: also the owner's")],
  },
  {
    name: "a removed member whose stream goes on",
    breaks: 11,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "if (which(state.participant ?? state.reader)) this.close(socket, code, reason);",
        replace: "if (which(state.participant)) this.close(socket, code, reason);",
      },
      {
        file: "party/audience/audience.ts",
        find: "if (!which(state.participant ?? state.reader)) continue;",
        replace: "if (!which(state.participant)) continue;",
      },
    ],
    caughtBy: [
      runtime("members", "loses a stream of events at once"),
      runtime("members", "loses a request that waits, at once"),
    ],
  },
  {
    name: "a stream opened with a key that has ended meanwhile",
    breaks: 11,
    edits: [
      {
        file: "party/chat-room.ts",
        find: "return reader && this.authenticator.hasEnded(reader) ? UNKNOWN_KEY : room.readers.refuse(reader);",
        replace: "void UNKNOWN_KEY;\n    return room.readers.refuse(reader);",
      },
    ],
    caughtBy: [runtime("members", "and whose key has ended while a stream was on its way, gets none")],
  },
  {
    name: "a retry that tells a stranger what is there",
    breaks: 11,
    edits: [
      {
        file: "party/writes/appending.ts",
        find: "const refusal = refuseReader(participant) ?? this.refuseReply(replyTo);",
        replace: "const refusal = this.refuseReply(replyTo);",
      },
    ],
    caughtBy: [
      runtime(
        "members",
        "can't write with what they had before: neither over HTTP nor into what waits for their Limiter",
      ),
    ],
  },
  {
    name: "an invite's secret that is kept",
    breaks: 11,
    edits: [
      {
        file: "api/invites.ts",
        find: "secretHash: await sha256Hex(secret)",
        replace: "secretHash: secret",
      },
      {
        file: "party/members/invite-secret.ts",
        find: "secretHash: await sha256Hex(secret)",
        replace: "secretHash: secret",
      },
    ],
    caughtBy: [
      runtime("invites", "is made with a secret that is told once, in a fragment, and kept as its hash alone"),
    ],
  },
  {
    name: "a guest's place in a room that goes to a key although the guest was removed",
    breaks: 11,
    edits: [
      {
        file: "party/members/invitations.ts",
        find: "guest?.uses.includes(id) && roster.roleOf(guest.sender, now()) !== undefined ? guest : undefined",
        replace: "guest?.uses.includes(id) ? guest : undefined",
      },
    ],
    caughtBy: [runtime("invites", "does so by the guest's own secret alone, and not by that of one who was removed")],
  },
  {
    name: "a valid hello that is refused for good because a store is slow",
    breaks: 6,
    edits: [{ file: "party/audience/silence-watch.ts", find: "if (queue.isBusy) {", replace: "if (!queue) {" }],
    caughtBy: [
      unit(
        "party/audience/audience",
        "is not, while what they have said is being looked up: they are let in late, or come again",
      ),
    ],
  },
  {
    name: "a hello that D1 can't check is refused for good",
    breaks: 6,
    edits: [
      {
        file: "party/frame-router.ts",
        find: 'if (isHello && (refusal.fault === "unavailable" || isUnknown))',
        replace: "if (false)",
      },
    ],
    caughtBy: [
      runtime(
        "members",
        "is told to come back, and not refused for good, when its hello can't be checked or comes too often",
      ),
    ],
  },
  {
    name: "an invite that is never used up",
    breaks: 11,
    edits: [
      {
        file: "party/members/invitations.ts",
        find: "if (!guest && !hasUsed && invite.used >= invite.uses) return USED_UP;",
        replace: "void USED_UP;",
      },
    ],
    caughtBy: [
      runtime("invites", "with two at once for one use lets exactly one in"),
      runtime(
        "invites",
        "is counted once for each person, however often they come with it, also at once and after its end",
      ),
    ],
  },
  {
    name: "an invite that lets the removed in again",
    breaks: 11,
    edits: [
      {
        file: "party/members/invitations.ts",
        find: "if (hasUsed && row?.removed) return REMOVED;",
        replace: "void REMOVED;",
      },
    ],
    caughtBy: [
      runtime(
        "invites",
        "lets nobody back in whom somebody has removed; another invite does, and who has left may come back",
      ),
    ],
  },
  {
    name: "an invite that gives a lost role back",
    breaks: 11,
    edits: [
      {
        file: "party/members/membership.ts",
        find: "removed: before !== undefined && (before.removed || !isKept),",
        replace: "removed: isKept === undefined,",
      },
    ],
    caughtBy: [
      unit(
        "party/members/roster",
        "does not give a role back that was taken from them, when they leave and come again",
      ),
    ],
  },
  {
    name: "a guest who stays when the invite has expired",
    breaks: 11,
    edits: [
      {
        file: "party/members/roster.ts",
        find: "return until > now ? { role: row.role, until } : { role: undefined, until: Number.POSITIVE_INFINITY };",
        replace: "return { role: row.role, until: Math.max(until, now + 1) };",
      },
    ],
    caughtBy: [runtime("invites", "is let go when the invite expires, also while the room sleeps")],
  },
];
