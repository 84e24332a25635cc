/** All that it takes to show a message's Markdown: one chunk, loaded when the widget is. */

import { Prose } from "./prose.ts";

export { proseStyles } from "./prose.styles.ts";
export { Prose };

/** A bit of everything that people write. */
const SAMPLE =
  "**a** _b_ `c` ~~d~~ @e https://f.org [g](https://h.org)\n\n- i\n- j\n\n> k\n\n| l |\n|-|\n| m |\n\n```\nn\n```\n";

/** Renders a message that nobody sees: by the time that the first one comes, the engine has compiled what it takes. */
export function rehearse(): void {
  const labels = { copy: "", copied: "", showMore: "", showLess: "" };
  new Prose(new DocumentFragment(), { labels }).set(SAMPLE);
}
