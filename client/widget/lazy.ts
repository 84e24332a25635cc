/** Parts that are loaded when they are first needed. */

/** A part that did not load is asked for again after this, ms; each further time after twice as long. */
const PAUSE = 5_000;

/** `load`, once: every call gives the same part, as soon as it is there. On a bad network that may take some tries. */
export function lazily<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let loading: Promise<Part> | undefined;
  const attempt = (pause: number): Promise<Part> =>
    load().catch(() => new Promise((resolve) => setTimeout(() => resolve(attempt(pause * 2)), pause)));
  return () => {
    loading ??= attempt(PAUSE);
    return loading;
  };
}

/** When the page has nothing else to do, or half a second later; soon, where a browser can't tell. */
export const idle = (): Promise<unknown> =>
  new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(resolve, { timeout: 500 });
    else setTimeout(resolve);
  });
