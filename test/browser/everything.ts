/** A room that shows all that it can show at once, for tests of how things look. */

import { userEvent } from "vitest/browser";
import type { FakeRoom, FakeServer } from "./fake-server.ts";
import { contents, find, mount, until } from "./widget.ts";

const LONG = "A long one, which is folded.\n\n".repeat(40);

const RICH = `# A title

Hello @~brisk-lynx-4f2a9c and @amber-fox, see [the docs](https://example.com/docs).

- [x] done
- [ ] open

> quoted

\`\`\`ts
const x = 1;
\`\`\`

| a | b |
|-|-|
| 1 | 2 |`;

/**
 * A person has written in the room, been answered, and comes back to it: there are people, agents and guests, a line
 * above what is new, quotes, Markdown, a deleted, a failed and a streaming message, the list of who is here, names to
 * choose from, and the list of keys.
 */
export async function everything(
  server: FakeServer,
  attributes: Readonly<Record<string, string>> = {},
  size?: { width: number; height: number },
) {
  const room: FakeRoom = server.room("lobby").fill(3);
  room.owner = true;
  room.people = ["swift-otter", "swift-otter/claude", room.handle];
  room.spectators = 2;
  room.info.topic = "All that there is to see, in one room";
  const first = mount(server, attributes, size);
  await until(() => contents(first.element).length === 3);
  await userEvent.click(await until(() => find(first.element, "textarea")));
  await until(() => find<HTMLTextAreaElement>(first.element, "textarea")?.placeholder.includes(room.handle));
  first.box.remove();
  await until(() => room.sockets.size === 0);

  room.fill(1, () => ({ sender: "swift-otter/claude", content: RICH, replyTo: 1 }));
  room.fill(1, () => ({ sender: "~calm-crane-000000", content: LONG }));
  const { element, box } = mount(server, attributes, size);
  await until(() => contents(element).length === 5 && !find(element, ".unrendered"));
  await until(() => find(element, ".unread"));
  await until(() => find(element, "textarea"));
  room.erase(2);
  await until(() => find(element, ".deleted"));
  await element.send("Mine");
  room.judge = () => ({ code: "muted" });
  element.send("Not for everybody").catch(() => {});
  await until(() => find(element, ".delivery.failed"));
  room.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append: "It is being written" }] });
  await until(() => find(element, ".row.draft"));
  find(element, ".here")?.click();
  await until(() => find(element, ".people"));
  find(element, ".help")?.click();
  await until(() => find(element, ".shortcuts"));
  return { room, element, box, field: find(element, "textarea") as HTMLTextAreaElement };
}
