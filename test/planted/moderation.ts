/** Bugs in moderation: a troll who gets past it, or a message that gets out of it. */

import { type PlantedBug, runtime, unit } from "./planted-bug.ts";

export const PLANTED_IN_MODERATION: readonly PlantedBug[] = [
  {
    name: "a mute of an address that another key escapes",
    breaks: "moderation",
    edits: [
      {
        file: "party/permissions.ts",
        find: "const isSpared = behind === undefined || writer.isOperator || decides(writer.personRole);",
        replace:
          "const isSpared = behind === undefined || writer.isOperator || decides(writer.personRole) || !isGuest(sender);",
      },
    ],
    caughtBy: [
      runtime("mutes", "reaches the troll under every other name, over the socket and over HTTP, at once"),
      runtime("mutes", "reaches one who has left, also after the room has slept"),
    ],
  },
  {
    name: "a mute of an address that reaches the owner behind it",
    breaks: "moderation",
    edits: [
      {
        file: "party/permissions.ts",
        find: "const isSpared = behind === undefined || writer.isOperator || decides(writer.personRole);",
        replace: "const isSpared = behind === undefined || writer.isOperator || decides(writer.role);",
      },
    ],
    caughtBy: [
      runtime("mutes", "spares the owner, the moderators, their agents and the operator behind the same address"),
    ],
  },
  {
    name: "a held message that is told to all",
    breaks: "moderation",
    edits: [
      {
        file: "party/moderation/moderation.ts",
        find: "if (!refusal) return this.held.waiting(now).map(shown);",
        replace: "if (!refusal || reader) return this.held.waiting(now).map(shown);",
      },
      {
        file: "party/moderation/moderation.ts",
        find: "tell(frame, (participant) => mayModerate(reader(participant)));",
        replace: "tell(frame, () => true);",
      },
    ],
    caughtBy: [
      runtime("held", "is answered with 202 and an id, and shown to nobody but the moderators and its author"),
      runtime("held", "is told of at once to those who decide, by its number alone, and to nobody else"),
    ],
  },
  {
    name: "a held message that others read as it is written",
    breaks: "moderation",
    edits: [
      {
        file: "party/moderation/screen.ts",
        find: "return this.#reason(author, piece) === undefined ? undefined : UNSEEN;",
        replace: "return undefined;",
      },
    ],
    caughtBy: [runtime("held", "shows nobody what they are writing either")],
  },
  {
    name: "an approval that makes two messages",
    breaks: "moderation",
    edits: [
      {
        file: "party/moderation/decisions.ts",
        find: 'if (held.state === "approved") {',
        replace: 'if (held.state === "approved" && held.seq === null) {',
      },
      {
        file: "party/writes/submissions.ts",
        find: "const placed = this.#deps.log.find(sender, id);",
        replace: 'const placed = this.#deps.log.find(sender, "no".concat(id));',
      },
      {
        file: "party/writes/submissions.ts",
        find: "if (repetitions) this.#attach(entry, repetitions);\n    else this.#batch",
        replace: "if (repetitions && !entry.approved) this.#attach(entry, repetitions);\n    else this.#batch",
      },
    ],
    caughtBy: [runtime("held", "is one message, however often and by however many it is approved")],
  },
  {
    name: "a held message that is stored once for each retry",
    breaks: "moderation",
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "return this.#settledByModerator(entry) ?? this.#refuseText(entry)",
        replace: "return this.#refuseText(entry)",
      },
    ],
    caughtBy: [runtime("held", "is stored once however often it is sent, and paid for once")],
  },
  {
    name: "an approval that reaches past a mute",
    breaks: "moderation",
    edits: [
      {
        file: "party/moderation/decisions.ts",
        find: "return this.#refuseAuthor(held) ?? this.#place(held, reader);",
        replace: "return this.#place(held, reader);",
      },
    ],
    caughtBy: [runtime("held", "is what a moderator wants whatever the rules are by then, but not past a mute")],
  },
  {
    name: "a slow mode that the next agent escapes",
    breaks: "moderation",
    edits: [
      {
        file: "party/moderation/pace.ts",
        find: "(isAgent(sender) ? ",
        replace: "(isAgent(sender) && !isAgent(sender) ? ",
      },
    ],
    caughtBy: [
      runtime(
        "held",
        "lets a sender write once in so many seconds, says how long to wait, and is told in the room's info",
      ),
    ],
  },
  {
    name: "a refusal while an approved message is on its way to its place",
    breaks: "moderation",
    edits: [{ file: "party/moderation/decisions.ts", find: "await this.#placing.get(id);", replace: "" }],
    caughtBy: [unit("party/moderation/decisions", "is too late, and its author is told nothing")],
  },
];
