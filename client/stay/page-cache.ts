/** What a connection does in a page that its browser keeps for when the person comes back to it. */

export interface Suspendable {
  suspend(): void;
  resume(): void;
}

/**
 * Such a page has no socket, which would hold a place in the room: `connection` is suspended when the page is hidden, and
 * resumes when it is shown again. The returned function ends that. Where there is no page it does nothing.
 * https://web.dev/articles/bfcache
 */
export function followPage(connection: Suspendable): () => void {
  const over = new AbortController();
  globalThis.window?.addEventListener("pagehide", () => connection.suspend(), over);
  globalThis.window?.addEventListener("pageshow", () => connection.resume(), over);
  return () => over.abort();
}
