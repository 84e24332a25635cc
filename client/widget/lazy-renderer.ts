/** The lazy way to the renderer of messages, and what comes along with it: until then text is shown as it is. */

import { lazily } from "./lazy.ts";

export type Renderer = typeof import("./log-renderer.ts");

let loaded: Renderer | undefined;

/** The renderer, if it is here already. */
export const renderer = (): Renderer | undefined => loaded;

/** Loads the renderer. */
export const loadRenderer = lazily(
  () => import("./log-renderer.ts"),
  (part) => {
    loaded = part;
  },
);
