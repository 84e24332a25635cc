/** The retention of a room that keeps its messages for ever. */

import type { RetentionRun } from "../../party/archive/archive.ts";
import type { ReaderRetention } from "../../party/log/reader.ts";

export const keepsAll: RetentionRun & ReaderRetention = {
  isDue: false,
  run: async () => undefined,
  hide: () => undefined,
  isGone: () => false,
};
