/** The two steps of all rendering: through the syntax tree, and to an element. */

import type { TreeCursor } from "@lezer/common";

/** A new element, with a class if it is to have one. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = ""): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  return node;
}

/** Calls `visit` with the cursor on each child in turn, and brings the cursor back. */
export function eachChild(cursor: TreeCursor, visit: () => void): void {
  if (!cursor.firstChild()) return;
  do visit();
  while (cursor.nextSibling());
  cursor.parent();
}
