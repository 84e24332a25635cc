/** Where this script came from: the server that a room element talks to unless it is told another. */
export function scriptOrigin(): string {
  const { protocol, origin } = new URL(import.meta.url);
  // A bundler may have put the script anywhere, even on a disk: then the page's own origin is the best guess.
  return protocol.startsWith("http") ? origin : location.origin;
}
