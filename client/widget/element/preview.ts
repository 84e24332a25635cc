import { render, type TemplateResult } from "lit";
import type { Message } from "../../../party/protocol.ts";
import { EMPTY_ROOM, type RoomState } from "../../view/room-state.ts";
import { deviceMemory } from "../browser-memory.ts";
import { findFonts } from "../prose/fonts.ts";

/** A bit of everything that people write, in one letter, which compresses best. */
const SAMPLE = "**a** _a_ `a` ~~a~~ @a https://a.a [a](https://a.a)\n- a\n> a\n\n| a |\n|-|\n| a |\n\n```\na\n```";

/** Renders a room out of sight, so that the engine has compiled the code before one is shown. */
export function renderPreview(room: { preview(state: RoomState): TemplateResult }): void {
  const createdAt = new Date().toISOString();
  const messages = ["~a", "a/a", "a/a"].map(
    (sender, index): Message => ({
      seq: index + 1,
      id: sender + index,
      kind: "text",
      sender,
      content: SAMPLE,
      createdAt,
    }),
  );
  render(room.preview({ ...EMPTY_ROOM, messages }), document.implementation.createHTMLDocument().body);
  findFonts();
  // A browser's first look into its storage takes 10 to 20 ms.
  deviceMemory.get("");
}
