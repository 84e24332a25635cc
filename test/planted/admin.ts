/** What the operator's deeds must never come to, as changes to the source, each with tests that have to notice. */

import { type PlantedBug, runtime, unit, type Witness } from "./planted-bug.ts";

const admin = (test: string): Witness => runtime("admin", test);
const closed = (test: string): Witness => runtime("closed-room", test);

export const PLANTED_FOR_THE_OPERATOR: readonly PlantedBug[] = [
  {
    name: "a route of the operator's that asks for no secret",
    breaks: "operator",
    edits: [
      {
        file: "api/admin/admin.ts",
        find: "  requireOperator(c);\n  await next();",
        replace: '  if (!c.req.path.endsWith("/audit")) requireOperator(c);\n  await next();',
      },
    ],
    caughtBy: [admin("is refused to everybody else")],
  },
  {
    name: "a deed of the operator's that the audit log does not have",
    breaks: "operator",
    edits: [
      {
        file: "api/admin/audited.ts",
        find: '!["GET", "HEAD", "OPTIONS"].includes',
        replace: '!["GET", "HEAD", "OPTIONS", "PUT"].includes',
      },
    ],
    caughtBy: [admin("has everything that the operator has done, by whichever path, newest first")],
  },
  {
    name: "a closed room in which its owner writes",
    breaks: "operator",
    edits: [
      {
        file: "party/permissions.ts",
        find: "const closed = refuseClosed(settings);",
        replace: 'const closed = writer.role === "owner" ? undefined : refuseClosed(settings);',
      },
    ],
    caughtBy: [admin("is read, and nobody writes, whoever owns it and by whichever way, until it is opened again")],
  },
  {
    name: "an approved message that gets a place in a room that was closed meanwhile",
    breaks: "operator",
    edits: [
      {
        file: "party/writes/submissions.ts",
        find: "if (approved) return refuseClosed(record.settings);",
        replace: "if (approved) return undefined;",
      },
    ],
    caughtBy: [
      unit(
        "party/writes/submissions",
        "place nothing in a room that the operator has closed, though a moderator has approved it",
      ),
    ],
  },
  {
    name: "a room that is closed without a word to those who are there",
    breaks: "operator",
    edits: [{ file: "party/room-record.ts", find: "    ...(closed && { closed }),\n", replace: "" }],
    caughtBy: [closed("is said to be to who is there, to who comes, and when it is opened again")],
  },
  {
    name: "a hidden room that stays in the list",
    breaks: "operator",
    edits: [
      {
        file: "api/admin/admin.ts",
        find: "({ ...(hidden && { listed: false }), settings })",
        replace: "({ settings })",
      },
    ],
    caughtBy: [admin("stands in no list, and its owner can't list it, until the operator shows it again")],
  },
  {
    name: "a hidden room that its owner lists again",
    breaks: "operator",
    edits: [
      {
        file: "api/rooms.ts",
        find: "if (listed && room.settings.hidden) throw",
        replace: "if (listed && room.settings.hidden && room.createdBy === null) throw",
      },
    ],
    caughtBy: [admin("stands in no list, and its owner can't list it, until the operator shows it again")],
  },
  {
    name: "a notice whose text is markup",
    breaks: "operator",
    edits: [
      {
        file: "api/pages.ts",
        find: 'text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")',
        replace: 'text.replaceAll("&", "&amp;")',
      },
    ],
    caughtBy: [admin("is text in the HTML of a page, too")],
  },
  {
    name: "a key that is revoked while its sockets go on",
    breaks: "operator",
    edits: [
      {
        file: "party/limits/person.ts",
        find: "    await this.#rooms.tell((room) => this.env.CHAT_ROOM.getByName(room).expel(this.#name, keyHash));\n",
        replace: "    if (keyHash === undefined) await this.#rooms.tell(async () => undefined);\n",
      },
    ],
    caughtBy: [admin("ends at once, with its sockets, and a second time there is none")],
  },
];
