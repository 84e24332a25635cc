/** The language that a page says the element is in: its own `lang`, or that of what is around it, shadow roots included. */
export function languageAround(element: HTMLElement): string | undefined {
  for (let inside: Element | undefined = element; inside; ) {
    const found = inside.closest<HTMLElement>('[lang]:not([lang=""])');
    if (found) return found.lang;
    inside = (inside.getRootNode() as Partial<ShadowRoot>).host;
  }
  return undefined;
}
