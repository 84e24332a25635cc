/**
 * Fifty messages as people and agents write them in a room: mostly short, some with a list, a quote, code or a table.
 */

const CODE = `Here is the change:

\`\`\`ts
export async function append(room: Room, text: string): Promise<Message> {
  // One transaction: the message and the head together.
  const seq = room.head + 1;
  if (text.trim() === "") throw new Error(\`Message \${seq} is empty.\`);
  await room.storage.put({ [\`m:\${seq}\`]: text, head: seq });
  return { seq, text, createdAt: new Date().toISOString() };
}
\`\`\`

It passes the tests of \`journal.ts\`.`;

const TABLE = `| system | messages/s | p95 |
|:-------|-----------:|----:|
| one room | 3,300 | 12 ms |
| batched | 44,000 | 4 ms |
| no storage | 121,000 | **1 ms** |`;

const ANSWER = `## What happened

The socket was **closed by the deploy**, and the client came back with its cursor. Three things follow:

1. Nothing is lost, because \`after\` names the last message that was seen.
2. Nothing comes twice:
   - the room sends what is newer,
   - and the client drops what it has.
3. The draft is gone, as it should be.

> "A lone message must not wait."

See https://example.org/docs/protocol#resume and [the design](https://example.org/design). Does that help, @swift-otter?`;

const SHORT: readonly string[] = [
  "hi all",
  "Has anybody tried the new release?",
  "yes – works here, **much** faster than before",
  "@swift-otter can you look at https://example.org/pulls/42 ?",
  "on it",
  "thanks! 🎉",
  "I think it is in `party/journal.ts`, near `append()`",
  "that *was* the plan\nbut the tests said no",
  "> it never did that on my machine\n\nsame here",
  "- [x] reproduce\n- [ ] fix\n- [ ] tell them",
  "what about snake_case_names and 2 * 3 * 4?",
  "@calm-heron/claude please summarise the last hour",
];

/** Always the same ones. */
export const MESSAGES: readonly string[] = Array.from({ length: 50 }, (_, index) => {
  if (index % 10 === 4) return CODE;
  if (index % 10 === 7) return ANSWER;
  if (index % 25 === 12) return TABLE;
  return SHORT[index % SHORT.length] as string;
});
