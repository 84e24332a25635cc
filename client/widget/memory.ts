/**
 * What the widget keeps in the browser: a guest's secret, unfinished text, how far one has read. Where storage is off or
 * full, it is kept for as long as the page lives.
 */

const forgetful = new Map<string, string>();

export function recall(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? forgetful.get(name);
  } catch {
    return forgetful.get(name);
  }
}

/** Keeps `value`; `undefined` or an empty one forgets. */
export function keep(name: string, value: string | undefined): void {
  forgetful.delete(name);
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    if (value) forgetful.set(name, value);
  }
}
