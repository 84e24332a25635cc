/** The log beyond the window: loaded page by page when the reader comes near, one request an end at a time. */

import type { Seq } from "../../party/protocol.ts";
import type { Page, PageRequest } from "../stay/page.ts";
import { messageAt, type ReaderEvent, type RoomState } from "./room-state.ts";

/** Messages in a page. */
const PAGE = 50;

export interface LogPagesDeps {
  page(request: PageRequest): Promise<Page>;
  state(): RoomState;
  /** A page has come. */
  dispatch(event: ReaderEvent): void;
  /** `failed` is another. */
  changed(): void;
}

export class LogPages {
  readonly #deps: LogPagesDeps;
  readonly #loading = new Set<"older" | "newer">();
  /** The end at which loading has failed. */
  failed: "older" | "newer" | undefined;

  constructor(deps: LogPagesDeps) {
    this.#deps = deps;
  }

  /** Loads what goes on from an end of the window. A failure is told by `failed`. */
  async load(where: "older" | "newer"): Promise<void> {
    const { page, state, dispatch } = this.#deps;
    const { messages } = state();
    const edge = where === "older" ? messages[0]?.seq : messages.at(-1)?.seq;
    if (edge === undefined || this.#loading.has(where)) return;
    this.#loading.add(where);
    this.#fail(undefined);
    try {
      const next = await page(where === "older" ? { before: edge, limit: PAGE } : { after: edge, limit: PAGE });
      // A page of another history fits nowhere. The connection is about to be told of it and begins anew.
      if (next.reset) this.#fail(where);
      else dispatch({ type: "page", where, messages: next.messages });
    } catch {
      this.#fail(where);
    } finally {
      this.#loading.delete(where);
    }
  }

  /**
   * Moves the window to a message that it does not hold. One that is not there leaves it where it is.
   *
   * @throws RoomError when the page can't be read.
   */
  async loadAround(seq: Seq): Promise<void> {
    const { page, state, dispatch } = this.#deps;
    if (messageAt(state(), seq)) return;
    const { messages, reset } = await page({ before: seq + PAGE / 2, limit: PAGE });
    if (!reset && messages.some((message) => message.seq === seq))
      dispatch({ type: "page", where: "around", messages });
  }

  #fail(where: "older" | "newer" | undefined): void {
    this.failed = where;
    this.#deps.changed();
  }
}
