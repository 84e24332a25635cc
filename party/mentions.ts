/** Who a message mentions: `@swift-otter`, `@swift-otter/claude`, `@~brisk-lynx-4f2a9c`. */

/** What can't stand before the `@`: in `mail@example` nobody is mentioned. */
const BEFORE = /[\p{L}\p{N}_@/-]$/u;
/** What makes a longer name of it: `@swift-otter-2` and `@swift-otter/claude` are not `@swift-otter`. */
const AFTER = /^(?:[a-z0-9_]|[-/@][a-z0-9])/i;

/** Whether `content` mentions `name`, whatever the case of its letters. */
export function mentions(content: string, name: string): boolean {
  const text = content.toLowerCase();
  const mention = `@${name.toLowerCase()}`;
  for (let at = text.indexOf(mention); at !== -1; at = text.indexOf(mention, at + 1)) {
    if (!BEFORE.test(text.slice(Math.max(0, at - 2), at)) && !AFTER.test(text.slice(at + mention.length))) return true;
  }
  return false;
}

/** Whether `sender` is an agent: the server gives agents, and nobody else, a name with a slash. */
export const isAgent = (sender: string): boolean => sender.includes("/");

/** The person behind a sender: of `swift-otter/claude` it is `swift-otter`, anyone else is their own. */
export const personOf = (sender: string): string => sender.split("/", 1)[0] ?? sender;
