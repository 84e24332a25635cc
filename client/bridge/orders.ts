/** What people can tell a bridge itself, past the agent: `@swift-otter/claude /stop`. */

export const ORDERS = ["new", "stop", "status"] as const;
export type Order = (typeof ORDERS)[number];

/** The order in a message to `me`; `undefined` where it is anything else. */
export function orderIn(content: string, me: string): Order | undefined {
  const text = content.trim().toLowerCase();
  const mention = `@${me.toLowerCase()}`;
  if (!text.startsWith(mention)) return undefined;
  const [, word] = /^[,:]?\s+\/(\w+)$/.exec(text.slice(mention.length)) ?? [];
  return ORDERS.find((order) => order === word);
}
