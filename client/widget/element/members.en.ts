/** What a room of members says to others, in English: it comes with what says it, and not with every page. */

import type { Strings } from "../strings/en.ts";

const words = {
  readOnly: "You read along here. Members write.",
  barred: "This room is for its members.",
  hint: "Use the key of a member, or ask for an invite where you found this room.",
  inviteOver: "This invite has expired, is used up or was revoked. Ask for another one.",
};

export type MembersWords = typeof words;

/** The words in the language of `strings`. */
export const membersWords = ({ members }: Strings): MembersWords => members ?? words;
