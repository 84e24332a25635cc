/** Where a stay keeps what outlives it: names and texts, in a browser or in memory. */

export interface KeyValueStorage {
  /** What is kept under `name`. */
  get(name: string): string | undefined;
  /** Keeps `value` under `name`; an empty one forgets it. Never throws. */
  set(name: string, value: string): void;
}

/** Keeps things for as long as the program runs. */
export function memoryStorage(): KeyValueStorage {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name),
    set: (name, value) => void (value ? kept.set(name, value) : kept.delete(name)),
  };
}

/**
 * Keeps things in a browser: `() => localStorage` for good, `() => sessionStorage` for as long as the tab. What the browser
 * does not take, because storage is off or full, is kept for as long as the page, and goes before an older value that the
 * browser still has.
 */
export function browserStorage(storage: () => Storage): KeyValueStorage {
  /** What the browser did not take: a text, or that one was to be forgotten. */
  const untaken = new Map<string, string>();
  return {
    get(name) {
      const newer = untaken.get(name);
      if (newer !== undefined) return newer || undefined;
      try {
        return storage().getItem(name) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set(name, value) {
      try {
        if (value) storage().setItem(name, value);
        else storage().removeItem(name);
        untaken.delete(name);
      } catch {
        untaken.set(name, value);
      }
    },
  };
}
