/** All that it takes to show a message's Markdown: one chunk, loaded when the widget is. */

export { proseStyles } from "./prose.styles.ts";
export { Prose } from "./prose.ts";
export { excerptOf, words } from "./words.ts";
