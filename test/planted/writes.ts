/** Bugs between a submission and its place in the log. */

import { MODEL, type PlantedBug, unit, type Witness } from "./planted-bug.ts";

const submissions = (test: string): Witness => unit("party/writes/submissions", test);

export const PLANTED_IN_WRITES: readonly PlantedBug[] = [
  {
    name: "no dedupe",
    breaks: 3,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "const earlier = log.find(sender, id);\n    if (earlier) return repetition(entry, earlier);",
        replace:
          "const earlier = log.find(sender, id) && undefined;\n    if (earlier) return repetition(entry, earlier);",
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
        replace: "this.seqBefore = this.#deps.log.head;\n    const refusal = this.#lanes.add(entry);",
      },
      {
        file: "party/writes/submissions.ts",
        find: "  #closed = false;",
        replace: "  #closed = false;\n  seqBefore = 0;",
      },
      {
        file: "party/writes/submissions.ts",
        find: "return log.append(messages, now());",
        replace: "return log.append(messages, now(), this.seqBefore);",
      },
      {
        file: "party/log/room-log.ts",
        find: "append(unplaced: readonly Unplaced[], now: number): StoredMessage[] {",
        replace: "append(unplaced: readonly Unplaced[], now: number, seqBefore = this.newest): StoredMessage[] {",
      },
      { file: "party/log/room-log.ts", find: "let seq = this.newest;", replace: "let seq = seqBefore;" },
    ],
    caughtBy: [
      submissions("is given its seqs after the Limiters have answered, so that two batches never get the same"),
    ],
  },
  {
    name: "send before commit",
    breaks: 1,
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "const placed = this.#place(placing);",
        replace: `const { log } = this.#deps;
    publish(placing.map(({ entry }, index) => ({ ...entry.message, seq: log.head + 1 + index, at: 0 })));
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
        find: 'logEvent("room.update_not_told", { room: this.#deps.record().id, error });',
        replace: "throw error;",
      },
    ],
    caughtBy: [submissions("that is on disk is never reported as not kept, whatever goes wrong in telling of it")],
  },
];
