/** The log beyond the window: loaded page by page when the reader comes near, one request an end at a time. */

import type { Seq } from "../../party/protocol.ts";
import type { Page, PageRequest } from "../stay/page.ts";
import type { LogEvent } from "./log-window.ts";
import { messageAt, type RoomState } from "./room-state.ts";

/** Messages in a page. */
const PAGE = 50;

/** What reading beyond the window takes: pages, and the state that they are read into. */
export interface LogPagesDeps {
  page(request: PageRequest): Promise<Page>;
  state(): RoomState;
  /** A page has come. */
  dispatch(event: LogEvent): void;
  /** `failed` has changed. */
  changed(): void;
}

export type End = "older" | "newer";

export class LogPages {
  readonly #deps: LogPagesDeps;
  /** The history that the two below are about. */
  #epoch: string | undefined;
  #loading = new Set<End>();
  #failed: ReadonlySet<End> = new Set();

  constructor(deps: LogPagesDeps) {
    this.#deps = deps;
  }

  /** The ends at which loading has failed. Another set whenever that changes. */
  get failed(): ReadonlySet<End> {
    this.#follow();
    return this.#failed;
  }

  /** Loads the messages beyond an end of the window. `failed` tells of a failure. */
  async load(where: End): Promise<void> {
    const { page, state, dispatch } = this.#deps;
    const { messages, epoch } = state();
    const edge = where === "older" ? messages[0]?.seq : messages.at(-1)?.seq;
    this.#follow();
    const loading = this.#loading;
    if (edge === undefined || loading.has(where)) return;
    loading.add(where);
    this.#mark(where, false);
    const next = await page(where === "older" ? { before: edge, limit: PAGE } : { after: edge, limit: PAGE }).catch(
      () => undefined,
    );
    loading.delete(where);
    // The log has begun anew since: what came belongs to the history before.
    if (state().epoch !== epoch) return;
    // A page of another history fits nowhere. The connection is about to learn of that history and begins anew.
    if (!next || next.reset) this.#mark(where, true);
    else dispatch({ type: "page", where, messages: next.messages, names: next.names });
  }

  /**
   * Moves the window to a message that it does not hold, if it is wanted still when it has come. One that is not there
   * leaves the window where it is.
   *
   * @throws RoomError when the page can't be read.
   */
  async loadAround(seq: Seq, isWanted = () => true): Promise<void> {
    const { page, state, dispatch } = this.#deps;
    const { epoch } = state();
    if (messageAt(state(), seq)) return;
    const { messages, names, reset } = await page({ before: seq + PAGE / 2, limit: PAGE });
    if (reset || state().epoch !== epoch || !isWanted()) return;
    if (messages.some((message) => message.seq === seq)) dispatch({ type: "page", where: "around", messages, names });
  }

  /** In a new history nothing is being loaded, and nothing has failed. */
  #follow(): void {
    const { epoch } = this.#deps.state();
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#loading = new Set();
    this.#failed = new Set();
  }

  #mark(where: End, hasFailed: boolean): void {
    const failed = new Set(this.failed);
    if (hasFailed) failed.add(where);
    else failed.delete(where);
    this.#failed = failed;
    this.#deps.changed();
  }
}
