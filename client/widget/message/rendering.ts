/**
 * Renders messages' Markdown in slices, so that fifty of them never stop the page: the newest first, because that is
 * where the reader is, as many as fit into a slice, and the others in tasks that follow. Until then a message is its
 * text as it is.
 */

/**
 * What a slice may take, ms. Each is followed by a layout, so many short ones take longer in all: fifty messages fit into
 * one on a common machine. One slice and the message that ends it stay below the 50 ms of a long task.
 */
const SLICE = 32;

export interface Renderable {
  readonly isConnected: boolean;
  /** The place in the log. */
  readonly order: number;
  /** Shows the text as it is, until `renderMarkdown`. */
  showText(): void;
  renderMarkdown(): void;
}

const waiting: Renderable[] = [];
let isScheduled = false;

/** Asks for a message to be rendered: with this task if there is time, else soon. */
export function render(message: Renderable): void {
  waiting.push(message);
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(() => {
    slice();
    for (const late of waiting) late.showText();
  });
}

function slice(): void {
  const end = performance.now() + SLICE;
  waiting.sort((a, b) => a.order - b.order);
  try {
    do {
      const next = waiting.pop();
      if (next?.isConnected) next.renderMarkdown();
    } while (waiting.length > 0 && performance.now() < end);
  } finally {
    // Even if one can't be rendered, the others are.
    isScheduled = waiting.length > 0;
    // A task between frames: what is rendered in it costs the frame nothing.
    if (isScheduled) setTimeout(slice);
  }
}
