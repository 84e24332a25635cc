/** Renders a room out of sight while the page is idle, so that the engine has compiled the code before a room is shown. */

import { render, type TemplateResult } from "lit";
import type { Message } from "../../../party/protocol.ts";
import { EMPTY_ROOM, type RoomState } from "../../view/room-state.ts";
import { deviceMemory } from "../browser-memory.ts";
import { idle } from "../lazy.ts";
import { loadRenderer } from "../lazy-renderer.ts";

/** Whether messages have come: then there is nothing left to warm up. */
let isOver = false;

export function endWarmUp(): void {
  isOver = true;
}

/** Renders a room made by `make`, once the renderer is here. */
export async function warmUp(make: () => { preview(state: RoomState): TemplateResult }): Promise<void> {
  const { SAMPLE: content, findFonts } = await loadRenderer();
  await idle();
  // What imitates a browser has no layout, and nothing to gain.
  if (isOver || !globalThis.ResizeObserver) return;
  const createdAt = new Date().toISOString();
  const messages = ["a", "~b", "c/d", "c/d"].map(
    (sender, index): Message => ({ seq: index + 1, id: `${index}`, kind: "text", sender, content, createdAt }),
  );
  render(make().preview({ ...EMPTY_ROOM, messages }), document.implementation.createHTMLDocument().body);
  findFonts();
  // A browser's first look into its storage takes 10 to 20 ms.
  deviceMemory.get("");
}
