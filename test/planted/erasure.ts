/** What an erasure must never do, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const erasure = (test: string): Witness => runtime("erasure", test);
const eraser = (test: string): Witness => unit("party/archive/eraser", test);

const NOTHING_LEFT = "shows nobody any of it from then on, and leaves nothing of it in any store";
const NO_RETRY = "stores no retry of what was erased, also not in a room that has lost its own storage";

export const PLANTED_IN_ERASURE: readonly PlantedBug[] = [
  {
    name: "a sender who is left in the tombstone",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/erasure.ts",
        find: 'sender: "", content: "", ref: left };',
        replace: 'sender: message.sender, content: "", ref: left };',
      },
    ],
    caughtBy: [erasure(NOTHING_LEFT)],
  },
  {
    name: "a retry of an erased message that is stored again",
    breaks: 3,
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "      if (message && isTombstone(message)) return message;\n",
        replace: "",
      },
    ],
    caughtBy: [erasure(NO_RETRY)],
  },
  {
    name: "pairs of what was erased that a rebuilt room does not know",
    breaks: 3,
    edits: [
      {
        file: "party/log/rebuild.ts",
        find: "RecentIds.from(beginning.pairs, head)",
        replace: "RecentIds.from(beginning.pairs, 0)",
      },
    ],
    caughtBy: [
      unit("party/log/rebuild", "knows by a dump of the pairs that D1 has the message of a retry"),
      erasure(NO_RETRY),
    ],
  },
  {
    name: "erased words that come back when a room is rebuilt from D1",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/rebuild.ts",
        find: "const told = erasures.read([...copied]);",
        replace: "const told = [...copied];",
      },
    ],
    caughtBy: [
      unit(
        "party/log/rebuild",
        "is the whole log, for any entries, any cut and any pieces, also where D1 lags behind its entries",
      ),
    ],
  },
  {
    name: "erased words that are shown until they are overwritten",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/erasures.ts",
        find: "messages.map((message) => withErasures(message, underWay))",
        replace: "messages.map((message) => withErasures(message, underWay.slice(1)))",
      },
    ],
    caughtBy: [
      unit(
        "party/log/erasures",
        "is shown to nobody from then on, before and after it is overwritten, and over restarts",
      ),
      erasure("reaches what the room has let go of, in packs and in rows of the older form, however long it is"),
    ],
  },
  {
    name: "erased words brought back by a late copy",
    breaks: "deletion",
    edits: [
      {
        file: "party/archive/eraser.ts",
        find: "const revision = mark.last_seq;",
        replace: "const revision = erasure.archived + 0.5;",
      },
    ],
    caughtBy: [eraser("gets nothing back by a copy or a rewrite from before it that arrives late")],
  },
  {
    name: "an erasure forgotten by a D1 that was set back",
    breaks: "deletion",
    edits: [
      {
        file: "party/archive/upkeep.ts",
        find: "if (before.erasing > underWay) this.#eraser.startOver();",
        replace: "if (before.erasing > 1e9 + underWay) this.#eraser.startOver();",
      },
    ],
    caughtBy: [eraser("is done again in a D1 that was set back, to before it or into its middle")],
  },
  {
    name: "a room that D1 did not know of when a sender was erased",
    breaks: "deletion",
    edits: [
      {
        file: "party/archive/archive.ts",
        find: "if (orders.length > 0) this.#deps.ordered(orders);",
        replace: "if (orders.length > 1e9) this.#deps.ordered(orders);",
      },
    ],
    caughtBy: [erasure("reaches what a room brings to D1 only later, but for what was said after it")],
  },
  {
    name: "an older client that goes on showing what was erased",
    breaks: "deletion",
    edits: [
      {
        file: "party/audience/flow/feed.ts",
        find: "return !state.knowsErasures && ",
        replace: "return state.knowsErasures === undefined && state.address === '' && ",
      },
    ],
    caughtBy: [
      unit(
        "party/audience/audience",
        "starts over at an erasure when it does not know what that is, now or as soon as it can be sent anything",
      ),
      erasure(NOTHING_LEFT),
    ],
  },
];
