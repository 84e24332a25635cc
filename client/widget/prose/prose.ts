/**
 * The text of a message on the page: Markdown as nodes, whole or while it is still being written.
 *
 * What the Markdown means is decided in `grammar.ts`, what
 * it looks like in `render.ts` and `prose.styles.ts`; this file decides what changes and what stays.
 */

import { colourCode } from "./code-block.ts";
import { fold, isLong } from "./fold.ts";
import { patchChildren } from "./patch.ts";
import { type Block, ELEMENT_LIMIT, renderBlocks } from "./render.ts";
import { shapeable } from "./shaping.ts";

export interface ProseOptions {
  /** The reader's own sender string: its mentions are marked more strongly than others'. */
  me?: string;
  labels: { copy: string; copied: string; showMore: string; showLess: string };
}

/** A view of one message's text inside `host`. */
export class Prose {
  readonly #labels: ProseOptions["labels"];
  #me: string | undefined;
  readonly #content = document.createElement("div");
  /** The text that was asked for last. */
  #text: string | undefined;
  #finished = false;
  /** The reader has seen this message grow; folding it now would move the page under their eyes. */
  #wasStreamed = false;
  #unfold: (() => void) | undefined;
  /** The part of the text whose blocks can't change any more, how many blocks those are, and their elements. */
  #settled = "";
  #settledBlocks = 0;
  #settledElements = 0;

  /** Appends one `<div class="prose">` to `host`. */
  constructor(host: ParentNode, { me, labels }: ProseOptions) {
    this.#me = me;
    this.#labels = labels;
    this.#content.className = "prose";
    host.append(this.#content);
  }

  /** The reader's own sender string, as of now. Only marks of mentions change; every node stays. */
  set me(sender: string | undefined) {
    this.#me = sender;
    for (const mention of this.#content.querySelectorAll(".mention")) {
      mention.classList.toggle("me", mention.textContent === `@${sender}`);
    }
  }

  /** Shows the whole text of a finished message. The same text again changes nothing. */
  set(text: string): void {
    if (this.#finished && text === this.#text) return;
    const beginning = shapeable(text);
    this.#finish(beginning);
    this.#text = text;
    this.#unfold?.();
    this.#unfold = undefined;
    if (beginning !== text) this.#unfold = fold(this.#content, this.#labels, () => this.#finish(text));
    else if (!this.#wasStreamed && isLong(text)) this.#unfold = fold(this.#content, this.#labels);
  }

  /**
   * Shows the text so far of a message that is still being written. Finished blocks keep their nodes; in the last ones,
   * whatever did not change keeps its node too.
   */
  stream(text: string): void {
    if (text === this.#text && !this.#finished) return;
    this.#finished = false;
    this.#wasStreamed = true;
    this.#content.classList.add("unfinished");
    this.#unfold?.();
    this.#unfold = undefined;
    this.#text = text;
    const beginning = shapeable(text);
    this.#settle(this.#show(beginning), beginning);
  }

  /** Shows `text` as a message's last word. */
  #finish(text: string): void {
    this.#show(text);
    this.#finished = true;
    this.#content.classList.remove("unfinished");
    void colourCode(this.#content);
  }

  /** Renders `text` from where it is not settled, and returns those blocks. */
  #show(text: string): Block[] {
    if (!text.startsWith(this.#settled)) {
      this.#settled = "";
      this.#settledBlocks = 0;
      this.#settledElements = 0;
    }
    const context = { me: this.#me, labels: this.#labels };
    const budget = ELEMENT_LIMIT - this.#settledElements;
    const blocks = renderBlocks(text.slice(this.#settled.length), context, budget);
    patchChildren(
      this.#content,
      blocks.map(({ node }) => node),
      this.#settledBlocks,
    );
    return blocks;
  }

  /**
   * Settles the blocks that nothing can change any more: those before a block whose first two lines are complete. The
   * first line alone does not prove that a block began there: `2` is a paragraph, `2. two` goes on with a list, and a
   * table needs its second line.
   */
  #settle(blocks: readonly Block[], text: string): void {
    const tail = text.slice(this.#settled.length);
    const secondLastNewline = tail.lastIndexOf("\n", tail.lastIndexOf("\n") - 1);
    const next = blocks.findLastIndex(({ from }) => from <= secondLastNewline);
    if (next <= 0) return;
    this.#settled += tail.slice(0, (blocks[next] as Block).from);
    this.#settledBlocks += next;
    for (const { elements } of blocks.slice(0, next)) this.#settledElements += elements;
    void colourCode(this.#content);
  }
}
