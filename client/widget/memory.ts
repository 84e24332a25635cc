/**
 * What the widget keeps in the browser. For good: a guest's secret, unfinished text, how far one has read. For as long
 * as the tab: what is pending. Where storage is off or full, it is kept for as long as the page lives.
 */

const forgetful = new Map<string, string>();

class Memory {
  readonly #storage: () => Storage;

  constructor(storage: () => Storage) {
    this.#storage = storage;
  }

  recall(name: string): string | undefined {
    try {
      return this.#storage().getItem(name) ?? forgetful.get(name);
    } catch {
      return forgetful.get(name);
    }
  }

  /** Keeps `value`; an empty one forgets. */
  keep(name: string, value: string): void {
    forgetful.delete(name);
    try {
      if (value) this.#storage().setItem(name, value);
      else this.#storage().removeItem(name);
    } catch {
      if (value) forgetful.set(name, value);
    }
  }
}

export const browserMemory = new Memory(() => localStorage);
export const tabMemory = new Memory(() => sessionStorage);

/** The name under which something about a room is kept. */
export const memoryOf = (what: "read" | "text" | "pending", server: string, room: string): string =>
  `meet-ai:${what}:${server}/${room}`;
