/** What retention must never do, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const retention = (test: string): Witness => unit("party/retention/retention", test);
const seen = (test: string): Witness => runtime("retention", test);

export const PLANTED_IN_RETENTION: readonly PlantedBug[] = [
  {
    name: "retention that forgets D1",
    breaks: "retention",
    edits: [{ file: "party/log/room-log.ts", find: '        this.dirty.markPart("room");\n', replace: "" }],
    caughtBy: [
      unit("party/log/log-retention", "is hidden at once, and removed for good, with the pack at its end copied again"),
    ],
  },
  {
    name: "a cursor before what is gone resumes",
    breaks: "retention",
    edits: [
      {
        file: "party/log/pages.ts",
        find: "if (isOfAnotherHistory || after < log.first - 1)\n",
        replace: "if (isOfAnotherHistory)\n",
      },
    ],
    caughtBy: [
      retention("answers a cursor before it with reset, and one at its end with what comes after"),
      seen("answer a cursor before them with reset, on every transport, and a later one without"),
    ],
  },
  {
    name: "a page with what is gone",
    breaks: "retention",
    edits: [
      {
        file: "party/retention/retention.ts",
        find: "if (at !== undefined && at < before) this.#deps.log.hideBefore(before);",
        replace: "void at;",
      },
    ],
    caughtBy: [
      seen("are in no page, text, event, poll, socket or export from the moment on at which they are too old"),
    ],
  },
  {
    name: "a larger number brings back what was gone",
    breaks: "retention",
    edits: [
      {
        file: "api/rooms.ts",
        find: "return before === 0 ? null : new Date(before).toISOString();",
        replace: "return before >= 0 ? null : new Date(before).toISOString();",
      },
    ],
    caughtBy: [seen("stay gone when the room has lost its own storage, and when it keeps messages for longer again")],
  },
  {
    name: "a larger KEEP_DAYS brings back what was gone",
    breaks: "retention",
    edits: [
      {
        file: "party/retention/keep.ts",
        find: "[settings.keepDays ?? 0, deployment, knownKeepDays]",
        replace: "[settings.keepDays ?? 0, deployment, knownKeepDays].slice(0, 2)",
      },
    ],
    caughtBy: [
      retention(
        "does not come back when the deployment keeps messages for longer: the earlier bound holds until it is noted",
      ),
    ],
  },
  {
    name: "a late copy brings back what is gone",
    breaks: "retention",
    edits: [
      {
        file: "party/archive/d1-copy.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: "${THE_ROOM} AND copied_at < ${revision}`;",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: and this what takes its place
        replace: "${THE_ROOM} AND ${revision} > 0`;",
      },
    ],
    caughtBy: [unit("party/archive/d1-copy", "that comes late brings nothing of what is gone because of its age")],
  },
  {
    name: "a backup that keeps what is gone",
    breaks: "retention",
    edits: [
      {
        file: "api/local/backup/backup.ts",
        find: "    await writer.removeBelow(Math.max(row.first ?? 1, log.header.first ?? 1));\n",
        replace: "",
      },
    ],
    caughtBy: [
      unit("api/local/backup/backup", "are in no file any more after the next run, with nothing new or with much"),
    ],
  },
  {
    name: "a restore that brings back what is gone",
    breaks: "retention",
    edits: [
      {
        file: "api/local/restore/restore.ts",
        find: "if (message.seq >= first) yield message;",
        replace: "if (message.seq >= first || true) yield message;",
      },
    ],
    caughtBy: [
      unit(
        "api/local/restore/restore",
        "is not restored from a file that still has it, and the room goes on as it was",
      ),
    ],
  },
  {
    name: "a room whose messages are all gone counts from 1 again",
    breaks: "retention",
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "this.newest = Math.max(newest?.seq ?? 0, this.state.head, this.begin - 1);",
        replace: "this.newest = newest?.seq ?? 0;",
      },
    ],
    caughtBy: [
      unit("party/log/log-retention", "is hidden at once, and removed for good, with the pack at its end copied again"),
    ],
  },
  {
    name: "a message that is acknowledged while its silent room ends",
    breaks: "retention",
    edits: [
      {
        file: "party/room-lifecycle.ts",
        find: "    this.#resume = room.suspend();\n",
        replace: "    this.#resume = () => undefined;\n",
      },
    ],
    caughtBy: [unit("party/room-lifecycle", "takes no message from its last look on, and is gone with its row")],
  },
];
