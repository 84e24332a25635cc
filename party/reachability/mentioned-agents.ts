/** Which agents a text mentions: `@swift-otter/claude`. */

/** So many are looked at in one text. */
export const MOST_MENTIONED = 8;

/**
 * A mention by the rules of `party/mentions.ts`, found in one pass over the text. A person's handle has at most 31 characters,
 * an agent's name at most 32.
 */
const MENTION =
  /(?<![\p{L}\p{N}_@/-])@([a-z0-9][a-z0-9-]{1,30}\/[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)(?![a-z0-9_]|[-/@][a-z0-9])/giu;

/** The first agents that `content` mentions, each once, in lower case. */
export function mentionedAgents(content: string): string[] {
  // Most texts have neither, and this is asked of each.
  if (!content.includes("@") || !content.includes("/")) return [];
  const found = new Set<string>();
  for (const [, name = ""] of content.matchAll(MENTION)) {
    found.add(name.toLowerCase());
    if (found.size === MOST_MENTIONED) break;
  }
  return [...found];
}
