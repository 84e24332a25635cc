/** The log beyond the window: loaded page by page when the reader comes near, one request an end at a time. */

import type { Seq } from "../../../party/protocol.ts";
import { messageAt, quotedAt, type ReaderEvent, type RoomClient, type RoomState } from "../../room/index.ts";
import { loadMarkdown } from "../markdown.ts";
import type { Quotes } from "./quotes.ts";

/** Messages in a page. */
const PAGE = 50;

export interface PagesDeps {
  readonly client: RoomClient;
  state(): RoomState;
  /** A page has come. */
  dispatch(event: ReaderEvent): void;
  /** `failed` is another. */
  changed(): void;
}

export class Pages {
  readonly #deps: PagesDeps;
  readonly #loading = new Set<"older" | "newer">();
  #quotes: Quotes | undefined;
  /** The end at which loading has failed. */
  failed: "older" | "newer" | undefined;

  constructor(deps: PagesDeps) {
    this.#deps = deps;
  }

  /** Loads what goes on from an end of the window. A failure is told by `failed`. */
  async load(where: "older" | "newer"): Promise<void> {
    const { client, state, dispatch } = this.#deps;
    const { messages } = state();
    const edge = where === "older" ? messages[0]?.seq : messages.at(-1)?.seq;
    if (edge === undefined || this.#loading.has(where)) return;
    this.#loading.add(where);
    this.#fail(undefined);
    try {
      const page = await client.page(where === "older" ? { before: edge, limit: PAGE } : { after: edge, limit: PAGE });
      dispatch({ type: "page", where, messages: page.messages });
    } catch {
      this.#fail(where);
    } finally {
      this.#loading.delete(where);
    }
  }

  /** Moves the window to a message that it does not hold. One that is not there leaves it where it is. */
  async loadAround(seq: Seq): Promise<void> {
    const { client, state, dispatch } = this.#deps;
    if (messageAt(state(), seq)) return;
    const { messages } = await client.page({ before: seq + PAGE / 2, limit: PAGE });
    if (messages.some((message) => message.seq === seq)) dispatch({ type: "page", where: "around", messages });
  }

  /** Reads a message that one in the window answers. Without it, it is called an earlier one. */
  async quote(seq: Seq): Promise<void> {
    const { Quotes } = await loadMarkdown();
    this.#quotes ??= new Quotes(this.#deps);
    // Whoever asks may be about to render what was read just now.
    if (!quotedAt(this.#deps.state(), seq)) this.#quotes.ask(seq);
  }

  #fail(where: "older" | "newer" | undefined): void {
    this.failed = where;
    this.#deps.changed();
  }
}
