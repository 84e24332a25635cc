/** Bugs in what the connected are sent, and in who counts as connected. */

import { MODEL, type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const audience = (test: string): Witness => unit("party/audience/audience", test);

export const PLANTED_IN_AUDIENCE: readonly PlantedBug[] = [
  {
    name: "resume off by one",
    breaks: 4,
    edits: [
      {
        file: "party/audience/flow/welcomes.ts",
        find: "return backlog.reaches(after) ? after : undefined;",
        replace: "return backlog.reaches(after) ? Math.min(after + 1, log.head) : undefined;",
      },
    ],
    caughtBy: [runtime("resume", "gives everything after it, for each one that there is"), MODEL],
  },
  {
    name: "epoch ignored",
    breaks: 4,
    edits: [
      {
        file: "party/audience/flow/welcomes.ts",
        find: "    if (epoch !== undefined && epoch !== log.epoch) return undefined;\n",
        replace: "    if (epoch === null) return undefined;\n",
      },
    ],
    caughtBy: [runtime("resume", "of another history, or ahead of this one, is a reset to the newest"), MODEL],
  },
  {
    name: "a socket that is closed is still counted as present",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "if (wasCounted) this.#leavePresence(peer);",
        replace: "if (wasCounted && !state.participant) this.#leavePresence(peer);",
      },
    ],
    caughtBy: [unit("party/audience/audience", "loses somebody with their last socket, once, however it ends"), MODEL],
  },
  {
    name: "sockets counted after one of them is marked",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "    if (isCounted(state)) this.#presence.enter(state.participant?.sender);\n    // Its close",
        replace:
          "    if (isCounted(state) && !state.heardAt) this.#presence.enter(state.participant?.sender);\n    // Its close",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/audience",
        "never counts less than nobody, whatever is found at the first look after a wake",
      ),
      unit("party/audience/audience", "is counted from the sockets there are, also by a room that has just woken"),
    ],
  },
  {
    name: "a timer that keeps the room awake until a draft expires",
    breaks: 7,
    edits: [
      {
        file: "party/audience/updates.ts",
        find: "const at = drafts.dueAt();",
        replace: "const at = drafts.dueAt() ?? (drafts.told().length > 0 ? now() + 45_000 : undefined);",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/updates",
        "keep no timer once they are told, and so nothing awake, however long they are under way",
      ),
    ],
  },
  {
    name: "empty drafts take no place",
    breaks: 9,
    edits: [
      {
        file: "party/audience/drafts.ts",
        find: "return [...this.#drafts.values()].filter(({ author }) => author.principal === principal);",
        replace:
          "return [...this.#drafts.values()].filter(({ author, bytes }) => bytes > 0 && author.principal === principal);",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/drafts",
        "with eight at a time for all guests of an address, empty ones too, and others have theirs",
      ),
    ],
  },
  {
    name: "a reader that owes an answer is sent on",
    breaks: 9,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "    this.#flowing.delete(peer);\n    peer.pausedAt = at;",
        replace: "    peer.pausedAt = at;",
      },
      {
        file: "party/audience/flow/feed.ts",
        find: "if (!peer.flow.fits(piece.bytes, own)) {",
        replace: "if (peer.pausedAt === undefined && !peer.flow.fits(piece.bytes, own)) {",
      },
    ],
    caughtBy: [
      unit("party/audience/audience", "is sent its first window and no more, however much is said; others go on"),
      runtime(
        "flow",
        "a reader that does not answer is sent its first window and no more, and the rest when it answers",
      ),
    ],
  },
  {
    name: "slow readers kept for ever",
    breaks: 9,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "(flow.owesFor(now) ?? 0) >= FLOW.answerWithin);",
        replace: "(flow.owesFor(now) ?? 0) >= FLOW.answerWithin * 1_000);",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/audience",
        "is closed with 4413 when it has owed the answer for too long, by the alarm that was asked for",
      ),
      runtime("flow", "a reader that answers stays; one that does not is closed with 4413 by the alarm, and resumes"),
    ],
  },
  {
    name: "a closed socket is forgotten before its close is confirmed",
    breaks: 9,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "    this.#ledger.close(socket, { address: state.address, bytes: unread });\n    const wasCounted",
        replace:
          "    this.#ledger.close(socket, { address: state.address, bytes: unread });\n    this.#ledger.confirm(socket);\n    const wasCounted",
      },
    ],
    caughtBy: [
      unit("party/audience/audience", "counts for its address until its close is confirmed, and for nothing else"),
      unit(
        "party/audience/audience",
        "leaves its address no room for as many again, as long as what it holds is unread",
      ),
    ],
  },
  {
    name: "what was missed is not sent when the answer comes",
    breaks: 4,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "const missedFrom = peer.pausedAt ?? log.head;",
        replace: "const missedFrom = log.head;",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/audience",
        "gets what it missed when it answers, in order and once, and is in the flow again",
      ),
      runtime("flow", "is no reason to call its reader slow: it comes a window at a time, whole"),
    ],
  },
  {
    name: "a paused reader forgotten in sleep",
    breaks: 7,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "if (n !== undefined && since !== undefined && at !== undefined) peer.note({",
        replace: "if (n === undefined && since !== undefined && at !== undefined) peer.note({",
      },
    ],
    caughtBy: [
      audience("a reader that owes an answer goes on where it was paused, with the same number"),
      runtime("flow", "a paused reader goes on after the room's sleep where it was, with the number from before it"),
    ],
  },
  {
    name: "a silent socket takes its sender along",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "if (this.#presence.socketsOf(sender) === 0) this.#deps.left(sender);",
        replace: "if (this.#presence.socketsOf(sender) <= 1) this.#deps.left(sender);",
      },
    ],
    caughtBy: [
      audience("is still here with another socket that pings, and so are its drafts, when a look wakes the room"),
    ],
  },
  {
    name: "a disconnected away socket taken up after a wake",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "peer.note({ gone: { unread }, paused: undefined, drafts: undefined });",
        replace: "if (!state.away) peer.note({ gone: { unread }, paused: undefined, drafts: undefined });",
      },
    ],
    caughtBy: [audience("does not hold a socket that was silent and has gone, after a wake either")],
  },
  {
    name: "hidden tabs taken for dead",
    breaks: 8,
    edits: [
      {
        file: "party/audience/liveness.ts",
        find: 'return { verdict: "ask", next: Math.max(SILENCE.unlistAfter - silentFor, ANSWER_TAKES) };',
        replace: 'return { verdict: "absent", next: SILENCE.closeAfter - silentFor };',
      },
    ],
    caughtBy: [
      unit(
        "party/audience/liveness",
        "is never absent or dead when it pings once a minute and answers, whenever it is looked at",
      ),
      audience("stays listed in a hidden tab that pings once a minute: it is asked, and answers"),
      runtime("presence", "is not believed to have died when it answers: a hidden tab pings once a minute"),
    ],
  },
  {
    name: "a draft that stays when its room has slept",
    breaks: 7,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "if (participant) for (const id of drafts) this.#lostDrafts",
        replace: "if (participant) for (const id of drafts.slice(4)) this.#lostDrafts",
      },
    ],
    caughtBy: [
      audience("the drafts that were under way are lost, each once"),
      runtime("sleep", "does not keep its room awake; it is told as ended when the room wakes, and begins anew"),
    ],
  },
  {
    name: "a long poll's socket left behind",
    breaks: 9,
    edits: [
      {
        file: "api/room-reading.ts",
        find: "  } finally {\n    socket.close(1000);",
        replace: "  } finally {\n    if (wait < 0) socket.close(1000);",
      },
    ],
    caughtBy: [runtime("messages", "leaves no socket behind")],
  },
  {
    name: "a lease of an agent's that never ends",
    breaks: 8,
    edits: [
      {
        file: "party/reachability/reachability.ts",
        find: "(lease && isHeld(lease, this.#deps.now()) ? lease.hearing : undefined)",
        replace: "lease?.hearing",
      },
    ],
    caughtBy: [
      unit(
        "party/reachability/reachability",
        "by a bridge is told, goes on while the bridge is away for a moment, and ends by itself",
      ),
    ],
  },
  {
    name: "a lease that is forgotten by a room that sleeps between two questions",
    breaks: 8,
    edits: [
      {
        file: "party/reachability/reachability.ts",
        find: "this.#keptAt = Math.max(...loaded.map(({ at }) => at));",
        replace: "this.#keptAt = deps.now();",
      },
    ],
    caughtBy: [
      unit("party/reachability/reachability", "between two questions is no end of a lease, however often it comes"),
    ],
  },
  {
    name: "an agent that hears on though its person may not read any more",
    breaks: 8,
    edits: [
      {
        file: "party/open-room.ts",
        find: "changed: () => this.#endStrangers(),",
        replace: "changed: () => undefined,",
      },
    ],
    caughtBy: [
      runtime(
        "reachability",
        "hears no more when its person's key has ended, or when its person is no member any more",
      ),
    ],
  },
  {
    name: "a bridge that falls silent and is not lost",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "    this.#leavePresence(peer);\n    this.#agents.lose(peer);\n",
        replace: "    this.#leavePresence(peer);\n",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/agents/agent-connections",
        "is lost when it falls silent, and its agent is woken again when it speaks",
      ),
    ],
  },
  {
    name: "a sleep that hides the end of a lease",
    breaks: 8,
    edits: [
      {
        file: "party/reachability/reachability.ts",
        find: "deps.connected(sender) ?? asKept.get(sender)",
        replace: "(asKept.has(sender) ? this.#hearingOf(sender) : deps.connected(sender))",
      },
    ],
    caughtBy: [
      unit(
        "party/reachability/reachability",
        "does not hide the end of a lease: it is told with the next thing that is",
      ),
    ],
  },
  {
    name: "a bridge believed to come back whose key has ended",
    breaks: 8,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "this.#countOut(peer, !FINAL_CLOSE_CODES.includes(code));",
        replace: "this.#countOut(peer, !FINAL_CLOSE_CODES.includes(-code));",
      },
    ],
    caughtBy: [
      runtime(
        "reachability",
        "hears no more when its person's key has ended, or when its person is no member any more",
      ),
    ],
  },
  {
    name: "an agent that does not hear told of with each mention",
    breaks: 9,
    edits: [
      {
        file: "party/audience/agents/unheard-notices.ts",
        find: "const isNew = agents.filter((agent) => !told.includes(agent));",
        replace: "const isNew = agents.filter((agent) => !told.includes(agent.toUpperCase()));",
      },
    ],
    caughtBy: [
      runtime(
        "reachability",
        "over a socket is told so once, also over the room's sleep, and again when it has been back",
      ),
    ],
  },
];
