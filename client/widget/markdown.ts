/**
 * The lazy way to `prose/`: text is shown as it is until the renderer has come, and for good if it can't come.
 */

import { lazily, whenIdle } from "./lazy.ts";

export type Markdown = typeof import("./prose/index.ts");

let loaded: Markdown | undefined;

/** The renderer, if it is here already. */
export const markdown = (): Markdown | undefined => loaded;

/** Loads the renderer. `undefined` when it does not load: plain text is what remains, and the next message asks again. */
export const loadMarkdown = lazily(async () => {
  loaded = await import("./prose/index.ts");
  whenIdle(loaded.rehearse);
  return loaded;
});
