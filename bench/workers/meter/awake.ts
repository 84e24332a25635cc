/**
 * Which objects are awake, and for how long.
 *
 * The platform bills an object while it handles an event and while something keeps it from hibernating: a timer that it
 * has set, an answer of D1's that it waits for. Whose a timer is shows the context in which it was set.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { ObjectClass, Tally } from "../../meter/usage.ts";
import { Wakefulness } from "../../meter/wakefulness.ts";

const current = new AsyncLocalStorage<Wakefulness>();
const objects = new Map<string, { readonly of: ObjectClass; readonly wakefulness: Wakefulness }>();

/** The object `id` of a class, over all its lives. */
export function wakefulnessOf(of: ObjectClass, id: string): Wakefulness {
  const known = objects.get(id);
  if (known) return known.wakefulness;
  const wakefulness = new Wakefulness(Date.now);
  objects.set(id, { of, wakefulness });
  return wakefulness;
}

/** Writes the seconds of all objects into `tally`. */
export function sumAwake(tally: Tally): void {
  tally.room.awake = tally.limiter.awake = 0;
  for (const { of, wakefulness } of objects.values()) tally[of].awake += wakefulness.total / 1000;
}

/** Does `work` as `whose`, who is awake until it is done. */
export function awakeFor<Result>(whose: Wakefulness, work: () => Result): Result {
  const end = whose.begin();
  try {
    const result = current.run(whose, work);
    if (!(result instanceof Promise)) end();
    else void result.then(end, end);
    return result;
  } catch (error) {
    end();
    throw error;
  }
}

/** Keeps the object that waits for `answer`, if it is one, awake until it has come. */
export function awakeDuring<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const end = current.getStore()?.begin();
  if (end) void answer.then(end, end);
  return answer;
}

const timers = new Map<unknown, () => void>();

/** Has every timer that an object sets keep it awake. Called once. */
export function meterTimers(): void {
  const plain = { setTimeout, setInterval, clearTimeout, clearInterval };
  const clear = (timer: unknown): void => {
    timers.get(timer)?.();
    timers.delete(timer);
  };
  Object.assign(globalThis, {
    setTimeout(run: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) {
      const timer: unknown = plain.setTimeout(() => {
        // What it does is an event of its own: the timer ends after it.
        try {
          run(...args);
        } finally {
          clear(timer);
        }
      }, delay);
      keepAwake(timer);
      return timer;
    },
    setInterval(run: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) {
      const timer = plain.setInterval(run, delay, ...args);
      keepAwake(timer);
      return timer;
    },
    clearTimeout(timer: number) {
      clear(timer);
      plain.clearTimeout(timer);
    },
    clearInterval(timer: number) {
      clear(timer);
      plain.clearInterval(timer);
    },
  });
}

function keepAwake(timer: unknown): void {
  const end = current.getStore()?.begin();
  if (end) timers.set(timer, end);
}
