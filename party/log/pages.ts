/**
 * Pages of a room's log for those who ask one question. What is still to be brought back from D1 is answered with
 * `unavailable`, and never with a gap.
 */

import { peopleIn } from "../asks/ask.ts";
import { type Fault, fault, type Seq } from "../protocol.ts";
import type { Cursor, Page } from "../room-rpc.ts";
import type { SiteUsers } from "../sites/site-users.ts";
import type { RoomLog } from "./room-log.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";

export interface PagesDeps {
  readonly log: RoomLog;
  /** Hides what is too old by now. */
  hide(): void;
  /** The names of other sites' users. */
  readonly siteUsers: Pick<SiteUsers, "of">;
}

export class Pages {
  readonly #deps: PagesDeps;

  constructor(deps: PagesDeps) {
    this.#deps = deps;
  }

  /** A page of at most `limit` messages: the newest, or those after or before a seq. */
  page(at: Cursor | { before: Seq } | undefined, limit: number): Page | Fault {
    const { log, hide } = this.#deps;
    hide();
    if (at === undefined || "before" in at) return this.#before(at?.before, limit);
    const { after, epoch } = at;
    const isOfAnotherHistory = after > log.head || (epoch !== undefined && epoch !== log.epoch);
    if (isOfAnotherHistory || after < log.first - 1)
      return { ...(this.#before(undefined, limit) as Page), reset: true };
    if (after < log.oldest - 1) return BROUGHT_BACK;
    const found = log.after(after, limit);
    return this.#page(found, (found.at(-1)?.seq ?? after) < log.head);
  }

  /** The oldest seq that is not gone; `head + 1` when all are. */
  get first(): Seq {
    this.#deps.hide();
    return this.#deps.log.first;
  }

  /** Why the message `seq` can't be read yet; `undefined` when it can, or there is none. */
  refuseMissing(seq: Seq): Fault | undefined {
    const { log } = this.#deps;
    return seq >= log.first && seq < log.oldest ? BROUGHT_BACK : undefined;
  }

  #before(bound: Seq | undefined, limit: number): Page | Fault {
    const { log } = this.#deps;
    const before = Math.min(bound ?? log.head + 1, log.head + 1);
    if (bound !== undefined && bound > log.first && before <= log.oldest && !log.isWhole) return BROUGHT_BACK;
    const found = log.before(before, limit);
    return this.#page(found, (found[0]?.seq ?? before) > log.first);
  }

  #page(found: readonly StoredMessage[], more: boolean): Page {
    const { log, siteUsers } = this.#deps;
    const messages = found.map(toMessage);
    const names = siteUsers.of(messages.flatMap(peopleIn));
    return { messages, head: log.head, epoch: log.epoch, more, ...(names && { names }) };
  }
}

const BROUGHT_BACK = fault("unavailable", "The room's older messages are being brought back; try again.", 2);
