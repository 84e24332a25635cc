/** What an erasure must never do, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const erasure = (test: string): Witness => runtime("erasure", test);
const erasing = (test: string): Witness => unit("party/log/erasing", test);

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
        find: "(beginning.pairs && RecentIds.from(beginning.pairs, head)) ?? new RecentIds()",
        replace: "(beginning.pairs && RecentIds.from(beginning.pairs, 0)) ?? new RecentIds()",
      },
    ],
    caughtBy: [erasure(NO_RETRY)],
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
        "party/archive/rebuild",
        "shows nothing from its first moment of what was deleted or erased when D1 had not followed",
      ),
    ],
  },
  {
    name: "erased words that are shown until they are overwritten",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/readable-log.ts",
        find: "    return this.erasing.read(this.table.from(from, limit));",
        replace: "    return this.table.from(from, limit);",
      },
    ],
    caughtBy: [
      erasing("from its entry on no reader is shown any of it, long before it is overwritten, over a restart"),
    ],
  },
  {
    name: "an erasure that begins again above where it was",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/room-log.ts",
        find: "this.erasing.advance(seq, Math.min(upTo, last));",
        replace: "this.erasing.advance(seq, upTo);",
      },
    ],
    caughtBy: [erasing("the overwriting goes on where it was after a restart, and leaves what came later")],
  },
  {
    name: "an erased name kept in the entry",
    breaks: "deletion",
    edits: [
      {
        file: "party/log/room-log.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what stands in the source
        find: 'const ended = entry && { ...entry, id: `erased:${seq}`, content: "" };',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
        replace: "const ended = entry && { ...entry, id: `erased:${seq}` };",
      },
    ],
    caughtBy: [erasing("once it has ended its entry has no name any more, and who resumes from before it starts over")],
  },
  {
    name: "a room that D1 did not know of when a sender was erased",
    breaks: "deletion",
    edits: [
      {
        file: "party/archive/copier.ts",
        find: "const orders = senders.length > 0 ?",
        replace: "const orders = senders.length > 1e9 ?",
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
        find: "return (state.knowsErasures ? newestErased : newestErasure) > seq;",
        replace: "return (newestErased || Math.min(0, newestErasure, Number(state.knowsErasures))) > seq;",
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
