/**
 * Calls to objects, made again when they fail for a reason that passes: a deploy, an eviction, a lost connection. The
 * runtime marks such errors as `retryable`. One that is also `overloaded` is not repeated, which would add to the load.
 */

/** Tries in all, the first included. */
const TRIES = 4;
/** The longest wait before the second try, ms. It doubles with each further one. */
const FIRST_WAIT = 100;

/** What waiting needs: `pause` resolves after so many ms; `random` gives numbers from 0 to 1. */
export interface RetryDependencies {
  readonly pause: (ms: number) => Promise<void>;
  readonly random: () => number;
}

const real: RetryDependencies = {
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
};

/**
 * What `call` gives, which must be free to happen twice: its first try may have been carried out and only its answer
 * lost. `call` must take a new stub each time, because one that has failed fails for good. Rejects with the last error
 * when it can't be repeated, or after four tries, which together wait at most 700 ms.
 */
export async function retried<T>(call: () => Promise<T>, { pause, random } = real): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === TRIES || !isPassing(error)) throw error;
      // The whole wait is drawn, so that callers whom one restart has cut off do not come back together.
      await pause(random() * FIRST_WAIT * 2 ** (attempt - 1));
    }
  }
}

function isPassing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { retryable, overloaded } = error as { retryable?: unknown; overloaded?: unknown };
  return retryable === true && overloaded !== true;
}
