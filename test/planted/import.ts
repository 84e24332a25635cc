/** What an import must never do, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, unit, type Witness } from "./planted-bug.ts";

const rule = (test: string): Witness => unit("api/local/import/run", test);
const source = (test: string): Witness => unit("api/local/import/source-file", test);

export const PLANTED_IN_IMPORT: readonly PlantedBug[] = [
  {
    name: "a hash that is another one after the import",
    breaks: "import",
    edits: [
      {
        file: "api/local/import/stage-keys.ts",
        find: "return HASH.test(hex) ? { hex, isChanged",
        replace: "return HASH.test(hex) ? { hex: text.trim(), isChanged",
      },
    ],
    caughtBy: [rule("works as before")],
  },
  {
    name: "messages out of the order of their times",
    breaks: "import",
    edits: [
      {
        file: "api/local/import/staging.ts",
        find: "WHERE room = ? ORDER BY at, position",
        replace: "WHERE room = ? ORDER BY position",
      },
    ],
    caughtBy: [rule("is that of the parsed instants, then that of the rows, and times never go back")],
  },
  {
    name: "a sender of the previous server under a name that somebody can have",
    breaks: 10,
    edits: [
      {
        file: "party/identity/sender.ts",
        find: `=> \`\${name}@\${PREVIOUS_SITE}\`;`,
        replace: "=> name;",
      },
    ],
    caughtBy: [
      rule("who has no key gets a name that nobody can take, each another one"),
      unit("api/local/import/names", "has a name that no person, agent or guest can have"),
    ],
  },
  {
    name: "an import into a room whose messages D1 has not heard of yet",
    breaks: 1,
    edits: [
      {
        file: "api/local/import/write.ts",
        find: 'row.last_seq === 0 && object !== "talked"',
        replace: "row.last_seq === 0",
      },
    ],
    caughtBy: [rule("that its own storage knows to have been talked in stays as it is")],
  },
  {
    name: "everything behind a broken page lost",
    breaks: "import",
    edits: [
      {
        file: "api/local/import/source-file.ts",
        find: 'if (tryFrom(probe, from) !== "damaged") return firstBetween(probe, failed, from);',
        replace: 'if (tryFrom(probe, from) !== "damaged") return undefined;',
      },
    ],
    caughtBy: [source("after another one is a gap of its own, or the same")],
  },
];
