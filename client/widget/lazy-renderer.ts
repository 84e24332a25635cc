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

/** How long the first messages may wait for the renderer, ms. It was requested before they were. */
const GRACE = 100;

/** Waits for the renderer, and not for long. */
export const rendererInTime = (): Promise<unknown> =>
  Promise.race([loadRenderer(), new Promise((resolve) => setTimeout(resolve, GRACE))]);
