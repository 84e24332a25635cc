/**
 * What an opening log shows first: the rows that can be in view. The others come when those are on the screen, so that
 * the reader does not wait for what is out of view.
 */

import type { Item } from "./rows.ts";

/** What a line of text takes, px, and how many characters stand in one where the element is wide. */
const LINE = 22;
const LINE_LENGTH = 100;
/** A longer message is folded. */
const MOST_LINES = 15;

/** As many of the newest items, of which there are some, as it takes to fill `height` px; one, where there is no height. */
export function newestInView(items: readonly Item[], height: number): readonly Item[] {
  let first = items.length;
  let left = height / LINE;
  do left -= linesOf(items[--first] as Item);
  while (left > 0 && first > 0);
  return items.slice(first);
}

/** Rather too few than too many: a text that breaks its lines itself is set anew. */
function linesOf(item: Item): number {
  if (item.kind !== "row") return 1;
  const { content } = item.row.message;
  const breaks = content.match(/\n+/g)?.length ?? 0;
  return Math.min(MOST_LINES, 1 + Math.max(breaks * 0.75, Math.floor(content.length / LINE_LENGTH)));
}
