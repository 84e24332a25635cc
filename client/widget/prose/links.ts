/**
 * What may be a link, and where an address in running text ends.
 *
 * A message is a stranger's text: a link is made only of an address that opens a page or a mail program, that names its
 * host in full, and that hides nothing in front of an `@`.
 */

/** The longest address, in characters, that becomes a link. A longer one stays text. */
export const ADDRESS_LIMIT = 2048;

const PROTOCOLS = new Set(["http:", "https:", "mailto:"]);
const STARTS_LIKE_A_LINK = /^(?:https?:\/\/|mailto:)/i;

/**
 * The address as a link may carry it, or `undefined` where it must not be one. Relative addresses are none: they would
 * lead into the page that embeds the room.
 */
export function safeAddress(address: string): string | undefined {
  if (address.length > ADDRESS_LIMIT || !STARTS_LIKE_A_LINK.test(address)) return undefined;
  const url = parseUrl(address);
  if (!url || !PROTOCOLS.has(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  return url.href;
}

/** The address that a bare `www.example.org` or `ada@example.org` stands for; others are returned as they are. */
export function fullAddress(text: string): string {
  if (STARTS_LIKE_A_LINK.test(text)) return text;
  return text.includes("@") ? `mailto:${text}` : `https://${text}`;
}

// A text that is nothing but an address, and addresses anywhere in a text. Without `https://` only endings count that
// are no endings of files: `[main.rs](https://…)` is the name of a file.
const IS_HOST =
  /^\s*([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.(?:com|org|net|edu|gov|info|biz|io|ai|dev|app|cloud|shop|bank|xyz|eu|de|fr|nl|ch|uk|us|ca|au|jp|cn|br|in))(?:[:/?#]\S*)?\s*$/iu;
const NAMED_HOSTS = /(?:https?:\/\/|www\.)([^\s/?#:@)\]]+)/giu;

/** Whether a link's text names a host, and another one than the link opens. `text` is what a reader sees. */
export function namesAnotherHost(text: string, href: string): boolean {
  const seen = text.replace(/\p{Cf}/gu, "");
  const hosts = [...seen.matchAll(NAMED_HOSTS)].map((match) => match[1] as string);
  const whole = seen.length <= ADDRESS_LIMIT ? IS_HOST.exec(seen)?.[1] : undefined;
  if (whole !== undefined) hosts.push(whole);
  const opened = bareHost(parseUrl(href)?.host ?? "");
  return hosts.some((host) => bareHost(parseUrl(`https://${host}`)?.host ?? host) !== opened);
}

/** `URL.parse`, which the oldest browsers that the widget knows have not got. */
const parseUrl = (address: string): URL | undefined => (URL.canParse(address) ? new URL(address) : undefined);

const bareHost = (host: string): string => host.replace(/^www\./, "").replace(/:\d+$/, "");

// Ends an address: space, quotes, what opens or closes a tag, code; the full-width marks that end a Chinese or Japanese
// sentence; and invisible characters that could show another address than the one that opens.
const ADDRESS_END =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among what ends an address
  /[\s<>"`\u0000-\u001f\u007f-\u00a0\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000-\u303f\ufeff\uff00-\uffef]/;
// Belongs to the sentence rather than to the address when it comes last.
const SENTENCE_MARKS = "?!.,:;*_~'";

/**
 * Where the address that begins at `from` ends. One pass: brackets are counted as they are met, since a `)` belongs to
 * the address only if the address opened it.
 */
export function addressEnd(text: string, from: number): number {
  let round = 0;
  let square = 0;
  let end = from;
  for (; end < text.length; end++) {
    const character = text[end] as string;
    if (ADDRESS_END.test(character)) break;
    if (character === "(") round++;
    else if (character === "[") square++;
    else if (character === ")" && --round < 0) break;
    else if (character === "]" && --square < 0) break;
  }
  while (end > from && SENTENCE_MARKS.includes(text[end - 1] as string)) end--;
  return end;
}
