/** Listeners of one stream of typed events. */

export class Emitter<Event extends { readonly type: string }> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Hears every event. The returned function stops it. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears the events of one type. The returned function stops it. */
  on<Type extends Event["type"]>(type: Type, listener: (event: Extract<Event, { type: Type }>) => void): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as Extract<Event, { type: Type }>);
    });
  }

  /** Whether there is nobody to tell. */
  protected get isUnheard(): boolean {
    return this.#listeners.size === 0;
  }

  /** Tells everybody. A listener that throws is reported and does not keep the event from the others. */
  protected emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        reportListenerError(error);
      }
    }
  }
}

/** Reports it as an uncaught error of its own: visible, and outside of the control flow that told the event. */
function reportListenerError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
