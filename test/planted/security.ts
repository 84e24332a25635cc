/** Holes that nobody may find, each with the attack that has to notice it. */

import { type PlantedBug, runtime, type Witness } from "./planted-bug.ts";

const attack = (file: string, test: string): Witness => ({
  project: "processes",
  file: `test/processes/security/${file}.test.ts`,
  test,
});

const ring = (test: string): Witness => ({ project: "unit", file: "party/identity/key-ring.test.ts", test });
const quota = (test: string): Witness => ({ project: "unit", file: "party/limits/message-quota.test.ts", test });

const token = (test: string): Witness => ({ project: "unit", file: "party/sites/token.test.ts", test });

export const PLANTED_HOLES: readonly PlantedBug[] = [
  {
    name: "a token's aud unchecked",
    breaks: 10,
    edits: [
      {
        file: "party/sites/token.ts",
        find: "        audience,\n        clockTolerance",
        replace: "        clockTolerance",
      },
    ],
    caughtBy: [token("is refused when it is for another server")],
  },
  {
    name: "a token's end ignored on a live socket",
    breaks: 10,
    edits: [
      {
        file: "party/permissions.ts",
        find: "vouched && now >= vouched.until ? EXPIRED : undefined",
        replace: "vouched && now < 0 ? EXPIRED : undefined",
      },
    ],
    caughtBy: [runtime("sites", "lets nothing more be written over its socket, whether the alarm has rung or not")],
  },
  {
    name: "a site's private key accepted",
    breaks: "keys",
    edits: [{ file: "party/sites/site-key.ts", find: "if (secret !== undefined) {", replace: 'if (secret === "") {' }],
    caughtBy: [
      { project: "unit", file: "party/sites/site-key.test.ts", test: "are refused with a private one among them" },
    ],
  },
  {
    name: "sender taken from the frame",
    breaks: 10,
    edits: [
      {
        file: "party/frame-parser.ts",
        find: 'return isFault(send) ? send : { type: "send", ...send };',
        replace: 'return isFault(send) ? send : ({ ...value, type: "send", ...send } as SubmittedFrame);',
      },
      {
        file: "party/frame-router.ts",
        find: "return this.#send(socket, room, participant, frame);",
        replace:
          'return this.#send(socket, room, { ...participant, ...("sender" in frame && { sender: String(frame.sender) }) }, frame);',
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
        find: "await limiterOf(env, principal).admit(question)",
        replace: "await limiterOf(env, 'address:' + principal + this.name).admit(question)",
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
        file: "party/limits/person.ts",
        find: "const owner = this.#keys.holds(keyHash) ? undefined : await this.#keys.identify(keyHash);",
        replace: "const owner = undefined as Fault | undefined;",
      },
      {
        file: "party/limits/person.ts",
        find: "if (!this.#keys.holds(keyHash)) return UNKNOWN_KEY;",
        replace: "",
      },
      {
        file: "party/limits/known-rooms.ts",
        find: "await Promise.allSettled(this.all.map(told));",
        replace: "await Promise.allSettled(this.all.slice(0, 0).map(told));",
      },
    ],
    caughtBy: [
      attack(
        "keys",
        "reaches every live socket, also one that says nothing, and the very next write in any room and by any way",
      ),
    ],
  },
  {
    name: "a hello let in by an answer from before the key's end",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/authenticator.ts",
        find: "if (hello.isOver) return UNKNOWN_KEY;",
        replace: "if (hello.isOver && keyHash === this.#room) return UNKNOWN_KEY;",
      },
    ],
    caughtBy: [
      {
        project: "runtime",
        file: "test/runtime/keys.test.ts",
        test: "reaches a hello whose answer is under way, in whatever order the two come to the room",
      },
    ],
  },
  {
    name: "a site's user let in by an answer from before the site has changed its keys",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/authenticator.ts",
        find: "if (hello.isOver) return SITE_CHANGED;",
        replace: "if (hello.isOver && site === this.#room) return SITE_CHANGED;",
      },
    ],
    caughtBy: [
      {
        project: "runtime",
        file: "test/runtime/sites.test.ts",
        test: "lets nobody in whose hello was under way, by an answer of before",
      },
    ],
  },
  {
    name: "a revocation overwritten by a slow answer of D1",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/key-ring.ts",
        find: "const mine = this.#turn.then(() => work((hash) => void ended.push(hash)));",
        replace: "const mine = Promise.resolve().then(() => work((hash) => void ended.push(hash)));",
      },
    ],
    caughtBy: [ring("is not overwritten by an answer of D1 that was under way when it came")],
  },
  {
    name: "a rotation that ends the old key before the new one has come",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/key-table.ts",
        find: "`UPDATE api_keys SET next_key_hash = ?3\n",
        replace: "`UPDATE api_keys SET key_hash = ?3\n",
      },
      {
        file: "party/identity/key-ring.ts",
        find: "this.#settle({ owner, current: presented, next });",
        replace: "this.#settle({ owner, current: next });",
      },
    ],
    caughtBy: [
      ring("leaves both valid until the new one is first used, which ends the old one"),
      attack("keys", "whose connection is cut at any moment leaves everyone a key that they have"),
    ],
  },
  {
    name: "a swap that can't be repeated",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/key-ring.ts",
        find: "return isRepeated ? this.#owner : owner;",
        replace: "return isRepeated && owner !== UNKNOWN_KEY ? this.#owner : owner;",
      },
    ],
    caughtBy: [ring("is answered again when it is repeated with either key, also after a crash, and counts once")],
  },
  {
    name: "a change of keys that a crash in the middle does not leave in doubt",
    breaks: "keys",
    edits: [
      {
        file: "party/identity/key-ring.ts",
        find: "    this.#isInDoubt = true;\n",
        replace: "",
      },
    ],
    caughtBy: [
      ring("whose answer D1 loses has happened or not, and repeating it settles that"),
      ring("that D1 takes without an answer holds as soon as D1 is asked again"),
    ],
  },
  {
    name: "a lease that a room keeps when the key has ended",
    breaks: "keys",
    edits: [
      {
        file: "party/limits/person.ts",
        find: "    await this.#messages.recallLeases();\n",
        replace: "",
      },
    ],
    caughtBy: [
      {
        project: "runtime",
        file: "test/runtime/limiter.test.ts",
        test: "can't write by a lease that a room still had",
      },
    ],
  },
  {
    name: "lent places that do not count",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/sliding-window.ts",
        find: "    this.#used += lent;\n",
        replace: "    this.#used += lent * 0;\n",
      },
      {
        file: "party/limits/sliding-window.ts",
        find: "    this.#used -= loan.places;\n",
        replace: "",
      },
    ],
    caughtBy: [
      quota("never more than the limit are admitted in any window, and nobody is refused while a place is free"),
    ],
  },
  {
    name: "a refusal while a room holds free places",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/message-quota.ts",
        find: "if (granted < count && (await this.#recall())) {",
        replace: "if (granted < count && count < 0) {",
      },
    ],
    caughtBy: [
      quota("is taken back before anyone is refused, so that no place is left over"),
      quota("never more than the limit are admitted in any window, and nobody is refused while a place is free"),
    ],
  },
  {
    name: "a lease that lasts longer in the room than in the Limiter",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/lease.ts",
        find: "this.#until = askedAt + grant.duration;",
        replace: "this.#until = askedAt + grant.duration * 3;",
      },
    ],
    caughtBy: [
      {
        project: "unit",
        file: "party/limits/lease.test.ts",
        test: "is over when its time is, counted from before it was asked for",
      },
    ],
  },
  {
    name: "a quota that a sleep forgets",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/message-quota.ts",
        find: "if (granted > 0 || lease || uses) this.#write();",
        replace: "if (lease || uses) this.#write();",
      },
    ],
    caughtBy: [
      quota("is answered and written down, and a crash forgets nothing of it"),
      { project: "runtime", file: "test/runtime/limiter.test.ts", test: "are not forgotten when the Limiter sleeps" },
    ],
  },
  {
    name: "deletion that leaves the words",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/messages-table.ts",
        find: "UPDATE messages SET content = '', changed = ?1",
        replace: "UPDATE messages SET changed = ?1",
      },
      {
        file: "party/log/room-log.ts",
        find: "for (const target of deleted) this.tail.blank(target);",
        replace: "if (deleted.length > 99) this.tail.blank(deleted[0] as Seq);",
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
        file: "party/writes/drafting.ts",
        find: "(begins ? this.#quota.take(principal, this.#deps.perMinute(sender), now) : undefined) ??",
        replace: "undefined ??",
      },
    ],
    caughtBy: [attack("quotas", "may not be begun oftener than messages may be sent")],
  },
  {
    name: "a quota that waits until the clock has caught up",
    breaks: "quotas",
    edits: [{ file: "party/limits/sliding-window.ts", find: "    this.#followBack(now);\n", replace: "" }],
    caughtBy: [
      {
        project: "unit",
        file: "party/limits/sliding-window.test.ts",
        test: "keeps a grant for a whole window after the clock was set back, and no longer",
      },
    ],
  },
  {
    name: "a cancelled grant given back in another's place",
    breaks: "quotas",
    edits: [
      {
        file: "party/limits/sliding-window.ts",
        find: "this.#grants.findIndex(([time]) => time === Math.min(at, newest));",
        replace: "this.#grants.findLastIndex(([time]) => time >= Math.min(at, newest));",
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
  {
    name: "an agent that is read as the operator",
    breaks: 10,
    edits: [
      {
        file: "party/identity/agent-name.ts",
        find: "const seen = atGlance(name);",
        replace: "const seen = name;",
      },
    ],
    caughtBy: [{ project: "unit", file: "party/protocol.test.ts", test: 'refuses the agent "adrnin" (promise 10)' }],
  },
  {
    name: "an address that any client may claim",
    breaks: "quotas",
    edits: [
      {
        file: "api/door/trusted-proxies.ts",
        find: "    while (this.has(client)) {",
        replace: "    while (client !== undefined) {",
      },
    ],
    caughtBy: [
      {
        project: "unit",
        file: "api/door/trusted-proxies.test.ts",
        test: "is never what a client writes itself, whatever it writes",
      },
    ],
  },
  {
    name: "the end of a stay that no client hears of",
    breaks: 7,
    edits: [{ file: "party/chat-room.ts", find: "    occupiedRooms.add(this.name);\n", replace: "" }],
    caughtBy: [
      {
        project: "runtime",
        file: "test/runtime/restart.test.ts",
        test: "each socket of each room is closed with 1012, and what was said before has its place",
      },
    ],
  },
];
