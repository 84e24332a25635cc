/** The lazy way to `prose/`, and what comes along with it: text is shown as it is until the renderer has come. */

import { lazily } from "./lazy.ts";

export type Markdown = typeof import("./late.ts");

let loaded: Markdown | undefined;

/** The renderer, if it is here already. */
export const markdown = (): Markdown | undefined => loaded;

/** Loads the renderer. */
export const loadMarkdown = lazily(async () => {
  loaded = await import("./late.ts");
  return loaded;
});
