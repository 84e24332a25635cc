/** Bugs in what a room keeps: the log, its ids, the archive in D1, deletions. */

import { MODEL, type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const log = (test: string): Witness => unit("party/log/room-log", test);
const readable = (test: string): Witness => unit("party/log/readable-log", test);
const marks = (test: string): Witness => unit("party/storage/dirty", test);
const copy = (test: string): Witness => unit("party/archive/d1-copy", test);
const rebuild = (test: string): Witness => unit("party/archive/rebuild", test);
const submissions = (test: string): Witness => unit("party/writes/submissions", test);

const copier = (test: string): Witness => unit("party/archive/copier", test);
const trouble = (test: string): Witness => unit("party/archive/copier-trouble", test);

const AT_REST = unit(
  "party/archive/copy-model",
  "at rest the copy in D1 equals the room, and a room that is rebuilt from it equals it, too",
);

export const PLANTED_IN_LOG: readonly PlantedBug[] = [
  {
    name: "deletions looked for in every row",
    breaks: 9,
    edits: [
      {
        file: "party/log/messages-table.ts",
        find: "m.seq = (SELECT changed FROM messages WHERE seq = ?) AND m.kind = 'deletion'",
        replace: "m.ref = ? AND m.kind = 'deletion'",
      },
    ],
    caughtBy: [readable("reads a bounded number of rows of a hundred thousand messages")],
  },
  {
    name: "pairs counted on from an old dump as if nothing lay between",
    breaks: 3,
    edits: [
      {
        file: "party/log/room-log.ts",
        find: "if (isCheckpointDue) this.pairs.writeCheckpoint();",
        replace: "if (isCheckpointDue && this.copied === this.head) this.pairs.writeCheckpoint();",
      },
      {
        file: "party/log/known-pairs.ts",
        find: "const known = isUsable ? dumped.last : Math.max(head() - RECENT, oldest() - 1);",
        replace: "const known = Math.max(dumped?.last ?? 0, head() - RECENT, oldest() - 1);",
      },
      {
        file: "party/log/recent-ids.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "else if (seq !== this.last + 1) throw new RangeError(`Message ${seq} does not follow ${this.last}.`);\n",
        replace: "\n",
      },
      {
        file: "party/log/known-pairs.ts",
        find: "    recent.passOver(seq - 1);\n",
        replace: "",
      },
    ],
    caughtBy: [log("are recognised when D1 has")],
  },
  {
    name: "pairs noted before the transaction",
    breaks: 3,
    edits: [
      {
        file: "party/log/room-log.ts",
        find: "    for (const message of placed) recent.add(message.seq, message.sender, message.id);\n",
        replace: "",
      },
      {
        file: "party/log/room-log.ts",
        find: "    const isCheckpointDue =",
        replace:
          "    for (const message of placed) recent.add(message.seq, message.sender, message.id);\n    const isCheckpointDue =",
      },
    ],
    caughtBy: [log("are not confused by a batch that was not kept")],
  },
  {
    name: "a dead room's log still writes",
    breaks: 6,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "if (this.#isClosed) throw new Closed();",
        replace: "if (this.#isClosed && this.state === NOT_STARTED) throw new Closed();",
      },
    ],
    caughtBy: [readable("throws on each use and writes nothing: the storage is another room's")],
  },
  {
    name: "a late copy of a room that is gone",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        find: 'export const THE_ROOM = "id = ?1 AND created_at = COALESCE(?2, created_at)";',
        replace: 'export const THE_ROOM = "id = ?1 AND ?2 = ?2";',
      },
    ],
    caughtBy: [copy("for a room that is gone gets nothing into another with its id")],
  },
  {
    name: "an archive that a failure puts to sleep",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "    this.#dueAt = now() + retryDelay(this.#failures);\n",
        replace: "    this.#dueAt = undefined;\n",
      },
    ],
    caughtBy: [trouble("makes longer and longer pauses, which nothing that is said meanwhile cuts short")],
  },
  {
    name: "a change that a copy under way takes for copied",
    breaks: 6,
    edits: [
      {
        file: "party/storage/dirty.ts",
        find: "copied.filter((one) => !marked.has(one))",
        replace: "copied.filter((one) => !marked.has(one) || copied.length > 0)",
      },
    ],
    caughtBy: [marks("takes what it has copied off, but for what was marked since it began")],
  },
  {
    name: "a copy that was given up and then takes marks back",
    breaks: 6,
    edits: [
      {
        file: "party/storage/dirty.ts",
        find: "        if (this.#sinceFlight !== marked) return;\n",
        replace: "",
      },
    ],
    caughtBy: [marks("that never ended takes nothing off when it ends after the next has begun")],
  },
  {
    name: "archive row dropped",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "await pack(messages)",
        replace: "await pack(messages.slice(0, Math.max(1, messages.length - 1)))",
      },
    ],
    caughtBy: [AT_REST, MODEL],
  },
  {
    name: "dedupe by id without sender",
    breaks: 3,
    edits: [
      {
        file: "party/log/readable-log.ts",
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
      log("finds a message by its sender and id, and nobody else's"),
      submissions("and an id is one sender's: a person and their agent may use the same"),
      MODEL,
    ],
  },
  {
    name: "delete that leaves content in D1",
    breaks: 6,
    edits: [{ file: "party/log/room-log.ts", find: "      this.dirty.markPacks(deleted);\n", replace: "" }],
    caughtBy: [
      log("is the first one, is found by its message, and has its pack copied again"),
      copier("of a change of an old message, too"),
    ],
  },
  {
    name: "delete that leaves content in rows of the older form",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        find: "    ...(packs.length > 0\n",
        replace: "    ...(packs.length > 1e9\n",
      },
    ],
    caughtBy: [copy("rows of the older form go with the pack that has taken them up")],
  },
  {
    name: "old words brought back by a late copy",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        find: "  WHERE excluded.revision > packs.revision`;",
        replace: "  WHERE excluded.revision > 0`;",
      },
    ],
    caughtBy: [copy("that comes late, or twice, brings no word back and takes nothing away")],
  },
  {
    name: "a removed member, or an open ask, brought back by a late copy",
    breaks: 11,
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        find: "  WHERE excluded.revision > room_state.revision`;",
        replace: "  WHERE excluded.revision > 0`;",
      },
      {
        file: "party/archive/d1-copy.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "${THE_ROOM} AND copied_at < ${revision}`;",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: and this what takes its place
        replace: "${THE_ROOM} AND ${revision} > 0`;",
      },
    ],
    caughtBy: [copy("that comes late, or twice, brings no word back and takes nothing away")],
  },
  {
    name: "a D1 that was set back unnoticed",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "if (mark.copied_at < log.revision) return",
        replace: "if (mark.copied_at < log.revision && this.#isClosed) return",
      },
    ],
    caughtBy: [trouble("is given all of it again, and nothing of whom was erased since")],
  },
  {
    name: "a D1 that was set back and claims what it has lost",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        find: "AND copied_at < ?6 AND copied_at >= ?7`",
        replace: "AND copied_at < ?6 AND ?7 = ?7`",
      },
    ],
    caughtBy: [copy("a D1 that was set back does not claim what it has lost")],
  },
  {
    name: "members and asks forgotten by a D1 that was set back",
    breaks: 6,
    edits: [
      {
        file: "party/log/room-log.ts",
        find: "for (const part of PARTS) this.dirty.markPart(part);",
        replace: "for (const part of PARTS.slice(0, 1)) this.dirty.markPart(part);",
      },
    ],
    caughtBy: [unit("party/log/log-retention", "is all there is, when D1 was set back")],
  },
  {
    name: "a pack lost between write and mark",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "    let answers: { results: unknown[] }[];\n",
        replace: "    log.markCopied(last, log.revision);\n    let answers: { results: unknown[] }[];\n",
      },
    ],
    caughtBy: [trouble("(full) is left alone, over a restart, and then takes everything"), AT_REST],
  },
  {
    name: "a fill that leaves a gap",
    breaks: 4,
    edits: [
      {
        file: "party/archive/rebuild.ts",
        find: "log.fill(messages, Math.max(from, log.first));",
        replace: "log.fill(messages, from > 0 ? log.first : log.first);",
      },
    ],
    caughtBy: [rebuild("has all of it again, step by step, in another epoch, and goes on")],
  },
  {
    name: "a page over what is not back yet",
    breaks: 5,
    edits: [
      {
        file: "party/log/pages.ts",
        find: "if (bound !== undefined && bound > log.first && before <= log.oldest && !log.isWhole) return BROUGHT_BACK;",
        replace: "",
      },
      { file: "party/log/pages.ts", find: "if (after < log.oldest - 1) return BROUGHT_BACK;", replace: "" },
    ],
    caughtBy: [rebuild("says of what is not back yet that it is not, and never shows a gap")],
  },
  {
    name: "a retry not recognised while older messages are away",
    breaks: 3,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "return this.isWhole || this.newest - this.oldest >= RECENT;",
        replace: "return this.isWhole || RECENT > 0;",
      },
    ],
    caughtBy: [rebuild("does not take a retry of what is still away for a new message")],
  },
  {
    name: "loop guard forgotten in sleep",
    breaks: 7,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "this.run ??= this.#countAgentRun();",
        replace: "this.run ??= 0 * this.#countAgentRun();",
      },
    ],
    caughtBy: [
      log("is how many texts by agents came since the last by anyone else, over restarts, deletions left out"),
      submissions("counts on after a restart"),
      runtime("sleep", "counts agents' messages on for the loop guard"),
    ],
  },
  {
    name: "an alarm that waits for a follower that hangs",
    breaks: 8,
    edits: [
      {
        file: "party/follower.ts",
        find: "await Promise.race([Promise.all(this.#running.values()), late.promise]);",
        replace: "await Promise.all(this.#running.values());",
      },
    ],
    caughtBy: [unit("party/follower", "one that hangs delays no other, and no alarm by more than two seconds")],
  },
  {
    name: "a full D1 that is asked at every turn",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "this.isBehind && this.#hold.left === 0) {",
        replace: "this.isBehind && this.#hold.left < 1e15) {",
      },
    ],
    caughtBy: [
      trouble("(full) is left alone, over a restart, and then takes everything"),
      runtime(
        "outage",
        "people go on talking, the owner is told, and what was said arrives once when there is room again",
      ),
    ],
  },
  {
    name: "a limit of D1's forgotten in sleep",
    breaks: 6,
    edits: [
      {
        file: "party/archive/database-hold.ts",
        find: "this.#hold = deps.holds.load();",
        replace: "this.#hold = undefined;",
      },
    ],
    caughtBy: [
      unit(
        "party/archive/database-hold",
        "a limit of D1's is kept over a restart, told once, and over when D1 takes something",
      ),
    ],
  },
  {
    name: "messages set aside because D1 is full",
    breaks: 6,
    edits: [
      { file: "party/archive/copier.ts", find: "    if (limit) {\n", replace: "    if (limit && this.#isClosed) {\n" },
    ],
    caughtBy: [trouble("(full) is left alone, over a restart, and then takes everything")],
  },
  {
    name: "a copy without a turn",
    breaks: 9,
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "return gate.bucket.spend(now()) ? 0 : spread(2_000);",
        replace: "return gate.bucket.spend(now()) ? 0 : 0;",
      },
    ],
    caughtBy: [copier("so many times a second by all rooms together, whatever they have to say")],
  },
  {
    name: "a hung D1 that a copy waits for",
    breaks: 6,
    edits: [
      {
        file: "party/archive/bounded-database.ts",
        find: 'withDeadline(answer, QUERY_WITHIN, "D1")',
        replace: 'withDeadline(answer, 2 ** 31 - 1 + 0 * QUERY_WITHIN, "D1")',
      },
    ],
    caughtBy: [unit("party/room-lifecycle", "holds up no copy for ever: the next one brings what was said")],
  },
];
