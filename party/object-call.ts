/**
 * Calls to other Durable Objects. An object may move or restart at any time, and then a call fails with an error that is
 * marked `retryable`. An object that is `overloaded` is not asked again: that would only add to its load.
 *
 * What objects are asked is counted here, by who asks.
 *
 * Source: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */

import { usage } from "./usage/usage-sampler.ts";

/** How often a call is made in all, and how long to wait before the second time, ms; doubled before the third. */
const ATTEMPTS = 3;
const FIRST_WAIT = 50;

/** What the platform says of a failed call. */
interface CallError {
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
}

/**
 * The answer to `call`, which is made again when the platform says that it may succeed. Only for calls that may happen
 * twice. `wait` resolves after so many ms; the time is drawn, so that those who failed together don't come back together.
 */
export async function repeatable<Answer>(
  call: () => Promise<Answer>,
  wait: (delay: number) => Promise<void> = (delay) => new Promise((resolve) => setTimeout(resolve, delay)),
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const begun = Date.now();
    try {
      return await call();
    } catch (error) {
      const { retryable, overloaded } = error as CallError;
      if (!retryable || overloaded || attempt >= ATTEMPTS) throw error;
      await wait(FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + Math.random()));
    } finally {
      usage.count("objectRequests", 1);
      usage.count("objectMs", Date.now() - begun);
    }
  }
}
