/**
 * The lazy way to `prose/`: text is shown as it is until the renderer has come, and for good if it can't come.
 */

import type { CSSResult } from "lit";
import type { Prose } from "./prose/prose.ts";

export interface Markdown {
  readonly Prose: typeof Prose;
  readonly proseStyles: CSSResult;
}

let loading: Promise<Markdown | undefined> | undefined;
let loaded: Markdown | undefined;

/** The renderer, if it is here already. */
export const markdown = (): Markdown | undefined => loaded;

/** Loads the renderer, once. `undefined` when it does not load: plain text is what remains. */
export function loadMarkdown(): Promise<Markdown | undefined> {
  loading ??= Promise.all([import("./prose/prose.ts"), import("./prose/prose.styles.ts")]).then(
    ([{ Prose }, { proseStyles }]) => {
      loaded = { Prose, proseStyles };
      return loaded;
    },
    () => {
      // Asked again with the next message, which may find a better network.
      loading = undefined;
      return undefined;
    },
  );
  return loading;
}
