/** Bugs in what a room keeps: the log, its ids, the archive in D1, deletions. */

import { MODEL, type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const archive = (test: string): Witness => unit("party/archive/archive", test);
const copy = (test: string): Witness => unit("party/archive/copy", test);
const mover = (test: string): Witness => unit("party/archive/mover", test);
const log = (test: string): Witness => unit("party/log/room-log", test);
const reading = (test: string): Witness => unit("party/log/readable-log", test);
const submissions = (test: string): Witness => unit("party/writes/submissions", test);

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
    caughtBy: [
      reading("reads a bounded number of rows of a hundred thousand messages"),
      runtime("log-cost", "reads few rows at a wake, for a frame and for an upgrade, however long the room is"),
    ],
  },
  {
    name: "pairs counted on from an old dump as if nothing lay between",
    breaks: 3,
    edits: [
      {
        file: "party/log/room-log.ts",
        find: "if (isCheckpointDue) this.pairs.writeCheckpoint();",
        replace: "if (isCheckpointDue && this.copied === this.newest) this.pairs.writeCheckpoint();",
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
      {
        file: "party/log/known-pairs.ts",
        find: "    recent.passOver(head());\n",
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
    name: "a dead room's journal still writes",
    breaks: 6,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "if (this.#isClosed) throw new Closed();",
        replace: "if (this.#isClosed && this.newest < 0) throw new Closed();",
      },
    ],
    caughtBy: [
      reading("throws on each use and writes nothing: the storage is another room's"),
      archive("ends its copy quietly: nothing is noted, dropped, set aside or asked for"),
    ],
  },
  {
    name: "a late copy of a room that is gone",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-messages.ts",
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
        file: "party/archive/archive.ts",
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
        file: "party/archive/archive.ts",
        find: "    this.#upTo = this.#deps.journal.head;\n",
        replace: "    if (!this.#running) this.#upTo = this.#deps.journal.head;\n",
      },
    ],
    caughtBy: [archive("that comes while a copy is under way is in D1 when that copy ends")],
  },
  {
    name: "archive row dropped",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copy.ts",
        find: "body: await pack(messages)",
        replace: "body: await pack(messages.slice(0, Math.max(1, messages.length - 1)))",
      },
    ],
    caughtBy: [archive("brings every message to D1 as it is, and notes how far it is in the same transaction"), MODEL],
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
    edits: [
      {
        file: "party/archive/copy.ts",
        find: "new Set([...isNew, ...this.#deleted.map(firstOf)])",
        replace: "new Set(isNew)",
      },
    ],
    caughtBy: [
      archive("of a message that the room has pruned empties it in D1, where it is alone"),
      copy("of an old message rewrites its pack, in D1 alone, and leaves its neighbours as they are"),
    ],
  },
  {
    name: "delete that leaves content in rows of the older form",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copy.ts",
        find: "...(deleted.length > 0 ? [blankRows(db, room, deleted)] : []),",
        replace: "",
      },
    ],
    caughtBy: [mover("do not come back with a move that arrives late: neither their words, nor themselves")],
  },
  {
    name: "old words brought back by a late rewrite",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-messages.ts",
        find: "  WHERE excluded.revision > packs.revision`;",
        replace: "  WHERE excluded.revision > 0`;",
      },
    ],
    caughtBy: [
      copy("takes nothing away, and brings no word back"),
      copy("with an old pack that was rewritten again since brings no word back"),
    ],
  },
  {
    name: "old words brought back by a late move",
    breaks: 6,
    edits: [
      {
        file: "party/archive/d1-messages.ts",
        find: "AND last_seq = ?5",
        replace: "AND last_seq >= ?5",
      },
    ],
    caughtBy: [mover("do not come back with a move that arrives late: neither their words, nor themselves")],
  },
  {
    name: "a pack that has changed in D1 is noted as rewritten",
    breaks: 6,
    edits: [
      {
        file: "party/archive/copy.ts",
        find: "if (mark.last_seq >= expected && isBehind) throw",
        replace: "if (mark.last_seq > expected && isBehind) throw",
      },
    ],
    caughtBy: [copy("between the reading of an old pack and its rewriting is noticed: the copy is made again")],
  },
  {
    name: "a pack lost between write and mark",
    breaks: 6,
    edits: [
      {
        file: "party/archive/archive.ts",
        find: "      sent = await copy.send(",
        replace: "      journal.markArchived(copy.last);\n      sent = await copy.send(",
      },
    ],
    caughtBy: [
      archive("is waited out with longer and longer pauses, and then all is caught up"),
      runtime("outage", "a message is kept however often the archive fails, and its alarm is set again each time"),
    ],
  },
  {
    name: "history from D1 without a proof that it is whole",
    breaks: 5,
    edits: [
      {
        file: "api/room-reading.ts",
        find: "if (room.epoch === null || before - 1 > room.lastSeq) return undefined;",
        replace: "if (room.epoch === null) return undefined;",
      },
      {
        file: "api/room-reading.ts",
        find: "if (stored.length !== wanted || (stored[0]?.seq ?? first) !== first) return undefined;",
        replace: "if (wanted === 0) return undefined;",
      },
    ],
    caughtBy: [runtime("messages", "goes back before a seq, whatever of it D1 has already")],
  },
  {
    name: "loop guard forgotten in sleep",
    breaks: 7,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "this.run ??= this.#countAgentRun();",
        replace: "this.run ??= Math.min(0, this.newest);",
      },
    ],
    caughtBy: [
      log("is how many texts by agents came since the last by anyone else, over restarts, deletions left out"),
      submissions("counts on after a restart"),
      runtime("sleep", "counts agents' messages on for the loop guard"),
    ],
  },
  {
    name: "a full D1 that is asked at every turn",
    breaks: 6,
    edits: [
      {
        file: "party/archive/archive.ts",
        find: "if (this.#hold.left > 0 && this.lag > 0) {",
        replace: "if (this.#hold.left > 1e15 && this.lag > 0) {",
      },
    ],
    caughtBy: [
      archive("full, is asked seldom for an hour of traffic, and then has everything once (asleep: false)"),
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
    caughtBy: [archive("full, is asked seldom for an hour of traffic, and then has everything once (asleep: true)")],
  },
  {
    name: "messages set aside because D1 is full",
    breaks: 6,
    edits: [
      { file: "party/archive/archive.ts", find: "    if (limit) {\n", replace: "    if (limit && this.#isClosed) {\n" },
    ],
    caughtBy: [archive("sets no message aside, though D1 takes a smaller one")],
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
