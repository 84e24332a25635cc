/** A new message id, or a guest's secret: `length` characters of 6 random bits each. */
export function randomId(length = 22): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, length)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
