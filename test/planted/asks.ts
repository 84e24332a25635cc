/** Bugs of asks and their answers. */

import { MODEL, type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const asks = (test: string): Witness => runtime("asks", test);
const rules = (test: string): Witness => unit("party/asks/ask-rules", test);
const kept = (test: string): Witness => unit("party/log/open-asks", test);

export const PLANTED_IN_ASKS: readonly PlantedBug[] = [
  {
    name: "an agent's answer that is accepted",
    breaks: "asks",
    edits: [
      {
        file: "party/asks/ask-rules.ts",
        find: "    if (isAgent(sender)) return FOR_PEOPLE;\n",
        replace: "",
      },
      {
        file: "party/asks/ask-rules.ts",
        find: 'import { isAgent, isGuest, personOf } from "../identity/sender.ts";',
        replace: 'import { isGuest, personOf } from "../identity/sender.ts";',
      },
    ],
    caughtBy: [
      asks("is forbidden to agents, to who has asked, to guests, and to those who are not named"),
      rules("of people by bob/claude: forbidden"),
    ],
  },
  {
    name: "a second answer that wins",
    breaks: "asks",
    edits: [{ file: "party/asks/ask-rules.ts", find: "this.#ended.add(ref);", replace: "void ref;" }],
    caughtBy: [
      rules("is the first one in its turn, and after a deletion or the end of its time none is"),
      unit("party/asks/asks", "is the first of those that come in one batch, and the others are told its seq"),
    ],
  },
  {
    name: "an answer to what was closed before",
    breaks: "asks",
    edits: [
      {
        file: "party/log/open-asks.ts",
        find: 'if (ref !== null && (kind === "deletion" || closes(kind))) open.delete(ref);',
        replace: 'if (ref !== null && (kind === "deletion" || (closes(kind) && ref < 0))) open.delete(ref);',
      },
    ],
    caughtBy: [
      kept("knows its open asks after a restart, and what has closed the others on every way to read them"),
      MODEL,
    ],
  },
  {
    name: "an end of an ask that is forgotten in sleep",
    breaks: "asks",
    edits: [
      {
        file: "party/open-room.ts",
        find: "    this.#asks.expire();\n    this.followers.watch();\n",
        replace: "    this.followers.watch();\n",
      },
      {
        file: "party/open-room.ts",
        find: "      () => this.#asks.expire(),\n",
        replace: "",
      },
    ],
    caughtBy: [asks("is written down by a room that is asleep, once, and told live"), MODEL],
  },
  {
    name: "an alarm that an ask has not asked for",
    breaks: "asks",
    edits: [
      {
        file: "party/asks/asks.ts",
        find: "if (times.length > 0) wakeIn(Math.min(...times) - now());",
        replace: "void wakeIn;",
      },
    ],
    caughtBy: [asks("has an alarm of its own, set when it is asked, over sleep and whatever else rings")],
  },
  {
    name: "an ask of a few seconds that ends with the archive's alarm",
    breaks: "asks",
    edits: [
      {
        file: "party/open-room.ts",
        find: 'if (messages.some(({ kind }) => kind === "ask")) this.#asks.watch();',
        replace: "",
      },
    ],
    caughtBy: [asks("has its alarm in time also where the archive would wake the room later")],
  },
  {
    name: "an ask whose text an older client does not show",
    breaks: "asks",
    edits: [
      {
        file: "party/log/stored-message.ts",
        find: '    kind: "text",\n    sender,\n    content: asked ?',
        replace: '    kind: asked ? ("ask" as MessageKind) : "text",\n    sender,\n    content: asked ?',
      },
    ],
    caughtBy: [
      asks("is a text with a field more, and its answer another, so that an older client shows question and reply"),
    ],
  },
  {
    name: "a decision that goes with its author",
    breaks: "asks",
    edits: [
      {
        file: "party/log/erasure.ts",
        find: "const left = chosenBy(kind) === undefined ? null : ref;",
        replace: "const left = chosenBy(kind) === undefined ? ref && null : null;",
      },
    ],
    caughtBy: [asks("stands, whatever becomes of its words: deleted by a moderator, or erased with its author")],
  },
  {
    name: "a frame that is kept from before an answer",
    breaks: "asks",
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: 'kind !== "text" || answer))',
        replace: 'kind !== "text" || (answer && false)))',
      },
    ],
    caughtBy: [asks("is closed also for somebody who comes back to a frame that others were sent before")],
  },
  {
    name: "a page that shows a closed ask as open",
    breaks: "asks",
    edits: [
      {
        file: "party/log/messages-table.ts",
        find: "return closed ? { ...message, closed } : message;",
        replace: "return closed && closing === null ? { ...message, closed } : message;",
      },
    ],
    caughtBy: [kept("knows its open asks after a restart, and what has closed the others on every way to read them")],
  },
  {
    name: "a backup that forgets what was chosen",
    breaks: "asks",
    edits: [
      {
        file: "api/format/records.ts",
        find: 'return { ...told, kind: "text", content, answer: option };',
        replace: 'return { ...told, kind: "text", content };',
      },
    ],
    caughtBy: [unit("api/format/records", "is the same after it was in a file, whatever has become of it")],
  },
];
