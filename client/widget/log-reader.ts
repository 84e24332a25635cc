/**
 * Reads over HTTP what a view needs beyond its connection: pages at either end of the log, what replies answer, what of the
 * reader waits for a moderator, and for who moderates, against whom they can do nothing.
 */

import type { Seq } from "../../party/protocol.ts";
import type { Connection } from "../stay/connection.ts";
import { headersOf, type PageRequest, readPage } from "../stay/page.ts";
import { apiOf } from "../stay/room-address.ts";
import { type RoomError, refusedByRoom } from "../stay/room-error.ts";
import { LogPages, type LogPagesDeps } from "../view/log-pages.ts";
import { type HeldMessage, type LogEvent, reduceLog } from "../view/log-window.ts";
import { Quotes } from "../view/quotes.ts";
import { decides, type RoomState } from "../view/room-state.ts";
import { rememberInvite } from "./element/guests-place.ts";

export interface LogReaderDeps extends Pick<LogPagesDeps, "state" | "changed"> {
  /** The window has changed. */
  show(state: RoomState): void;
}

export class LogReader extends LogPages {
  readonly #connection: Connection;
  readonly #deps: Pick<LogPagesDeps, "state" | "dispatch">;
  readonly #quotes: Quotes;

  constructor(connection: Connection, view: LogReaderDeps) {
    const deps = {
      ...view,
      page: (request: PageRequest) => readPage(connection, request),
      dispatch: (event: LogEvent) => view.show(reduceLog(view.state(), event)),
    };
    super(deps);
    this.#connection = connection;
    this.#deps = deps;
    this.#quotes = new Quotes(deps);
  }

  /** Reads a message that one in the window replies to. */
  quote(seq: Seq): void {
    this.#quotes.ask(seq);
  }

  /** The room has said who the reader is: what concerns them alone is looked up. A later time tries again what failed. */
  async stand(invite: string | undefined): Promise<void> {
    const { state, dispatch } = this.#deps;
    const { credentials } = this.#connection;
    if (invite && credentials && "guest" in credentials) rememberInvite(this.#connection, invite);
    const { room, you, pending } = state();
    if (you?.role === "moderator") {
      const [about, page] = await Promise.all([
        this.#read<{ createdBy: string | null }>(""),
        // Those who moderate a room of more members are few, and the server refuses all the same.
        this.#read<{ members: { sender: string; role: string }[] }>("/members?limit=500"),
      ]);
      const peers = page?.members.filter(({ role }) => role === "moderator").map(({ sender }) => sender) ?? [];
      dispatch({ type: "spared", spared: [about?.createdBy ?? "", ...peers] });
    }
    if (decides(state()) || !(room?.hold || room?.links)) return;
    const asked = pending.filter(({ error }) => error?.code === "held").map(({ id }) => id);
    // The answer may be older than a refusal that comes meanwhile.
    const refusals = new Map<string | undefined, RoomError>();
    const stop = this.#connection.on("answer", ({ answer }) => {
      if ("code" in answer && answer.code !== "held") refusals.set(answer.id, refusedByRoom(answer));
    });
    const held = (await this.#read<{ held: HeldMessage[] }>("/held"))?.held;
    stop();
    if (held) dispatch({ type: "held", held, asked, refusals });
  }

  async #read<Answer>(path: string): Promise<Answer | undefined> {
    try {
      const { deps, credentials } = this.#connection;
      const headers = credentials && (await headersOf(credentials));
      const response = await deps.fetch(`${apiOf(this.#connection)}${path}`, headers && { headers });
      return response.ok ? ((await response.json()) as Answer) : undefined;
    } catch {
      return undefined;
    }
  }
}
