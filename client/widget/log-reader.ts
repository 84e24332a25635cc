/** Reads a room's log beyond what its view holds: pages at either end, and what replies answer. */

import type { Seq } from "../../party/protocol.ts";
import type { Connection } from "../stay/connection.ts";
import { type PageRequest, readPage } from "../stay/page.ts";
import { LogPages, type LogPagesDeps } from "../view/log-pages.ts";
import { type LogEvent, reduceLog } from "../view/log-window.ts";
import { Quotes } from "../view/quotes.ts";
import type { RoomState } from "../view/room-state.ts";

export interface LogReaderDeps extends Pick<LogPagesDeps, "state" | "changed"> {
  /** The window has changed. */
  show(state: RoomState): void;
}

export class LogReader extends LogPages {
  readonly #quotes: Quotes;

  constructor(connection: Connection, view: LogReaderDeps) {
    const deps = {
      ...view,
      page: (request: PageRequest) => readPage(connection, request),
      dispatch: (event: LogEvent) => view.show(reduceLog(view.state(), event)),
    };
    super(deps);
    this.#quotes = new Quotes(deps);
  }

  /** Reads a message that one in the window replies to. */
  quote(seq: Seq): void {
    this.#quotes.ask(seq);
  }
}
