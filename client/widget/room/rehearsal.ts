/** In idle time, renders a room that nobody sees: when one is put in, the engine has compiled what it takes. */

import { render, type TemplateResult } from "lit";
import type { Message } from "../../../party/protocol.ts";
import { EMPTY_ROOM, type RoomState } from "../../room/index.ts";
import { idle } from "../lazy.ts";
import { loadMarkdown } from "../markdown.ts";
import { browserMemory } from "../memory.ts";

/** Whether messages have come: then there is nothing left to rehearse. */
let isOver = false;

export function endRehearsal(): void {
  isOver = true;
}

/** Rehearses with a room made by `make`, once the renderer is here. */
export async function rehearse(make: () => { state: RoomState; render(): TemplateResult }): Promise<void> {
  const { SAMPLE: content, findFonts } = await loadMarkdown();
  await idle();
  // What imitates a browser has no layout, and nothing to gain.
  if (isOver || !globalThis.ResizeObserver) return;
  const createdAt = new Date().toISOString();
  const messages = ["a", "~b", "c/d", "c/d"].map(
    (sender, index): Message => ({ seq: index + 1, id: `${index}`, kind: "text", sender, content, createdAt }),
  );
  const room = make();
  room.state = { ...EMPTY_ROOM, messages };
  render(room.render(), document.implementation.createHTMLDocument().body);
  findFonts();
  // A browser's first look into its storage takes 10 to 20 ms.
  browserMemory.recall("");
}
