/**
 * Brings nodes that are shown up to date with nodes that were just made, and keeps every shown node that can stay: a
 * selection lives in nodes, and a message that is being written must not take it away.
 */

import { isSameCodeBlock } from "./code-block.ts";

/** Makes the children of `parent`, from the one at `first` on, equal to `wanted`. */
export function patchChildren(parent: Element, wanted: readonly Node[], first = 0): void {
  let shown: ChildNode | null = parent.childNodes[first] ?? null;
  for (const node of wanted) {
    const next: ChildNode | null = shown?.nextSibling ?? null;
    if (shown === null) parent.append(node);
    else if (!patchNode(shown, node)) shown.replaceWith(node);
    shown = next;
  }
  while (shown !== null) {
    const next: ChildNode | null = shown.nextSibling;
    shown.remove();
    shown = next;
  }
}

/** Makes `shown` equal to `wanted`, if that can be done without replacing it; whether it could. */
function patchNode(shown: Node, wanted: Node): boolean {
  if (shown.isEqualNode(wanted) || isSameCodeBlock(shown, wanted)) return true;
  if (shown instanceof Text && wanted instanceof Text) {
    // Appending leaves a selection alone that replacing would collapse.
    if (wanted.data.startsWith(shown.data)) shown.appendData(wanted.data.slice(shown.data.length));
    else shown.data = wanted.data;
    return true;
  }
  // A list that gets a longer number than it had is the same list.
  if (shown instanceof HTMLOListElement && wanted instanceof HTMLOListElement && wanted.className) {
    shown.className = wanted.className;
  }
  if (shown instanceof Element && wanted instanceof Element && shown.cloneNode().isEqualNode(wanted.cloneNode())) {
    patchChildren(shown, [...wanted.childNodes]);
    return true;
  }
  return false;
}
