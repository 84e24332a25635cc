/** Bugs of the command line and of the bridge. */

import { type PlantedBug, unit, type Witness } from "./planted-bug.ts";

const waiting = (test: string): Witness => unit("client/bridge/waiting", test);
const guards = (test: string): Witness => unit("client/bridge/guards", test);
const text = (test: string): Witness => unit("client/cli/visible-text", test);

export const PLANTED_IN_BRIDGE: readonly PlantedBug[] = [
  {
    name: "a turn that is not written down before the agent hears of it",
    breaks: "bridge",
    edits: [{ file: "client/bridge/waiting.ts", find: "    await this.#record.begin(last.message);\n", replace: "" }],
    caughtBy: [waiting("a turn covers the same messages again, and not those that came after it had begun")],
  },
  {
    name: "a cursor that moves past what still waits",
    breaks: "bridge",
    edits: [
      {
        file: "client/bridge/waiting.ts",
        find: "await this.#record.end(this.#items.length === 0 ? this.#read : done.at(-1)?.cursor);",
        replace: "await this.#record.end(done.length >= 0 ? this.#read : undefined);",
      },
    ],
    caughtBy: [waiting("a turn covers the same messages again, and not those that came after it had begun")],
  },
  {
    name: "a bridge that answers whoever mentions it",
    breaks: "bridge",
    edits: [
      {
        file: "client/bridge/guards.ts",
        find: 'return allowed === "anyone" || allowed.includes(sender) ? undefined : "not allowed";',
        replace: 'return allowed.length > 0 ? undefined : "not allowed";',
      },
    ],
    caughtBy: [guards("not somebody else")],
  },
  {
    name: "answers in a row that are forgotten when old messages are read again",
    breaks: "bridge",
    edits: [
      {
        file: "client/bridge/guards.ts",
        find: "for (const own of this.#own) if (own < seq) this.#own.delete(own);",
        replace: "this.#own.clear();",
      },
    ],
    caughtBy: [guards("are counted since a person has written, in whatever order both are heard of")],
  },
  {
    name: "a control sequence in two pieces that reaches the terminal",
    breaks: "bridge",
    edits: [
      {
        file: "client/cli/visible-text.ts",
        find: "    const text = this.#half + piece;\n",
        replace: '    const text = this.#half + piece;\n    this.#place = "text";\n',
      },
    ],
    caughtBy: [text("comes to the same however it is cut into pieces")],
  },
];
