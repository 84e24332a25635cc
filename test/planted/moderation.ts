/** Bugs in moderation: a troll who gets past it, or a message that gets out of it. */

import { type PlantedBug, runtime } from "./planted-bug.ts";

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
];
