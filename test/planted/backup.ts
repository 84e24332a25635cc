/** What a backup and a restore must never do, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const backup = (file: string, test: string): Witness => unit(`api/local/${file}`, test);
const DRILL: Witness = {
  project: "processes",
  file: "test/processes/backup.test.ts",
  test: "brings back every room, key, guest's name, setting, mute and deletion",
};

const operator = (test: string): Witness => runtime("operator", test);

export const PLANTED_IN_BACKUP: readonly PlantedBug[] = [
  {
    name: "deleted words that stay in a backup",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/room-file.ts",
        find: "if (this.#deleted.size > 0 || ",
        replace: "if (this.#deleted.size > 1e9 || ",
      },
    ],
    caughtBy: [
      backup("backup/room-file", "has no deleted words any more when the part with the deletion has ended"),
      DRILL,
    ],
  },
  {
    name: "erased words that stay in a later backup",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/room-file.ts",
        find: "|| this.#erasures.length > 0) await this.#rewrite();",
        replace: "|| this.#erasures.length > 1e9) await this.#rewrite();",
      },
    ],
    caughtBy: [
      backup("backup/room-file", "has nothing of an erased sender any more when the part with the erasure has ended"),
    ],
  },
  {
    name: "erased words that a restore brings back",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/room-reader.ts",
        find: '{ ...message, content: "" } : message, erasures);',
        replace: '{ ...message, content: "" } : message, erasures.slice(1));',
      },
    ],
    caughtBy: [
      backup("restore/restore", "brings nothing of an erased sender back, even from a file in which it stands"),
    ],
  },
  {
    name: "deleted words that a restore brings back",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/room-reader.ts",
        find: "const isEmpty = deleted.has(message.seq) && isSaid(message.kind);",
        replace: "const isEmpty = deleted.has(message.seq) && !isSaid(message.kind);",
      },
    ],
    caughtBy: [backup("restore/restore", "brings no deleted words back, even from a file in which they stand")],
  },
  {
    name: "a restore that forgets which asks are open when it was cut off",
    breaks: "backup",
    edits: [
      {
        file: "api/local/restore/writer.ts",
        find: "    follow(asks, message);\n    // The pack in which an earlier run has ended is written again, whole.\n    if (message.seq < firstOf(from + 1)) continue;\n",
        replace: "    if (message.seq < firstOf(from + 1)) continue;\n    follow(asks, message);\n",
      },
    ],
    caughtBy: [
      backup("restore/restore", "knows which asks are open, also when it goes on behind a batch that it has written"),
    ],
  },
  {
    name: "a torn tail that is restored",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/room-reader.ts",
        find: "for await (const bytes of linesOfFile(path, size)) {",
        replace: "for await (const bytes of linesOfFile(path, size + 1_000_000)) {",
      },
    ],
    caughtBy: [backup("restore/restore", "passes over what follows the last sum, and says so")],
  },
  {
    name: "a pepper that is left out of the backup",
    breaks: "backup",
    edits: [
      {
        file: "api/operator.ts",
        find: "{ records: await secretsOf(c.env.DB), next",
        replace: "{ records: (await secretsOf(c.env.DB)).slice(1), next",
      },
    ],
    caughtBy: [operator("has the pepper, each key and each room, whoever may see them otherwise"), DRILL],
  },
  {
    name: "a backup that believes D1 where a log ends",
    breaks: "backup",
    edits: [
      {
        file: "api/operator.ts",
        find: "end?.createdAt !== row.createdAt",
        replace: "end?.createdAt !== row.id",
      },
    ],
    caughtBy: [operator("says where a log ends by the room's own word, before D1 has heard of it")],
  },
  {
    name: "a symbolic link that a backup follows",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/links.ts",
        find: "if (!entry.isSymbolicLink()) continue;",
        replace: "if (!entry.isSymbolicLink() || entry.name !== '') continue;",
      },
    ],
    caughtBy: [
      backup("backup/backup", "follows no symbolic link, and says where it is"),
      backup("restore/restore", "when it has a symbolic link, wherever that leads"),
    ],
  },
  {
    name: "a renamed file that a power cut takes back",
    breaks: "backup",
    edits: [
      {
        file: "api/local/backup/backup.ts",
        find: "if (goesBeside || !known) await syncFolder",
        replace: "if (goesBeside && !known?.header) await syncFolder",
      },
    ],
    caughtBy: [
      backup("backup/backup", "has the names of its files on the disk, too, whether they are new, renamed or gone"),
    ],
  },
  {
    name: "wrong guesses that lock the operator out",
    breaks: "backup",
    edits: [
      {
        file: "api/guards/operator.ts",
        find: "if (secret !== undefined && isSame(presented, secret)) return undefined;\n",
        replace: "",
      },
    ],
    caughtBy: [operator("is guessed at only so often from one address, and wrong guesses lock nobody out")],
  },
  {
    name: "a warning of a full database by each isolate",
    breaks: "backup",
    edits: [{ file: "party/usage/fullness.ts", find: "if (!isFirst) return;", replace: "void isFirst;" }],
    caughtBy: [unit("party/usage/fullness", "is told of once a day, from 80 % on, whichever isolates see it")],
  },
  {
    name: "a usage that forgets what was not drawn",
    breaks: "backup",
    edits: [
      {
        file: "party/usage/usage-sampler.ts",
        find: "Math.floor(amount / step + this.#chance())",
        replace: "Math.floor(amount / step + this.#chance() / 2)",
      },
    ],
    caughtBy: [unit("party/usage/usage-sampler", "is right on average, however it comes in pieces")],
  },
  {
    name: "a room that is opened while it is restored",
    breaks: "backup",
    edits: [
      {
        file: "api/directory.ts",
        find: "if (row.pepper === null) throw new Refused(BEING_RESTORED);",
        replace: "if (row.pepper === '') throw new Refused(BEING_RESTORED);",
      },
    ],
    caughtBy: [runtime("outage", "no room is opened, listed or made, and each refusal says why")],
  },
  {
    name: "a pepper that is restored before the messages",
    breaks: "backup",
    edits: [
      {
        file: "api/local/restore/account-database.ts",
        find: 'if (record.type === "secret" && record.name === PEPPER) {',
        replace: 'if (record.type === "secret" && record.name === MARK) {',
      },
    ],
    caughtBy: [
      backup(
        "restore/account-database",
        "lets nobody into a room until all is there: without a pepper the Worker refuses",
      ),
    ],
  },
];
