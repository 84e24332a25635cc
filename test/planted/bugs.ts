/**
 * Bugs that a room must never have, as changes to its source, each with a test that has to notice. They show that the
 * tests can fail: a promise whose test stays green with its bug planted is not tested.
 */

/** One place of the source that is changed. `find` stands there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A test by its project, its file and its full name, or a piece of it. */
export interface Witness {
  readonly project: "unit" | "runtime" | "processes";
  readonly file: string;
  readonly test: string;
}

export interface PlantedBug {
  readonly name: string;
  /** Which of the design's promises, by its number, or what else is not kept. */
  readonly breaks: number | "keys" | "quotas" | "deletion";
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Witness[];
}

const MODEL: Witness = {
  project: "runtime",
  file: "test/runtime/model.test.ts",
  test: "does what the model of a room does, whatever happens to it",
};

const unit = (file: string, test: string): Witness => ({ project: "unit", file: `party/${file}.test.ts`, test });
const submissions = (test: string): Witness => ({ project: "unit", file: "party/writes/submissions.test.ts", test });
const audience = (test: string): Witness => ({
  project: "unit",
  file: "party/audience/audience.test.ts",
  test,
});
const archive = (test: string): Witness => ({ project: "unit", file: "party/log/archive.test.ts", test });
const journal = (test: string): Witness => ({ project: "unit", file: "party/log/journal.test.ts", test });

const runtime = (name: string, test: string): Witness => ({
  project: "runtime",
  file: `test/runtime/${name}.test.ts`,
  test,
});

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "deletions looked for in every row",
    breaks: 9,
    edits: [
      {
        file: "party/log/segments.ts",
        find: "(ref) WHERE kind = 'deletion'`);",
        replace: "(at) WHERE kind = 'deletion'`);",
      },
    ],
    caughtBy: [
      journal("is found in an index, in each segment, and costs nothing for those that are none"),
      runtime("log-cost", "reads few rows at a wake, for a frame and for an upgrade, however long the room is"),
    ],
  },
  {
    name: "pairs counted on from an old dump as if nothing lay between",
    breaks: 3,
    edits: [
      {
        file: "party/log/journal.ts",
        find: "if (isCheckpointDue) this.#writeCheckpoint(recent, runBefore);",
        replace: "if (isCheckpointDue && this.#archived === this.#head) this.#writeCheckpoint(recent, runBefore);",
      },
      {
        file: "party/log/journal.ts",
        find: "const known = isUsable ? dumped.last : Math.max(this.#head - RECENT, this.oldest - 1);",
        replace: "const known = Math.max(dumped?.last ?? 0, this.#head - RECENT, this.oldest - 1);",
      },
      {
        file: "party/log/recent-ids.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "else if (seq !== this.last + 1) throw new RangeError(`Message ${seq} does not follow ${this.last}.`);\n",
        replace: "\n",
      },
      {
        file: "party/log/journal.ts",
        find: "    recent.passOver(seq - 1);\n",
        replace: "",
      },
    ],
    caughtBy: [journal("are recognised when D1 has")],
  },
  {
    name: "pairs noted before the transaction",
    breaks: 3,
    edits: [
      {
        file: "party/log/journal.ts",
        find: "    for (const message of placed) recent.add(message.seq, message.sender, message.id);\n",
        replace: "",
      },
      {
        file: "party/log/journal.ts",
        find: "    const isCheckpointDue =",
        replace:
          "    for (const message of placed) recent.add(message.seq, message.sender, message.id);\n    const isCheckpointDue =",
      },
    ],
    caughtBy: [journal("are not confused by a batch that was not kept")],
  },
  {
    name: "a dead room's journal still writes",
    breaks: 6,
    edits: [
      {
        file: "party/log/journal.ts",
        find: "if (this.#isClosed) throw new Closed();",
        replace: "if (this.#isClosed && this.#epoch === null) throw new Closed();",
      },
    ],
    caughtBy: [
      journal("throws on each use and writes nothing: the storage is another room's"),
      archive("ends its copy quietly: nothing is noted, dropped, set aside or asked for"),
    ],
  },
  {
    name: "a late copy of a room that is gone",
    breaks: 6,
    edits: [
      {
        file: "party/log/archived-messages.ts",
        find: 'const THE_ROOM = "id = ?1 AND created_at = COALESCE(?2, created_at)";',
        replace: 'const THE_ROOM = "id = ?1 AND ?2 = ?2";',
      },
    ],
    caughtBy: [archive("gets nothing of the old one, however late its last copy arrives")],
  },
  {
    name: "an archive that a failure puts to sleep",
    breaks: 6,
    edits: [
      {
        file: "party/log/archive.ts",
        find: "      this.#rearm(error);\n",
        replace: "      console.error(error);\n",
      },
    ],
    caughtBy: [archive("the archive asks to be woken again, and catches up")],
  },
  {
    name: "a deletion that a copy under way leaves for later",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/archive.ts",
        find: "    this.#upTo = this.#deps.journal.head;\n",
        replace: "    if (!this.#running) this.#upTo = this.#deps.journal.head;\n",
      },
    ],
    caughtBy: [archive("that comes while a copy is under way is in D1 when that copy ends")],
  },
  {
    name: "no dedupe",
    breaks: 3,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "const earlier = this.#deps.journal.find(sender, id);",
        replace: "const earlier = this.#deps.journal.find(sender, id) && undefined;",
      },
    ],
    caughtBy: [submissions("over batches: the first one's seq, nothing stored, no quota asked"), MODEL],
  },
  {
    name: "seq taken before an await",
    breaks: 2,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "const refusal = this.#lanes.add(entry);",
        replace: "this.seqBefore = this.#deps.journal.head;\n    const refusal = this.#lanes.add(entry);",
      },
      {
        file: "party/writes/submissions.ts",
        find: "  #closed = false;",
        replace: "  #closed = false;\n  seqBefore = 0;",
      },
      {
        file: "party/writes/submissions.ts",
        find: "return journal.append(messages, now());",
        replace: "return journal.append(messages, now(), this.seqBefore);",
      },
      {
        file: "party/log/journal.ts",
        find: "append(messages: readonly Unplaced[], now: number): StoredMessage[] {",
        replace: "append(messages: readonly Unplaced[], now: number, seqBefore = this.#head): StoredMessage[] {",
      },
      { file: "party/log/journal.ts", find: "let seq = this.#head;", replace: "let seq = seqBefore;" },
    ],
    caughtBy: [
      submissions("is given its seqs after the Limiters have answered, so that two batches never get the same"),
    ],
  },
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
    name: "send before commit",
    breaks: 1,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "const placed = this.#place(placing);",
        replace: `const { journal } = this.#deps;
    publish(placing.map(({ entry }, index) => ({ ...entry.message, seq: journal.head + 1 + index, at: 0 })));
    const placed = this.#place(placing);`,
      },
      {
        file: "party/writes/submissions.ts",
        find: "publish(isFault(placed) ? [] : placed);",
        replace: "",
      },
    ],
    caughtBy: [submissions("acknowledges nothing, tells nobody, and takes the next"), MODEL],
  },
  {
    name: "archive row dropped",
    breaks: 6,
    edits: [
      {
        file: "party/log/archived-messages.ts",
        find: ".bind(room.id, room.createdAt ?? null, JSON.stringify(rows))",
        replace: ".bind(room.id, room.createdAt ?? null, JSON.stringify(rows.slice(0, Math.max(1, rows.length - 1))))",
      },
    ],
    caughtBy: [archive("brings every message to D1 as it is, and notes how far it is in the same transaction"), MODEL],
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
    caughtBy: [unit("audience/audience", "loses somebody with their last socket, once, however it ends"), MODEL],
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
      unit("audience/audience", "never counts less than nobody, whatever is found at the first look after a wake"),
      unit("audience/audience", "is counted from the sockets there are, also by a room that has just woken"),
    ],
  },
  {
    name: "dedupe by id without sender",
    breaks: 3,
    edits: [
      {
        file: "party/log/journal.ts",
        find: "if (message?.sender === sender && message.id === id) return message;",
        replace: "if (message?.id === id) return message;",
      },
      {
        file: "party/log/recent-ids.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "const text = `${sender} ${id}`;",
        replace: "const text = sender && id;",
      },
      {
        file: "party/writes/entry.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "`${sender} ${id}`",
        replace: "sender && id",
      },
    ],
    caughtBy: [
      journal("finds a message by its sender and id, and nobody else's"),
      submissions("and an id is one sender's: a person and their agent may use the same"),
      MODEL,
    ],
  },
  {
    name: "the last that waits is first in its batch",
    breaks: 2,
    edits: [
      { file: "party/writes/lane.ts", find: "this.#waiting.push(entry);", replace: "this.#waiting.unshift(entry);" },
    ],
    caughtBy: [
      submissions("keeps one author's messages in the order of their coming, and asks once for all that wait"),
    ],
  },
  {
    name: "everybody waits for the slowest Limiter",
    breaks: 9,
    edits: [
      {
        file: "party/writes/lanes.ts",
        find: "const lane = this.#lanes.get(name);",
        replace: "const lane = [...this.#lanes.values()][0];",
      },
    ],
    caughtBy: [submissions("makes nobody wait for another author's Limiter")],
  },
  {
    name: "a flood waits for a Limiter without a bound",
    breaks: 9,
    edits: [
      {
        file: "party/writes/lane.ts",
        find: "if (this.#waiting.length >= LANE_BOUND.messages || this.#characters + length > LANE_BOUND.characters) {",
        replace: "if (this.#waiting.length < 0) {",
      },
    ],
    caughtBy: [
      submissions("is bounded: beyond it an author is told to slow down, and others are not"),
      submissions("is bounded in characters too"),
    ],
  },
  {
    name: "a message that is on disk is reported as not kept",
    breaks: 6,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: 'console.error("An update could not be told", { room: this.#deps.record().id, error });',
        replace: "throw error;",
      },
    ],
    caughtBy: [submissions("that is on disk is never reported as not kept, whatever goes wrong in telling of it")],
  },
  {
    name: "delete that leaves content in D1",
    breaks: 6,
    edits: [
      {
        file: "party/log/archived-messages.ts",
        find: "return deleted.length === 0 ?",
        replace: "return deleted.length >= 0 ?",
      },
    ],
    caughtBy: [
      archive("empties its target in D1 in the transaction that copies it"),
      archive("of a message that the room has pruned empties it in D1, where it is alone"),
      MODEL,
    ],
  },
  {
    name: "history from D1 without a proof that it is whole",
    breaks: 5,
    edits: [
      {
        file: "api/messages.ts",
        find: "if (room.epoch === null || before - 1 > room.lastSeq) return undefined;",
        replace: "if (room.epoch === null) return undefined;",
      },
      {
        file: "api/messages.ts",
        find: "if (!first || first.seq !== before - wanted || stored.length !== wanted) return undefined;",
        replace: "if (!first || wanted === 0) return undefined;",
      },
    ],
    caughtBy: [runtime("messages", "goes back before a seq, whatever of it D1 has already")],
  },
  {
    name: "loop guard forgotten in sleep",
    breaks: 7,
    edits: [
      {
        file: "party/log/journal.ts",
        find: "this.#agentRun = agentRunAfter(log?.agent_run ?? 0, this.after(counted, this.#head - counted));",
        replace: "this.#agentRun = Math.min(0, counted);",
      },
    ],
    caughtBy: [
      journal("is how many texts by agents came since the last by anyone else, over restarts, deletions left out"),
      submissions("counts on after a restart"),
      runtime("sleep", "counts agents' messages on for the loop guard"),
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
        "audience/updates",
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
        "audience/drafts",
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
      unit("audience/audience", "is sent its first window and no more, however much is said; others go on"),
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
        find: "(flow.owesSince ?? now) >= FLOW.answerWithin);",
        replace: "(flow.owesSince ?? now) >= FLOW.answerWithin * 1_000);",
      },
    ],
    caughtBy: [
      unit(
        "audience/audience",
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
      unit("audience/audience", "counts for its address until its close is confirmed, and for nothing else"),
      unit("audience/audience", "leaves its address no room for as many again, as long as what it holds is unread"),
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
      unit("audience/audience", "gets what it missed when it answers, in order and once, and is in the flow again"),
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
        find: 'return { verdict: "ask", next: Math.max(HEARTBEAT.unlistAfter - silentFor, ANSWER_TAKES) };',
        replace: 'return { verdict: "absent", next: HEARTBEAT.closeAfter - silentFor };',
      },
    ],
    caughtBy: [
      unit(
        "audience/liveness",
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
        file: "api/messages.ts",
        find: "  } finally {\n    socket.close(1000);",
        replace: "  } finally {\n    if (wait < 0) socket.close(1000);",
      },
    ],
    caughtBy: [runtime("messages", "leaves no socket behind")],
  },
];
