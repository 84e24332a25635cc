/** Renders a room out of sight while the page is idle, before one is shown. */

import { idle } from "../lazy.ts";
import { loadRenderer, type Renderer } from "../lazy-renderer.ts";

/** Whether messages have come: then there is nothing left to warm up. */
let isOver = false;

export function endWarmUp(): void {
  isOver = true;
}

/** Renders a room made by `make`, once the renderer is here. */
export async function warmUp(make: () => Parameters<Renderer["renderPreview"]>[0]): Promise<void> {
  const { renderPreview } = await loadRenderer();
  await idle();
  // What imitates a browser has no layout, and nothing to gain.
  if (!isOver && globalThis.ResizeObserver) renderPreview(make());
}
