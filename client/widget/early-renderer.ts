/**
 * Requests the renderer before the rest of the script runs, so that it comes meanwhile. Not by a second copy of the
 * script, whose element is not the one that the page knows, nor where there is no page.
 */

import { loadRenderer } from "./lazy-renderer.ts";

/** Whether this copy of the script is the one that defines the element. */
export const isFirstCopy = globalThis.document && !customElements.get("meet-ai-room");

if (isFirstCopy) void loadRenderer();
