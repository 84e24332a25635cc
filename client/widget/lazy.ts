/** Parts that are loaded when they are first needed. */

/** A part that did not load is not asked for again before this, ms. */
const PAUSE = 5_000;

/**
 * `load`, once: every call gives the same part. `undefined` when it does not load, as on a bad network; a later call
 * tries again.
 */
export function lazily<Part>(load: () => Promise<Part>): () => Promise<Part | undefined> {
  let loading: Promise<Part | undefined> | undefined;
  return () => {
    loading ??= load().catch(() => {
      setTimeout(() => {
        loading = undefined;
      }, PAUSE);
      return undefined;
    });
    return loading;
  };
}

/** Calls `work` when the page has nothing else to do; where a browser can't tell, soon. */
export const whenIdle = (work: () => void): unknown => (globalThis.requestIdleCallback ?? setTimeout)(work);
