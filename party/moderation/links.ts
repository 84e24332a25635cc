/** Whether a text has a link in it, or what a reader would take for one. Where in doubt it has: a person decides then. */

/** What stands at the end of names that people type without a scheme, beside what any two letters may be with a path. */
const ENDINGS =
  "com|net|org|info|biz|io|co|me|ai|app|dev|gg|tv|xyz|top|site|online|shop|store|club|live|link|click|page|ru|cn|de|uk|eu|us|fr|nl|pl|br|in|to|ly|cc|su|tk|ml|ga|cf|gq";

/** Each part is bounded, so that no text takes longer than its length. */
const LINK = new RegExp(
  [
    "[a-z][a-z0-9+.-]{1,15}:\\/\\/[^\\s]",
    "(?<![a-z0-9])www\\d{0,2}\\.[^\\s.]",
    "(?<![a-z0-9])(?:mailto|tel|xmpp|magnet|tg):[^\\s]",
    // A name with a path or a port.
    "(?<![\\p{L}\\p{N}-])(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62})\\.){1,6}[\\p{L}]{2,24}(?:\\/|:\\d)",
    `(?<![\\p{L}\\p{N}-])(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62})\\.){1,6}(?:${ENDINGS})(?![\\p{L}\\p{N}-])`,
    // An address of numbers with a path or a port.
    "(?<![\\d.])(?:\\d{1,3}\\.){3}\\d{1,3}(?:\\/|:\\d)",
  ].join("|"),
  "u",
);

/** Whether `text` has a link. */
export const hasLink = (text: string): boolean =>
  LINK.test(
    text
      .normalize("NFKC")
      .replace(/\p{Cf}/gu, "")
      .toLowerCase(),
  );
