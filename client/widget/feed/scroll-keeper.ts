/**
 * Keeps a reader's place in a list that grows at both ends.
 *
 * Either the reader follows: then the newest end stays in view. Or they read: then the row at the top of the view stays
 * where it is, whatever is put in above it, taken away, or laid out late. The browser's own scroll anchoring does not do
 * at the top of a scroller, so it is switched off in the style sheet, and this is the only one that moves.
 *
 * Text that is being selected must not move under the pointer: a reader who selects some stops following as soon as there is more below.
 *
 * So whatever else moves is the reader, by wheel, finger, key or scrollbar, or what glides on after them: upwards they
 * leave the end, at the end they follow again. Only a list that has become shorter takes its reader along.
 */

/** A reader this close to the newest end, px, is at it. */
const FOLLOW_ZONE = 70;
/** Less is no move, px: where a list ends, the parts of a browser disagree by one, as each rounds in its own way. */
const LEAST = 2;
/** More is loaded when the reader is this close to an end of the window, px. */
const LOAD_ZONE = 800;

export interface ScrollKeeperDeps {
  readonly scroller: HTMLElement;
  /** All that scrolls. */
  readonly content: HTMLElement;
  /** The rows, in order. */
  rows(): ArrayLike<HTMLElement>;
  /** Whether the last row is the newest there is: else its end is no place to stay at. */
  reachesEnd(): boolean;
  /** The reader has come to the newest end or left it. */
  onFollow(following: boolean): void;
  /** The reader comes close to an end. */
  onNear(where: "older" | "newer"): void;
}

interface Place {
  readonly row: HTMLElement;
  /** Px of the list's own from the top of the view to the top of the row. */
  readonly offset: number;
}

export class ScrollKeeper {
  readonly #deps: ScrollKeeperDeps;
  #resizes: ResizeObserver | undefined;
  #following = true;
  /** The rows in view and where they are: the first that is still there is the one that stays. */
  #places: Place[] = [];
  /** Px that a browser which scrolls by whole ones has kept back. Forgotten, they would add up. */
  #rest = 0;
  #top = 0;
  #height = 0;
  /** 0 when there was none, as in a hidden list: what has scrolled since is not the reader's. */
  #view = 0;
  /** Where the end was when the reader moved upwards last. */
  #end = 0;
  /** It is the list that the reader has laid hands on last: else, as while they write, layout is what moves it. */
  #isTouched = false;

  constructor(deps: ScrollKeeperDeps) {
    this.#deps = deps;
    const { scroller } = deps;
    const onHand = ({ target }: Event) => {
      this.#isTouched = scroller.contains(target as Node);
    };
    const options = { passive: true, capture: true };
    for (const hand of ["wheel", "keydown", "pointerdown"])
      scroller.getRootNode().addEventListener(hand, onHand, options);
    scroller.addEventListener("scroll", () => this.#onScroll());
    // Before a message folds or unfolds, and after it has.
    const beforeClick = ({ target }: Event) => {
      const toggle = (target as Element).closest(".fold-toggle");
      if (!toggle) return;
      const top = this.#ruler()(toggle);
      scroller.addEventListener("click", () => this.#onFold(toggle, top), { once: true });
    };
    scroller.addEventListener("click", beforeClick, true);
    this.#watch();
  }

  /** By an observer of the document that the list is in: one of another document never comes to rest. */
  #watch(): void {
    const { scroller, content } = this.#deps;
    const { ResizeObserver } = scroller.ownerDocument.defaultView ?? window;
    if (this.#resizes?.constructor === ResizeObserver) return;
    this.#resizes?.disconnect();
    this.#resizes = new ResizeObserver(() => {
      this.keep();
      this.askForMore();
    });
    this.#resizes.observe(scroller);
    this.#resizes.observe(content);
  }

  get following(): boolean {
    return this.#following;
  }

  /** How much of the list is in view, px, by its last layout; 0 if there was none. */
  get view(): number {
    return this.#view;
  }

  /** A message comes, and is not seen yet: who holds still for text that they select does not follow it. */
  hold(): void {
    if (this.#following && !this.isSparse && this.#isSelecting()) this.#setFollowing(false);
  }

  /** Follows the newest end from now on. Text that is still selected would hold still what is to move. */
  follow(): void {
    if (this.#isSelecting()) document.getSelection()?.empty();
    this.#setFollowing(true);
    // To ask an empty list where it ends would only lay it out, and where it goes is not the reader's doing.
    if (this.#deps.rows().length > 0) this.restore();
    else this.#isTouched = false;
  }

  /** Puts a row into the upper third of the view; the reader reads there. */
  show(row: HTMLElement): void {
    this.#setFollowing(false);
    this.#places = [{ row, offset: this.#deps.scroller.clientHeight / 3 }];
    this.restore();
  }

  /** Brings a row into view with the smallest move there is; nothing outside the list moves. */
  reveal(row: HTMLElement): void {
    const { scroller } = this.#deps;
    const ruler = this.#ruler();
    const above = ruler(row);
    const below = ruler(row, "bottom") - scroller.clientHeight;
    if (above < 0) {
      this.#setFollowing(false);
      this.#move(scroller.scrollTop + above - 8);
    } else if (below > 0) {
      this.#move(scroller.scrollTop + Math.min(below + 8, above));
      if (this.#isAtEnd()) this.#setFollowing(true);
    }
    this.#remember();
  }

  /** Everything is where the reader left it, whatever the browser has done to the list since. */
  restore(): void {
    this.#watch();
    this.#view = 0;
    this.keep();
  }

  /** Whether what is there does not fill the view. */
  get isSparse(): boolean {
    return this.#height <= this.#view;
  }

  /** After the list has changed. A reader who follows is moved when the list is laid out, which is before it is painted. */
  settle(): void {
    if (!this.#following) this.keep();
  }

  /** Everything is where the reader left it. */
  keep(): void {
    const { scroller } = this.#deps;
    if (this.#isTouched && this.#view) this.#heed();
    const place = this.#places.find(({ row }) => row.isConnected);
    if (this.#following) {
      // A list that had no view yet has nothing in it to hold still.
      if (!this.#view || !this.#isSelecting()) this.#move(scroller.scrollHeight);
      else if (!this.#isAtEnd()) this.#setFollowing(false);
    } else if (place) {
      const ruler = this.#ruler();
      const offset = place.offset - this.#scrolled();
      this.#move(scroller.scrollTop + ruler(place.row) - offset);
      const rest = offset - ruler(place.row);
      this.#rest = Math.abs(rest) < LEAST ? rest : 0;
      // Another size has left nothing below: a pill would lead nowhere, and no wheel to the end.
      if (scroller.clientHeight && this.#isAtEnd(LEAST)) this.#setFollowing(true);
    }
    this.#remember();
  }

  /** Asks for more messages if an end is near. Only of a list that is laid out: before, every end is. */
  askForMore(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    if (!clientHeight) return;
    const overflows = scrollHeight > clientHeight;
    // A reader who follows has not asked for older messages, unless the present ones don't fill the view.
    if (!overflows || (!this.#following && scrollTop < LOAD_ZONE)) this.#deps.onNear("older");
    if (scrollHeight - scrollTop - clientHeight < LOAD_ZONE) this.#deps.onNear("newer");
  }

  #onScroll(): void {
    const { scrollHeight, clientHeight } = this.#deps.scroller;
    // A list or a view that has another size may have scrolled by itself.
    if (Math.abs(scrollHeight - this.#height) > 1 || clientHeight !== this.#view) {
      this.keep();
      return;
    }
    this.#heed();
    this.#remember();
    this.askForMore();
  }

  /** What the reader has done since. */
  #heed(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    const end = scrollHeight - clientHeight;
    const moved = scrollTop - this.#top;
    if (moved > 0) {
      // It counts where the end was for them: it may have moved on since. A finger that trembles is not there.
      if (scrollTop + LEAST >= Math.min(end, this.#end) && this.#isAtEnd()) this.#setFollowing(true);
    } else if (
      moved < 0 &&
      scrollTop + (this.#isTouched ? LEAST : FOLLOW_ZONE) <= Math.min(end, this.#height - this.#view)
    ) {
      this.#end = end;
      this.#setFollowing(false);
    }
  }

  #isAtEnd(zone = FOLLOW_ZONE): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    return scrollHeight - scrollTop - clientHeight <= zone && this.#deps.reachesEnd();
  }

  /** A message unfolds for its reader to read on where they are, and folds around the button under their pointer. */
  #onFold(toggle: Element, top: number): void {
    this.#setFollowing(false);
    if (toggle.ariaExpanded !== "true") {
      this.#move(this.#deps.scroller.scrollTop + this.#ruler()(toggle) - top);
    }
    if (this.#isAtEnd()) this.#setFollowing(true);
    this.#remember();
  }

  #setFollowing(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    if (!following) this.#remember();
    this.#deps.onFollow(following);
  }

  /** Px that the reader has scrolled since, of which no event may have told yet: that much is theirs. */
  #scrolled(): number {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    const scrolled = this.#view && scrollTop - this.#top;
    // A list that has become shorter has taken its reader along to its end.
    return scrollTop + clientHeight > scrollHeight - 1 ? Math.max(0, scrolled) : scrolled;
  }

  #move(top: number): void {
    const { scroller } = this.#deps;
    if (Math.abs(scroller.scrollTop - top) >= 0.5) scroller.scrollTop = top;
  }

  /** Notes how far the list is scrolled, and the rows in view. A handful: one of them will survive whatever comes. */
  #remember(): void {
    const { scroller } = this.#deps;
    this.#top = scroller.scrollTop;
    this.#height = scroller.scrollHeight;
    this.#view = scroller.clientHeight;
    const view = scroller.getBoundingClientRect();
    if (this.#following || !view.height) return;
    const rows = this.#deps.rows();
    const ruler = this.#ruler();
    const places: Place[] = [];
    for (let index = firstBelow(rows, view.top); index < rows.length && places.length < 12; index++) {
      const row = rows[index] as HTMLElement;
      const top = ruler(row);
      if (top > this.#view) break;
      places.push({ row, offset: top + this.#rest });
    }
    this.#places = places;
  }

  /**
   * Measures from the top of the view to an edge of an element, in the px by which the list scrolls: a page may show them
   * larger or smaller. By how much the content tells best, being long, since a browser gives its height in whole px.
   */
  #ruler(): (element: Element, edge?: "top" | "bottom") => number {
    const { scroller, content } = this.#deps;
    const { top } = scroller.getBoundingClientRect();
    const scale = content.getBoundingClientRect().height / content.offsetHeight;
    return (element, edge = "top") => (element.getBoundingClientRect()[edge] - top) / scale;
  }

  /** Text is selected in the list. */
  #isSelecting(): boolean {
    const { scroller } = this.#deps;
    const root = scroller.getRootNode();
    const selection = document.getSelection();
    if (!selection || !(root instanceof ShadowRoot)) return false;
    // Safari before 26 wants the roots themselves, others an object that names them: this is both.
    const roots = Object.assign(root, { shadowRoots: [root] });
    const range = selection.getComposedRanges?.(roots)[0];
    if (!range || range.collapsed) return false;
    return scroller.contains(range.startContainer) || scroller.contains(range.endContainer);
  }
}

/** The first row that ends below `y`; the rows are in order, so it is found by halving. */
function firstBelow(rows: ArrayLike<HTMLElement>, y: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as HTMLElement).getBoundingClientRect().bottom > y) high = middle;
    else low = middle + 1;
  }
  return low;
}
