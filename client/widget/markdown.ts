/**
 * The lazy way to `prose/`: text is shown as it is until the renderer has come, and for good if it can't come.
 */

import type { CSSResult } from "lit";
import { lazily } from "./lazy.ts";
import type { Prose } from "./prose/prose.ts";

export interface Markdown {
  readonly Prose: typeof Prose;
  readonly proseStyles: CSSResult;
}

let loaded: Markdown | undefined;

/** The renderer, if it is here already. */
export const markdown = (): Markdown | undefined => loaded;

/** Loads the renderer. `undefined` when it does not load: plain text is what remains, and the next message asks again. */
export const loadMarkdown = lazily(async () => {
  const [{ Prose }, { proseStyles }] = await Promise.all([
    import("./prose/prose.ts"),
    import("./prose/prose.styles.ts"),
  ]);
  loaded = { Prose, proseStyles };
  return loaded;
});
