/**
 * Keeps a reader's place in a list that grows at both ends.
 *
 * Either the reader follows: then the newest end stays in view. Or they read: then the row at the top of the view stays
 * where it is, whatever is put in above it, taken away, or laid out late. The browser's own scroll anchoring does not do
 * at the top of a scroller, so it is switched off in the style sheet, and this is the only one that moves.
 */

/** A reader this close to the newest end, px, is at it. */
const FOLLOW_ZONE = 70;
/** More is loaded when the reader is this close to an end of the window, px. */
const LOAD_ZONE = 800;

export interface ScrollKeeperDeps {
  readonly scroller: HTMLElement;
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
  /** Px from the top of the view to the top of the row. */
  readonly offset: number;
}

export class ScrollKeeper {
  readonly #deps: ScrollKeeperDeps;
  readonly #resizes: ResizeObserver;
  readonly #stop = new AbortController();
  #following = true;
  /** The rows in view and where they are: the first that is still there is the one that stays. */
  #places: Place[] = [];
  /** Px that a browser which scrolls by whole ones has kept back. Forgotten, they would add up. */
  #rest = 0;
  #top = 0;
  #height = 0;
  #view = 0;

  constructor(deps: ScrollKeeperDeps, content: HTMLElement) {
    this.#deps = deps;
    const { scroller } = deps;
    const options = { passive: true, signal: this.#stop.signal };
    scroller.addEventListener("scroll", () => this.#onScroll(), options);
    scroller.addEventListener("wheel", (event) => this.#onWheel(event), options);
    scroller.addEventListener("keydown", (event) => this.#onKey(event), options);
    // Before a message folds or unfolds, and after it has.
    const beforeClick = ({ target }: Event) => {
      const toggle = (target as Element).closest(".fold-toggle");
      if (!toggle) return;
      const { top } = toggle.getBoundingClientRect();
      scroller.addEventListener("click", () => this.#onFold(toggle, top), { once: true });
    };
    scroller.addEventListener("click", beforeClick, { ...options, capture: true });
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

  /** Follows the newest end from now on. */
  follow(): void {
    this.#setFollowing(true);
    this.keep();
  }

  /** Puts a row into the upper third of the view; the reader reads there. */
  show(row: HTMLElement): void {
    this.#setFollowing(false);
    const { scroller } = this.#deps;
    const offset = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    this.#move(scroller.scrollTop + offset - scroller.clientHeight / 3);
    this.#remember();
  }

  /** Brings a row into view with the smallest move there is; nothing outside the list moves. */
  reveal(row: HTMLElement): void {
    const { scroller } = this.#deps;
    const view = scroller.getBoundingClientRect();
    const box = row.getBoundingClientRect();
    if (box.top < view.top) {
      this.#setFollowing(false);
      this.#move(scroller.scrollTop + box.top - view.top - 8);
    } else if (box.bottom > view.bottom) {
      this.#move(scroller.scrollTop + Math.min(box.bottom - view.bottom + 8, box.top - view.top));
      if (this.#isAtEnd()) this.#setFollowing(true);
    }
    this.#remember();
  }

  /** Whether what is there does not fill the view. */
  get isSparse(): boolean {
    return this.#height <= this.#view;
  }

  /** After the list has changed. Whoever follows is served when the list is laid out, which is before it is painted. */
  settle(): void {
    if (!this.#following) this.keep();
  }

  /** Everything is where the reader left it. */
  keep(): void {
    const { scroller } = this.#deps;
    if (this.#following) {
      if (!this.#isSelecting()) this.#move(scroller.scrollHeight);
    } else {
      const top = scroller.getBoundingClientRect().top;
      const place = this.#places.find(({ row }) => row.isConnected);
      if (place) {
        const shift = place.row.getBoundingClientRect().top - top - (place.offset - this.#scrolled());
        const wanted = scroller.scrollTop + shift;
        this.#move(wanted);
        const rest = scroller.scrollTop - wanted;
        this.#rest = Math.abs(rest) < 1 ? rest : 0;
      }
    }
    this.#remember();
  }

  /** Asks for more messages if an end is near. Only of a list that is laid out: before, every end is. */
  askForMore(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    const overflows = scrollHeight > clientHeight;
    // Whoever follows has not asked for older messages, unless the ones there are don't even fill the view.
    if (!overflows || (!this.#following && scrollTop < LOAD_ZONE)) this.#deps.onNear("older");
    if (scrollHeight - scrollTop - clientHeight < LOAD_ZONE) this.#deps.onNear("newer");
  }

  stop(): void {
    this.#stop.abort();
    this.#resizes.disconnect();
  }

  #onScroll(): void {
    const { scroller } = this.#deps;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    // A list or a view that has another size scrolls by itself: that is nobody's wish. `keep` follows, and counts what
    // the reader has scrolled besides.
    if (Math.abs(scrollHeight - this.#height) > 1 || clientHeight !== this.#view) return;
    const moved = scrollTop - this.#top;
    if (moved > 0 && this.#isAtEnd()) this.#setFollowing(true);
    else if (moved < 0 && scrollHeight - scrollTop - clientHeight > FOLLOW_ZONE) this.#setFollowing(false);
    this.#remember();
    this.askForMore();
  }

  #isAtEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.#deps.scroller;
    return scrollHeight - scrollTop - clientHeight <= FOLLOW_ZONE && this.#deps.reachesEnd();
  }

  /** One notch upwards is enough to be let go, even where the zone would hold. Zooming, or a code block's own, is none. */
  #onWheel(event: WheelEvent): void {
    if (event.deltaY >= 0 || event.ctrlKey || !this.#canScroll()) return;
    const inner = event.composedPath().slice(0, event.composedPath().indexOf(this.#deps.scroller));
    if (!inner.some((node) => node instanceof Element && node.scrollTop > 0)) this.#setFollowing(false);
  }

  /** A message unfolds for its reader to read on where they are, and folds around the button under their pointer. */
  #onFold(toggle: Element, top: number): void {
    this.#setFollowing(false);
    if (toggle.ariaExpanded !== "true") {
      this.#move(this.#deps.scroller.scrollTop + toggle.getBoundingClientRect().top - top);
    }
    if (this.#isAtEnd()) this.#setFollowing(true);
    this.#remember();
  }

  #onKey(event: KeyboardEvent): void {
    if (["ArrowUp", "PageUp", "Home"].includes(event.key) && this.#canScroll()) this.#setFollowing(false);
  }

  #canScroll(): boolean {
    return this.#deps.scroller.scrollHeight > this.#deps.scroller.clientHeight;
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
    const scrolled = scrollTop - this.#top;
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
    if (this.#following) return;
    const rows = this.#deps.rows();
    const view = scroller.getBoundingClientRect();
    const places: Place[] = [];
    for (let index = firstBelow(rows, view.top); index < rows.length && places.length < 12; index++) {
      const row = rows[index] as HTMLElement;
      const { top } = row.getBoundingClientRect();
      if (top > view.bottom) break;
      places.push({ row, offset: top - view.top + this.#rest });
    }
    this.#places = places;
  }

  /** Text is being selected in the list: it must not move under the pointer. */
  #isSelecting(): boolean {
    const { scroller } = this.#deps;
    const root = scroller.getRootNode();
    const selection = document.getSelection();
    if (!selection || !(root instanceof ShadowRoot)) return false;
    const range = selection.getComposedRanges?.({ shadowRoots: [root] })[0];
    if (!range || (range.startContainer === range.endContainer && range.startOffset === range.endOffset)) return false;
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
