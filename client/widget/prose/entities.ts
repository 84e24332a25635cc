/**
 * Character references: `&amp;`, `&#8212;`, `&#x1F98A;`.
 *
 * The platform decodes them only while it parses HTML, which this code never does. These are the names that people and
 * agents write; any other stays as it was written.
 */

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  trade: "™",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  laquo: "«",
  raquo: "»",
  bull: "•",
  middot: "·",
  deg: "°",
  plusmn: "±",
  times: "×",
  divide: "÷",
  frac12: "½",
  euro: "€",
  pound: "£",
  yen: "¥",
  cent: "¢",
  sect: "§",
  para: "¶",
  larr: "←",
  rarr: "→",
  uarr: "↑",
  darr: "↓",
  harr: "↔",
  rArr: "⇒",
  le: "≤",
  ge: "≥",
  ne: "≠",
  asymp: "≈",
  infin: "∞",
  check: "✓",
};

/** What a reference such as `&amp;` stands for; itself, if it is not known. */
export function decodeEntity(reference: string): string {
  const numeric = /^&#(?:x([0-9a-f]+)|([0-9]+));$/i.exec(reference);
  if (!numeric) {
    const name = reference.slice(1, -1);
    return Object.hasOwn(NAMED, name) ? (NAMED[name] as string) : reference;
  }
  const code = numeric[1] !== undefined ? Number.parseInt(numeric[1], 16) : Number.parseInt(numeric[2] as string, 10);
  const isText = code >= 0x20 && (code < 0x7f || code > 0x9f) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isText || code === 0x09 || code === 0x0a ? String.fromCodePoint(code) : "\ufffd";
}
