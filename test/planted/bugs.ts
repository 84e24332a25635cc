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
const audience = (test: string): Witness => unit("audience/audience", test);
const admission = (test: string): Witness => ({ project: "unit", file: "party/writes/admission.test.ts", test });
const archive = (test: string): Witness => ({ project: "unit", file: "party/log/archive.test.ts", test });
const journal = (test: string): Witness => ({ project: "unit", file: "party/log/journal.test.ts", test });

const runtime = (name: string, test: string): Witness => ({
  project: "runtime",
  file: `test/runtime/${name}.test.ts`,
  test,
});

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "no dedupe",
    breaks: 3,
    edits: [
      {
        file: "party/writes/admission.ts",
        find: "const earlier = journal.find(sender, id);",
        replace: "const earlier = journal.find(sender, id) && undefined;",
      },
    ],
    caughtBy: [admission("over batches: the first one's seq, nothing stored, no quota asked"), MODEL],
  },
  {
    name: "seq taken before an await",
    breaks: 2,
    edits: [
      {
        file: "party/writes/admission.ts",
        find: "const answers = await this.#askLimiters(asking);",
        replace: "const seqBefore = journal.head;\n    const answers = await this.#askLimiters(asking);",
      },
      {
        file: "party/writes/admission.ts",
        find: "          now(),\n        );",
        replace: "          now(),\n          seqBefore,\n        );",
      },
      {
        file: "party/log/journal.ts",
        find: "append(messages: readonly Unplaced[], now: number): StoredMessage[] {",
        replace: "append(messages: readonly Unplaced[], now: number, seqBefore = this.#head): StoredMessage[] {",
      },
      { file: "party/log/journal.ts", find: "let seq = this.#head;", replace: "let seq = seqBefore;" },
    ],
    caughtBy: [admission("is given its seqs after the Limiters have answered, so that two batches never get the same")],
  },
  {
    name: "resume off by one",
    breaks: 4,
    edits: [
      {
        file: "party/audience/flow/welcomes.ts",
        find: "log.jsonAfter(from + count, READ_AT_ONCE)",
        replace: "log.jsonAfter(from + 1 + count, READ_AT_ONCE)",
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
        file: "party/writes/admission.ts",
        find: "        const placed = journal.append(\n",
        replace: `        publish(
          placing.map(({ message }, index) => ({ ...message, seq: journal.head + 1 + index, at: now() })),
        );
        const placed = journal.append(\n`,
      },
      { file: "party/writes/admission.ts", find: "        publish(placed);\n", replace: "" },
    ],
    caughtBy: [admission("acknowledges nothing, tells nobody, and takes the next"), MODEL],
  },
  {
    name: "archive row dropped",
    breaks: 6,
    edits: [
      {
        file: "party/log/archive.ts",
        find: ".bind(room, JSON.stringify(rows))",
        replace: ".bind(room, JSON.stringify(rows.slice(0, Math.max(1, rows.length - 1))))",
      },
    ],
    caughtBy: [archive("brings every message to D1 as it is, and notes how far it is in the same transaction"), MODEL],
  },
  {
    name: "presence stored",
    breaks: 8,
    edits: [
      {
        file: "party/chat-room.ts",
        find: "takePresenceChange: () => this.#audience.takePresenceChange(),",
        replace: `takePresenceChange: () => {
        const change = this.#audience.takePresenceChange();
        if (change) ctx.storage.kv.put("people", this.#audience.presence.told().people);
        return change;
      },`,
      },
      {
        file: "party/chat-room.ts",
        find: "        drafts: () => this.#drafts.told(),",
        replace: `        drafts: () => this.#drafts.told(),
        presence: () => ({
          ...this.#audience.presence.told(),
          people: ctx.storage.kv.get<string[]>("people") ?? [],
        }),`,
      },
      {
        file: "party/audience/audience.ts",
        find: "        presence: () => this.#presence.told(),",
        replace: "        presence: () => this.#presence.told(),\n        ...deps.told,",
      },
    ],
    caughtBy: [runtime("presence", "is who is connected and nobody else: who was here before a crash is not"), MODEL],
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
        file: "party/writes/admission.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "const first = firsts.get(`${sender} ${id}`);",
        replace: "const first = sender ? [...firsts.values()].find(({ message }) => message.id === id) : undefined;",
      },
    ],
    caughtBy: [
      journal("finds a message by its sender and id, and nobody else's"),
      admission("and an id is one sender's: a person and their agent may use the same"),
      MODEL,
    ],
  },
  {
    name: "batch order by arrival of admission",
    breaks: 2,
    edits: [
      {
        file: "party/writes/admission.ts",
        find: "for (const entry of asking) {\n      const answer",
        replace: `const byAnswer = [...answers.keys(), ...asking.filter((entry) => !answers.has(entry))];
    for (const entry of byAnswer) {
      const answer`,
      },
    ],
    caughtBy: [admission("gets its places in the order of its coming, whoever's Limiter answers first")],
  },
  {
    name: "delete that leaves content in D1",
    breaks: 6,
    edits: [
      {
        file: "party/log/archive.ts",
        find: "      ...(deleted.length > 0 ? [db.prepare(BLANK).bind(room, JSON.stringify(deleted))] : []),\n",
        replace: "      ...(deleted.length > batch.length ? [db.prepare(BLANK)] : []),\n",
      },
    ],
    caughtBy: [archive("empties its target in D1 in the transaction that copies it"), MODEL],
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
        file: "party/writes/admission.ts",
        find: "this.#agentRun = person === -1 ? senders.length : person;",
        replace: "this.#agentRun = person === -1 ? 0 : person * 0;",
      },
    ],
    caughtBy: [
      admission("counts on after a restart"),
      runtime("sleep", "counts agents' messages on for the loop guard"),
    ],
  },
  {
    name: "a timer that keeps the room awake when the last draft has ended",
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
        "keep no timer once they are told, and so nothing awake, however long they are under way (promise 7)",
      ),
    ],
  },
  {
    name: "slow readers kept for ever",
    breaks: 9,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "now - (flow.owesSince ?? now) >= FLOW.answerWithin",
        replace: "now - (flow.owesSince ?? now) >= FLOW.answerWithin * 1_000",
      },
    ],
    caughtBy: [
      audience("is closed with 4413 when it has owed the answer for too long, by the alarm that was asked for"),
      runtime("flow", "a reader that answers stays; one that does not is closed with 4413 by the alarm, and resumes"),
    ],
  },
  {
    name: "readers of a long backlog taken for slow",
    breaks: 4,
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "!welcome.isWhole) this.#pause(peer, welcome.to);",
        replace: "!welcome.isWhole) this.#deps.closeSlow(peer);",
      },
    ],
    caughtBy: [
      audience("is sent it a window at a time, whole, and is blamed for nothing (promise 4)"),
      runtime("flow", "is no reason to call its reader slow: it comes a window at a time, whole"),
    ],
  },
  {
    name: "stalled readers sent to without end",
    breaks: 9,
    edits: [
      {
        file: "party/audience/flow/flow-control.ts",
        find: "return this.#unread === 0 || this.#unread + bytes <= window;",
        replace: "return this.#unread + bytes <= window * 1_000;",
      },
    ],
    caughtBy: [
      audience("is sent its first window and no more, however much is said; others go on"),
      runtime(
        "flow",
        "a reader that does not answer is sent its first window and no more, and the rest when it answers",
      ),
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
    name: "a closed socket that no longer counts",
    breaks: 9,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "    this.#ledger.close(socket, { address: state.address, bytes: unread });\n",
        replace: `    this.#ledger.close(socket, { address: state.address, bytes: unread });
    this.#ledger.confirm(socket);
`,
      },
    ],
    caughtBy: [
      audience("counts for its address until its close is confirmed, and for nothing else"),
      audience("leaves its address no room for as many again, as long as what it holds is unread"),
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
      audience("stays listed in a hidden tab that pings once a minute: it is asked, and answers (promise 8)"),
      runtime("presence", "is not believed to have died when it answers: a hidden tab pings once a minute"),
    ],
  },
  {
    name: "empty drafts without a cap",
    breaks: 9,
    edits: [
      {
        file: "party/audience/drafts.ts",
        find: "if (own.length >= MOST_DRAFTS.principal) {",
        replace: "if (own.filter(({ bytes }) => bytes > 0).length >= MOST_DRAFTS.principal) {",
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
    name: "a draft that stays when its room has slept",
    breaks: 7,
    edits: [
      {
        file: "party/audience/audience.ts",
        find: "for (const id of drafts) this.#deps.draftLost(participant.sender, id);",
        replace: "for (const id of drafts.slice(4)) this.#deps.draftLost(participant.sender, id);",
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
