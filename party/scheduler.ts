/**
 * The one alarm that an object has, for several purposes: it rings at the earliest time that anyone has asked for.
 *
 * Whoever is rung looks for itself whether something is due; so a ring too many does no harm, and only the time needs
 * to be kept. Each setting is a row written, so nothing is set that is not earlier than what is.
 */

export interface AlarmDeps {
  now(): number;
  /** Sets the object's alarm, in ms since 1970. */
  set(at: number): Promise<void>;
  /** When the alarm that survived the last sleep rings, if there is one. */
  readonly pending: number | undefined;
}

export class Scheduler {
  readonly #deps: AlarmDeps;
  #at: number | undefined;

  constructor(deps: AlarmDeps) {
    this.#deps = deps;
    this.#at = deps.pending;
  }

  /** Asks to be rung in `delay` ms or earlier. */
  within(delay: number): void {
    const at = this.#deps.now() + delay;
    if (this.#at !== undefined && this.#at <= at) return;
    this.#at = at;
    this.#deps.set(at).catch((error) => {
      console.warn("The alarm can't be set", { error });
      if (this.#at === at) this.#at = undefined;
    });
  }

  /** It has rung: none is set any more. */
  rung(): void {
    this.#at = undefined;
  }
}
