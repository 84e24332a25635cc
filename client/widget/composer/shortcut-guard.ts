/**
 * Keeps what is typed here from being a shortcut of the page's: to its listeners the target is the room element, not a
 * field, so they could not tell. Escape and keys with a modifier go on.
 */
export function keepFromPage(event: KeyboardEvent): void {
  const isTyped = (event.composedPath()[0] as Element).localName === "textarea";
  if (isTyped && event.key !== "Escape" && !event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
}
