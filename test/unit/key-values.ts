import type { KeyValues } from "../../party/limits/key-values.ts";

/** An object's key-value storage in memory. What is kept is a copy, as on a disk; `rows` counts what was written. */
export class TestKeyValues implements KeyValues {
  readonly #entries = new Map<string, string>();
  rows = 0;

  get<T>(key: string): T | undefined {
    const text = this.#entries.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  put<T>(key: string, value: T): void {
    this.rows++;
    this.#entries.set(key, JSON.stringify(value));
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }
}
