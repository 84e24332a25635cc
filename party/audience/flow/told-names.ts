/** The names of sites' users, as frames are given them. The room knows them (`party/sites/site-users.ts`). */

import { FLOW } from "../../protocol.ts";

export interface ToldNames {
  /** Bytes of a frame that are to be left for names. */
  readonly reserved: number;
  /** Grows whenever a name changes. */
  readonly version: number;
  /** The frame `json` with the names of those who are in it. */
  inFrame(json: string): string;
}

/** Bytes of a frame beside its names. */
export const besideNames = (names: ToldNames | undefined): number => FLOW.frameBytes - (names?.reserved ?? 0);
