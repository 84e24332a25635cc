import { render, type TemplateResult } from "lit";
import type { Message } from "../../../party/protocol.ts";
import { EMPTY_ROOM, type RoomState } from "../../view/room-state.ts";
import { deviceMemory } from "../browser-memory.ts";
import { findFonts } from "../prose/fonts.ts";

/** A bit of everything that people write. */
const SAMPLE =
  "**a** _b_ `c` ~~d~~ @e https://f.org [g](https://h.org)\n\n- i\n- j\n\n> k\n\n| l |\n|-|\n| m |\n\n```\nn\n```\n";

/** Renders a room out of sight, so that the engine has compiled the code before one is shown. */
export function renderPreview(room: { preview(state: RoomState): TemplateResult }): void {
  const createdAt = new Date().toISOString();
  const messages = ["a", "~b", "c/d", "c/d"].map(
    (sender, index): Message => ({ seq: index + 1, id: `${index}`, kind: "text", sender, content: SAMPLE, createdAt }),
  );
  render(room.preview({ ...EMPTY_ROOM, messages }), document.implementation.createHTMLDocument().body);
  findFonts();
  // A browser's first look into its storage takes 10 to 20 ms.
  deviceMemory.get("");
}
