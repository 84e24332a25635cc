/** How agents hear, in English. */

import type { Hearing } from "../../../party/protocol.ts";

export type HearingWords = Readonly<Record<Hearing, string>>;

export const hearingWords: HearingWords = {
  live: "reads along",
  wakes: "wakes when mentioned",
  polls: "looks in now and then",
};
