/** Parts that are loaded when they are first needed. */

/** A part that did not load is asked for again after this, ms; each further time after twice as long, up to a minute. */
const PAUSE = 5_000;
const LONGEST = 60_000;

/**
 * `load`, once: every call gives the same part, as soon as it is there. On a bad network that may take some tries: after
 * pauses, and when the browser is online again. `loaded` is called with the part, once.
 *
 * Chromium remembers that an address did not load and never asks for it again, so a further try goes to another one.
 * https://issues.chromium.org/issues/40667588
 */
export function lazily<Part>(load: () => Promise<Part>, loaded: (part: Part) => void = () => {}): () => Promise<Part> {
  let loading: Promise<Part> | undefined;
  const attempt = async (): Promise<Part> => {
    for (let [tries, next] = [1, load]; ; tries++) {
      try {
        const part = await next();
        loaded(part);
        return part;
      } catch (error) {
        // A module that did not load is a TypeError. A bundler's own loader has other errors, and can be asked again.
        const [, address] = /^TypeError.*?(https?:[^\s?]+)/.exec(String(error)) ?? [];
        if (address) {
          // Each bundler has a comment of its own that leaves an address to the browser.
          next = () =>
            import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ `${address}?${tries}`);
        }
      }
      await pause(Math.min(LONGEST, PAUSE * 2 ** (tries - 1)));
    }
  };
  return () => {
    loading ??= attempt();
    return loading;
  };
}

/** Until `duration` ms have passed, or the browser is online again. */
const pause = (duration: number): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, duration);
    addEventListener("online", end);
  });

/** When the page has nothing else to do, or half a second later; soon, where a browser can't tell. */
export const idle = (): Promise<unknown> =>
  new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(resolve, { timeout: 500 });
    else setTimeout(resolve);
  });
