/** All that it takes to show a message's Markdown: one chunk, loaded when the widget is. */

export { findFonts } from "./fonts.ts";
export { proseStyles } from "./prose.styles.ts";
export { Prose } from "./prose.ts";
export { excerptOf, words } from "./words.ts";

/** A bit of everything that people write. */
export const SAMPLE =
  "**a** _b_ `c` ~~d~~ @e https://f.org [g](https://h.org)\n\n- i\n- j\n\n> k\n\n| l |\n|-|\n| m |\n\n```\nn\n```\n";
