/** As `meet-ai-room.styles.ts` and `prose.styles.ts` say, unless a page says otherwise: what is said, names and titles, code. */
export const FONTS = [
  "15px system-ui, sans-serif",
  "600 15px system-ui, sans-serif",
  '13.5px ui-monospace, "SF Mono", "Cascadia Code", Consolas, monospace',
];

/** Has the browser find the fonts of messages, which it would else do while the first ones are laid out. */
export function findFonts(): void {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  if (!pen) return;
  for (const font of FONTS) {
    pen.font = font;
    pen.measureText("a");
  }
}
