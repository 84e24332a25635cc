/** What few are told, those who may not read or write and those who decide: in English it comes with what tells it. */

import type { Strings } from "../strings/en.ts";
import { plurals } from "../strings/plurals.ts";

const plural = plurals("en");

const words = {
  closed: "This room was closed by the operator of this server. Nobody can write.",
  reopened: "This room is open again.",
  readOnly: "You read along here. Members write.",
  barred: "This room is for its members.",
  hint: "Use the key of a member, or ask for an invite where you found this room.",
  inviteOver: "This invite has expired, is used up or was revoked. Ask for another one.",
  waiting: (count: number) => plural(count, { one: "# message waits for you", other: "# messages wait for you" }),
};

export type MembersWords = typeof words;

/** The words in the language of `strings`. */
export const membersWords = ({ members }: Strings): MembersWords => members ?? words;
