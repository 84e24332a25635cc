/**
 * What is looked up in a room's log for those who ask one question: a page, a single message, where the log begins. Whatever
 * goes wrong on the way, with D1 or because the room has ended, is a value here, and the cause stands in the process's log.
 */

import { peopleIn } from "../asks/ask.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault, type Seq } from "../protocol.ts";
import type { Retention } from "../retention/retention.ts";
import { type Cursor, NOT_STARTED, type Page } from "../room-rpc.ts";
import type { SiteUsers } from "../sites/site-users.ts";
import { Closed } from "./closed.ts";
import type { Journal } from "./journal.ts";
import type { Reader } from "./reader.ts";
import type { StoredMessage } from "./stored-message.ts";

export interface LookupsDeps {
  readonly room: string;
  readonly journal: Pick<Journal, "first">;
  readonly reader: Pick<Reader, "page" | "message">;
  readonly retention: Pick<Retention, "hide" | "findFirst">;
  /** The names of other sites' users. */
  readonly siteUsers: Pick<SiteUsers, "of">;
}

export class Lookups {
  readonly #deps: LookupsDeps;

  constructor(deps: LookupsDeps) {
    this.#deps = deps;
  }

  /** The newest `limit` messages, or those after or before a seq. What is not here any more is read from D1. */
  async page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page | Fault> {
    const { room, reader, siteUsers } = this.#deps;
    try {
      const page = await reader.page(at, limit);
      const names = siteUsers.of(page.messages.flatMap(peopleIn));
      return { ...page, ...(names && { names }) };
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      logEvent("room.page_unavailable", { room, error });
      return UNREADABLE;
    }
  }

  /** The message `seq`, wherever it is; `unavailable` when only D1 has it and does not answer. */
  async message(seq: Seq): Promise<StoredMessage | Fault | undefined> {
    const { room, reader } = this.#deps;
    try {
      return await reader.message(seq);
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      logEvent("room.message_unavailable", { room, seq, error });
      return fault("unavailable", "Older messages can't be reached at the moment.", 5);
    }
  }

  /** The oldest seq that is not gone; `head + 1` when all are. */
  async first(): Promise<Seq | Fault> {
    const { room, retention } = this.#deps;
    try {
      return await retention.findFirst();
    } catch (error) {
      if (error instanceof Closed) return NOT_STARTED;
      logEvent("room.beginning_unavailable", { room, error });
      return UNREADABLE;
    }
  }

  /** The same as far as it is known without a question to D1: nothing below it is there. */
  get knownFirst(): Seq {
    this.#deps.retention.hide();
    return this.#deps.journal.first;
  }
}

const UNREADABLE = fault("unavailable", "Older messages can't be read at the moment.", 5);
