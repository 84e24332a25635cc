/** What a hello comes to. */

import type { Quota } from "../protocol.ts";
import type { Participant } from "./sender.ts";

/** Who has said hello, and the quota that is left to them. */
export interface Introduction {
  readonly participant: Participant;
  readonly quota: Quota;
  /** What others are shown of a site's user beside their name. */
  readonly name?: string | undefined;
}
