/** The key-value storage of an object, as far as the parts of a Limiter use it. All of it is synchronous. */
export interface KeyValues {
  get<T>(key: string): T | undefined;
  put<T>(key: string, value: T): void;
  delete(key: string): unknown;
}
