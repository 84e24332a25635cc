/** Ids out of bytes: characters of 6 bits each, `A-Z a-z 0-9 - _`. */

/** A new message id, or a guest's secret: `length` random characters. */
export const randomId = (length = 22): string =>
  base64url(crypto.getRandomValues(new Uint8Array(length))).slice(0, length);

/** @internal */
export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
