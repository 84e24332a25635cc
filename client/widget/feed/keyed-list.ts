/**
 * Brings the children of a parent into the order of a list, keeping the element of each key: a row that stays is not
 * touched, so what is selected in it stays selected.
 */
export class KeyedList<Item extends { readonly key: string }> {
  readonly #parent: Element;
  readonly #create: (item: Item) => HTMLElement;
  #elements = new Map<string, HTMLElement>();

  constructor(parent: Element, create: (item: Item) => HTMLElement) {
    this.#parent = parent;
    this.#create = create;
  }

  /** The elements, in order. */
  get elements(): Iterable<HTMLElement> {
    return this.#elements.values();
  }

  /** Shows `items`, each key once; `update` is called with each item and its element. */
  show(items: readonly Item[], update: (element: HTMLElement, item: Item) => void): void {
    const before = this.#elements;
    this.#elements = new Map();
    for (const item of items) {
      const element = before.get(item.key) ?? this.#create(item);
      this.#elements.set(item.key, element);
      update(element, item);
    }
    // First what goes: then those that stay are next to each other already, and none of them has to move.
    for (const [key, element] of before) if (!this.#elements.has(key)) element.remove();
    let next = this.#parent.firstChild;
    for (const element of this.#elements.values()) {
      if (element === next) next = next.nextSibling;
      else this.#parent.insertBefore(element, next);
    }
  }
}
