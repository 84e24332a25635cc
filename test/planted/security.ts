/** Holes that nobody may find, each with the attack that has to notice it. */

import type { PlantedBug, Witness } from "./bugs.ts";

const attack = (file: string, test: string): Witness => ({
  project: "processes",
  file: `test/processes/security/${file}.test.ts`,
  test,
});

export const PLANTED_HOLES: readonly PlantedBug[] = [
  {
    name: "sender taken from the frame",
    breaks: 10,
    edits: [
      {
        file: "party/protocol.ts",
        find: 'return isFault(send) ? send : { type: "send", ...send };',
        replace: 'return isFault(send) ? send : ({ ...value, type: "send", ...send } as SendFrame);',
      },
      {
        file: "party/chat-room.ts",
        find: "return this.#sendFrom(socket, state.participant, state.origin, frame);",
        replace:
          'return this.#sendFrom(socket, { ...state.participant, ...("sender" in frame && { sender: String(frame.sender) }) }, state.origin, frame);',
      },
    ],
    caughtBy: [attack("identity", "says over a socket what the server says of it, whatever its frame claims")],
  },
  {
    name: "quota per room",
    breaks: "quotas",
    edits: [
      {
        file: "party/chat-room.ts",
        find: "admit: (principal, count) => this.env.LIMITER.getByName(principal).admit(count),",
        replace: "admit: (principal, count) => this.env.LIMITER.getByName(principal + ':' + this.name).admit(count),",
      },
    ],
    caughtBy: [
      attack("quotas", "are counted together: fifty rooms at once, over sockets and HTTP, get sixty in a minute"),
    ],
  },
  {
    name: "revocation only at connect",
    breaks: "keys",
    edits: [
      {
        file: "party/limits/limiter.ts",
        find: "if (this.#isRevoked()) return UNKNOWN_KEY;\n    const { granted, remaining, wait } = this.#messages",
        replace: "const { granted, remaining, wait } = this.#messages",
      },
      {
        file: "party/limits/limiter.ts",
        find: "await Promise.allSettled(rooms.map((room) => this.env.CHAT_ROOM.getByName(room).expel(this.#name)));",
        replace: "await Promise.allSettled(rooms);",
      },
    ],
    caughtBy: [
      attack("keys", "reaches every live socket within 5 seconds, and the very next write in any room and by any way"),
    ],
  },
  {
    name: "deletion that leaves D1",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/archive.ts",
        find: "...(deleted.length > 0 ? [db.prepare(BLANK).bind(room, JSON.stringify(deleted))] : []),",
        replace: "",
      },
    ],
    caughtBy: [attack("owners", "is gone from every page, stream, cursor and store")],
  },
  {
    name: "IPv6 counted by the whole address",
    breaks: "quotas",
    edits: [
      {
        file: "api/address.ts",
        find: "groups.slice(0, 4)",
        replace: "groups.slice(0, 8)",
      },
    ],
    caughtBy: [attack("quotas", "are ten for a thousand addresses of one /64")],
  },
  {
    name: "drafts without a quota",
    breaks: "quotas",
    edits: [
      {
        file: "party/chat-room.ts",
        find: "(begins ? this.#beginDraft(participant) : undefined) ??",
        replace: "undefined ??",
      },
    ],
    caughtBy: [attack("quotas", "may not be begun oftener than messages may be sent")],
  },
  {
    name: "a cancelled grant given back in another's place",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/sliding-window.ts",
        find: "this.#grants.findIndex(([time]) => time === at);",
        replace: "this.#grants.findLastIndex(([time]) => time >= at);",
      },
    ],
    caughtBy: [
      {
        project: "unit",
        file: "party/limits/sliding-window.test.ts",
        test: "never grants more than its limit in any window, and never refuses what a fresh one would allow",
      },
    ],
  },
];
